//! Cosine annealing with warm restarts.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::{Clock, Interval, Phase, above_floor, check_floor};
use crate::config::Config;
use crate::keys::Facts;
use crate::keys::{lasting, length};
use crate::shape::{CheckError, CheckResult};

/// Anneals the learning rate along half a cosine in each period: `floor + (eta - floor) * (1 + cos(pi * i / P)) / 2` at step `i`
/// of a period of `P` steps.
///
/// At a restart, `i = 0`, the learning rate is full again. Each period is `multiply` times as long as the previous one. As in
/// the paper and in PyTorch's `CosineAnnealingWarmRestarts`, a period would reach the floor at the start of the next one, so
/// its last step is slightly above the floor.
///
/// # Source
/// Loshchilov and Hutter 2017 (SGDR).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineRestarts {
    /// The length of the first period; required.
    pub period: Interval,
    /// The factor from the length of one period to the next, at least 1; 1 by default.
    pub multiply: u64,
    /// The learning rate to which each period falls, 0 or more, and at most the initial one; 0 by default.
    pub floor: f64,
    /// The length of the phase in steps; all remaining steps by default.
    pub steps: u64,
    /// The length of the phase in epochs, as an alternative to `steps`.
    pub epochs: u64,
}

impl CosineRestarts {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        if let Err(problem) = self.period.check("period") {
            return Err(problem);
        }
        if self.multiply == 0 {
            return Err(CheckError::new("multiply is 0; expected at least 1, for periods of equal length"));
        }
        if let Err(problem) = check_floor("floor", self.floor) {
            return Err(problem);
        }
        match lasting(self.steps, self.epochs) {
            Ok(known) => Ok(known.floor(self.floor)),
            problem => problem,
        }
    }

    /// Returns the position of step `j` within its period, and the length of that period.
    fn place(&self, j: u64, epoch: u64) -> (u64, u64) {
        let mut period = self.period.in_steps(epoch).max(1);
        if self.multiply <= 1 {
            return (j % period, period);
        }
        let mut step = j;
        while step >= period {
            step -= period;
            period = period.saturating_mul(self.multiply);
        }
        (step, period)
    }
}

impl Config for CosineRestarts {
    const NAME: &'static str = "CosineRestarts";
    const DEFAULT: Self = Self { period: Interval::Steps(0), multiply: 1, floor: 0.0, steps: 0, epochs: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("period", "the length of the first period: `Steps(n)` or `Epochs(n)`")];
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Phase for CosineRestarts {
    fn length(&self) -> Option<Interval> {
        length(self.steps, self.epochs)
    }

    fn rate(&self, j: u64, eta: f64, clock: Clock<'_>) -> f64 {
        let floor = self.floor.min(eta);
        let (step, period) = self.place(j, clock.epoch);
        floor + (eta - floor) * (1.0 + (PI * step as f64 / period as f64).cos()) / 2.0
    }

    fn check_start(&self, eta: f64, _: Clock<'_>) -> CheckResult {
        above_floor(eta, self.floor)
    }

    fn largest(&self, eta: f64, _: Clock<'_>) -> f64 {
        eta
    }
}
