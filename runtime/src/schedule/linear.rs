//! A linear change of the learning rate.

use serde::{Deserialize, Serialize};

use super::{Clock, Interval, Phase, check_floor, larger_end};
use crate::config::Config;
use crate::keys::Facts;
use crate::keys::{lasting, length};
use crate::shape::CheckResult;

/// Changes the learning rate linearly to `to`: `eta + (to - eta) * j / (W - 1)` at step `j` of `W`. The first step has the full
/// learning rate, the last one has `to`.
///
/// Equivalent to PyTorch's `LinearLR` with `total_iters = W - 1`.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// # #[model]
/// # fn Net(x: Image<1, 8, 8>) -> Logits<10> { x.flatten().linear(out = 10) }
/// train! {
///     Digits {
///         model: Net,
///         data: Digits8x8::embedded(),
///         epochs: 10,
///         schedule: [Warmup { epochs: 1 }, Constant { epochs: 5 }, Linear { to: 0.0 }],
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// The learning rate at the last step, 0 or more, above or below that at the first; required.
    pub to: f64,
    /// The length of the phase in steps; all remaining steps by default.
    pub steps: u64,
    /// The length of the phase in epochs, as an alternative to `steps`.
    pub epochs: u64,
}

impl Linear {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        if let Err(problem) = check_floor("to", self.to) {
            return Err(problem);
        }
        lasting(self.steps, self.epochs)
    }
}

impl Config for Linear {
    const NAME: &'static str = "Linear";
    const DEFAULT: Self = Self { to: 0.0, steps: 0, epochs: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("to", "the learning rate at the phase's last step")];
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Phase for Linear {
    fn length(&self) -> Option<Interval> {
        length(self.steps, self.epochs)
    }

    fn rate(&self, j: u64, eta: f64, clock: Clock<'_>) -> f64 {
        let end = clock.steps.saturating_sub(1);
        if j >= end && end > 0 {
            return self.to;
        }
        eta + (self.to - eta) * (j as f64 / end.max(1) as f64)
    }

    fn largest(&self, eta: f64, clock: Clock<'_>) -> f64 {
        larger_end(self, eta, clock)
    }
}
