//! Polynomial decay of the learning rate.

use serde::{Deserialize, Serialize};

use super::{Clock, Interval, Phase, check_floor, larger_end};
use crate::config::Config;
use crate::keys::Facts;
use crate::keys::{lasting, length};
use crate::shape::{CheckError, CheckResult};

/// Changes the learning rate polynomially to `to`: `to + (eta - to) * (1 - j / (W - 1))^power` at step `j` of `W`. The first step
/// has the full learning rate, the last one has `to`.
///
/// Equivalent to PyTorch's `PolynomialLR` with `total_iters = W - 1` for `to: 0`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// The power, above 0; 1 (linear) by default.
    pub power: f64,
    /// The learning rate at the last step, 0 or more; 0 by default.
    pub to: f64,
    /// The length of the phase in steps; all remaining steps by default.
    pub steps: u64,
    /// The length of the phase in epochs, as an alternative to `steps`.
    pub epochs: u64,
}

/// [`Polynomial`](struct@Polynomial) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Polynomial: Polynomial = Polynomial::DEFAULT;

impl Polynomial {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        if !(self.power > 0.0 && self.power.is_finite()) {
            return Err(CheckError::new("power is ").float(self.power).text("; expected a number above 0"));
        }
        if let Err(problem) = check_floor("to", self.to) {
            return Err(problem);
        }
        lasting(self.steps, self.epochs)
    }
}

impl Config for Polynomial {
    const NAME: &'static str = "Polynomial";
    const DEFAULT: Self = Self { power: 1.0, to: 0.0, steps: 0, epochs: 0 };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Phase for Polynomial {
    fn length(&self) -> Option<Interval> {
        length(self.steps, self.epochs)
    }

    fn rate(&self, j: u64, eta: f64, clock: Clock<'_>) -> f64 {
        let end = clock.steps.saturating_sub(1);
        if j >= end && end > 0 {
            return self.to;
        }
        // Divides the remaining steps once; `1 - j / end` would round twice.
        let left = (end.max(1) - j.min(end)) as f64 / end.max(1) as f64;
        self.to + (eta - self.to) * left.powf(self.power)
    }

    fn largest(&self, eta: f64, clock: Clock<'_>) -> f64 {
        larger_end(self, eta, clock)
    }
}
