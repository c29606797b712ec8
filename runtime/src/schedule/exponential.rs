//! A rate that falls by the same share again and again.

use serde::{Deserialize, Serialize};

use super::{Clock, Interval, Phase, check_factor, larger_end};
use crate::config::Config;
use crate::keys::Facts;
use crate::keys::{lasting, length};
use crate::shape::CheckResult;

/// `eta * factor^floor(j / every)` at step `j`, by default with a whole epoch for `every`.
///
/// PyTorch's `ExponentialLR`, where the scheduler is stepped once an epoch, or with `every: Steps(1)` once a step.
/// Within `every` the rate stays.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// What the rate is multiplied by, above 0; required.
    pub factor: f64,
    /// After how many steps or epochs; `Epochs(1)` by default.
    pub every: Interval,
    /// The phase's length in steps; by default all that remain.
    pub steps: u64,
    /// The phase's length in epochs instead.
    pub epochs: u64,
}

impl Exponential {
    /// The ranges of the keys.
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
        &[("factor", "what the rate is multiplied by after each epoch")];
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
