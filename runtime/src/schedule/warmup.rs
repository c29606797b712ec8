//! Linear warmup.

use serde::{Deserialize, Serialize};

use super::{Clock, Interval, Phase, larger_end};
use crate::config::Config;
use crate::keys::Facts;
use crate::keys::{lasting, length};
use crate::shape::{CheckError, CheckResult};

/// Raises the learning rate linearly: `eta * (from + (1 - from) * (j + 1) / W)` at step `j` of `W`. It is never zero, and full at
/// the last step.
///
/// # Source
/// Goyal et al. 2017.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// The length of the phase in steps; this or `epochs` is required.
    pub steps: u64,
    /// The length of the phase in epochs.
    pub epochs: u64,
    /// The share of the learning rate to start from, `0 <= from <= 1`; 0 by default.
    pub from: f64,
}

impl Warmup {
    /// Checks the ranges of the keys, and that there is a length.
    pub const fn check(&self) -> CheckResult<Facts> {
        if self.steps == 0 && self.epochs == 0 {
            return Err(CheckError::new("requires a length: `steps` or `epochs`, at least 1"));
        }
        if !(self.from >= 0.0 && self.from <= 1.0) {
            return Err(CheckError::new("from is ")
                .float(self.from)
                .text("; expected 0 <= from <= 1, a share of the learning rate"));
        }
        match lasting(self.steps, self.epochs) {
            Ok(known) => Ok(known.times(1.0)),
            problem => problem,
        }
    }
}

impl Config for Warmup {
    const NAME: &'static str = "Warmup";
    const DEFAULT: Self = Self { steps: 0, epochs: 0, from: 0.0 };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Phase for Warmup {
    fn length(&self) -> Option<Interval> {
        length(self.steps, self.epochs)
    }

    fn rate(&self, j: u64, eta: f64, clock: Clock<'_>) -> f64 {
        eta * (self.from + (1.0 - self.from) * (j + 1) as f64 / clock.steps.max(1) as f64)
    }

    fn largest(&self, eta: f64, clock: Clock<'_>) -> f64 {
        larger_end(self, eta, clock)
    }
}
