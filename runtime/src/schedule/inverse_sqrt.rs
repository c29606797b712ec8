//! Inverse square root decay with warmup.

use serde::{Deserialize, Serialize};

use super::{Clock, Interval, Phase};
use crate::config::Config;
use crate::keys::Facts;
use crate::keys::{lasting, length};
use crate::shape::{CheckError, CheckResult};

/// Sets the learning rate to `eta * min(t / warmup, sqrt(warmup / t))` at the phase's step `t = j + 1`. It rises linearly to the
/// full learning rate at step `warmup`, then falls with the inverse square root of the step. The phase has its own warmup, so it
/// does not need a [`Warmup`](super::Warmup) before it.
///
/// # Source
/// Vaswani et al. 2017, with the largest learning rate specified (`eta`) instead of computed from the model's width.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InverseSqrt {
    /// How long the learning rate rises, at least one step and at most as long as the phase; required.
    pub warmup: Interval,
    /// The length of the phase in steps; all remaining steps by default.
    pub steps: u64,
    /// The length of the phase in epochs, as an alternative to `steps`.
    pub epochs: u64,
}

impl InverseSqrt {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        if let Err(problem) = self.warmup.check("warmup") {
            return Err(problem);
        }
        lasting(self.steps, self.epochs)
    }
}

impl Config for InverseSqrt {
    const NAME: &'static str = "InverseSqrt";
    const DEFAULT: Self = Self { warmup: Interval::Steps(0), steps: 0, epochs: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("warmup", "how long the learning rate rises: `Steps(n)` or `Epochs(n)`")];
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Phase for InverseSqrt {
    fn length(&self) -> Option<Interval> {
        length(self.steps, self.epochs)
    }

    fn rate(&self, j: u64, eta: f64, clock: Clock<'_>) -> f64 {
        let (t, warmup) = ((j + 1) as f64, self.warmup.in_steps(clock.epoch).max(1) as f64);
        eta * if t < warmup { t / warmup } else { (warmup / t).sqrt() }
    }

    fn check_start(&self, _: f64, clock: Clock<'_>) -> CheckResult {
        let warmup = self.warmup.in_steps(clock.epoch);
        if warmup <= clock.steps {
            return Ok(());
        }
        Err(CheckError::new("warmup is ")
            .number(warmup as usize)
            .text(" steps, but the phase has ")
            .number(clock.steps as usize)
            .text("; shorten it or train longer"))
    }

    fn largest(&self, eta: f64, _: Clock<'_>) -> f64 {
        eta
    }
}
