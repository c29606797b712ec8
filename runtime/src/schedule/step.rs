//! Learning rate steps at fixed intervals.

use serde::{Deserialize, Serialize};

use super::{Clock, Interval, Phase, check_factor, larger_end};
use crate::config::Config;
use crate::keys::Facts;
use crate::keys::{lasting, length};
use crate::shape::CheckResult;

/// Multiplies the learning rate by a factor at fixed intervals: `eta * factor^floor(j / every)` at step `j`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The interval in steps or epochs; required.
    pub every: Interval,
    /// The factor for the learning rate, above 0; 0.1 by default.
    pub factor: f64,
    /// The length of the phase in steps; all remaining steps by default.
    pub steps: u64,
    /// The length of the phase in epochs, as an alternative to `steps`.
    pub epochs: u64,
}

impl Step {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        if let Err(problem) = self.every.check("every") {
            return Err(problem);
        }
        if let Err(problem) = check_factor(self.factor) {
            return Err(problem);
        }
        lasting(self.steps, self.epochs)
    }
}

impl Config for Step {
    const NAME: &'static str = "Step";
    const DEFAULT: Self = Self { every: Interval::Steps(0), factor: 0.1, steps: 0, epochs: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("every", "the interval at which the learning rate falls: `Steps(n)` or `Epochs(n)`")];
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Phase for Step {
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
