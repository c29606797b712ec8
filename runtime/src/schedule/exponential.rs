//! Exponential decay of the learning rate.

use serde::{Deserialize, Serialize};

use super::{Clock, Interval, Phase, check_factor, larger_end};
use crate::config::Config;
use crate::keys::Facts;
use crate::keys::{lasting, length};
use crate::shape::CheckResult;

/// Multiplies the learning rate by a constant factor at fixed intervals: `eta * factor^floor(j / every)` at step `j`, where
/// `every` is one epoch by default.
///
/// Equivalent to PyTorch's `ExponentialLR` with one scheduler step per epoch, or per step with `every: Steps(1)`.
/// Within an interval the learning rate is constant.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// The factor for the learning rate, above 0; required.
    pub factor: f64,
    /// The interval in steps or epochs; `Epochs(1)` by default.
    pub every: Interval,
    /// The length of the phase in steps; all remaining steps by default.
    pub steps: u64,
    /// The length of the phase in epochs, as an alternative to `steps`.
    pub epochs: u64,
}

impl Exponential {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        if let Err(problem) = check_factor(self.factor) {
            return Err(problem);
        }
        if let Err(problem) = self.every.check("every") {
            return Err(problem);
        }
        lasting(self.steps, self.epochs)
    }
}

impl Config for Exponential {
    const NAME: &'static str = "Exponential";
    const DEFAULT: Self = Self { factor: 1.0, every: Interval::Epochs(1), steps: 0, epochs: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("factor", "the factor for the learning rate after each epoch")];
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Phase for Exponential {
    fn length(&self) -> Option<Interval> {
        length(self.steps, self.epochs)
    }

    fn rate(&self, j: u64, eta: f64, clock: Clock<'_>) -> f64 {
        let every = self.every.in_steps(clock.epoch).max(1);
        eta * self.factor.powf((j / every) as f64)
    }

    fn largest(&self, eta: f64, clock: Clock<'_>) -> f64 {
        larger_end(self, eta, clock)
    }
}
