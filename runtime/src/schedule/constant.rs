//! A constant learning rate.

use serde::{Deserialize, Serialize};

use super::{Clock, Interval, Phase, check_factor, larger_end};
use crate::config::Config;
use crate::keys::Facts;
use crate::keys::{lasting, length};
use crate::shape::CheckResult;

/// Keeps the learning rate at `eta * factor` for the whole phase.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// Multiplies the learning rate at which the previous phase ended, above 0; 1 by default.
    pub factor: f64,
    /// The length of the phase in steps; all remaining steps by default.
    pub steps: u64,
    /// The length of the phase in epochs, as an alternative to `steps`.
    pub epochs: u64,
}

/// [`Constant`](struct@Constant) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Constant: Constant = Constant::DEFAULT;

impl Constant {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        if let Err(problem) = check_factor(self.factor) {
            return Err(problem);
        }
        match lasting(self.steps, self.epochs) {
            Ok(known) => Ok(known.times(self.factor)),
            problem => problem,
        }
    }
}

impl Config for Constant {
    const NAME: &'static str = "Constant";
    const DEFAULT: Self = Self { factor: 1.0, steps: 0, epochs: 0 };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Phase for Constant {
    fn length(&self) -> Option<Interval> {
        length(self.steps, self.epochs)
    }

    fn rate(&self, _: u64, eta: f64, _: Clock<'_>) -> f64 {
        eta * self.factor
    }

    fn largest(&self, eta: f64, clock: Clock<'_>) -> f64 {
        larger_end(self, eta, clock)
    }
}
