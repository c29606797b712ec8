//! Learning rate steps at listed positions.

use serde::{Deserialize, Deserializer, Serialize};

use super::{Clock, Interval, Phase, check_factor, larger_end};
use crate::config::Config;
use crate::keys::Facts;
use crate::keys::{lasting, length};
use crate::shape::{CheckError, CheckResult};

/// Multiplies the learning rate by a factor at each position: `eta * factor^n` at step `j`, where `n` is the number of positions
/// in `at` up to `j`.
///
/// Positions are counted from the start of the phase: with `Steps(30)`, the step with index 30 is the first with the
/// smaller learning rate, as in PyTorch's `MultiStepLR`.
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
///         epochs: 90,
///         optimizer: Sgd { lr: 0.1, momentum: 0.9 },
///         schedule: [MultiStep { at: &[Epochs(30), Epochs(60)] }],
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiStep {
    /// The positions where the learning rate is multiplied, in increasing order, all in steps or all in epochs:
    /// `&[Steps(100), Steps(150)]`. All must be within the phase. Required.
    #[serde(deserialize_with = "kept")]
    pub at: &'static [Interval],
    /// The factor for the learning rate, above 0; 0.1 by default.
    pub factor: f64,
    /// The length of the phase in steps; all remaining steps by default.
    pub steps: u64,
    /// The length of the phase in epochs, as an alternative to `steps`.
    pub epochs: u64,
}

impl MultiStep {
    /// Checks the ranges of the keys and the order of the positions.
    pub const fn check(&self) -> CheckResult<Facts> {
        let mut rest = self.at;
        let mut before = 0;
        if rest.is_empty() {
            return Err(CheckError::new(
                "at is empty; expected at least one position, such as `&[Epochs(30)]`",
            ));
        }
        let in_epochs = matches!(self.at[0], Interval::Epochs(_));
        while let [first, others @ ..] = rest {
            if let Err(problem) = first.check("a position in at") {
                return Err(problem);
            }
            let (place, same) = match first {
                Interval::Steps(place) => (*place, !in_epochs),
                Interval::Epochs(place) => (*place, in_epochs),
            };
            if !same {
                return Err(CheckError::new("at mixes `Steps` and `Epochs`; use only one of them"));
            }
            if place <= before {
                return Err(CheckError::new("at has ")
                    .number(place as usize)
                    .text(" after ")
                    .number(before as usize)
                    .text("; expected increasing positions"));
            }
            before = place;
            rest = others;
        }
        if let Err(problem) = check_factor(self.factor) {
            return Err(problem);
        }
        lasting(self.steps, self.epochs)
    }
}

impl Config for MultiStep {
    const NAME: &'static str = "MultiStep";
    const DEFAULT: Self = Self { at: &[], factor: 0.1, steps: 0, epochs: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("at", "the positions where the learning rate falls: `&[Epochs(30), Epochs(60)]`")];
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Phase for MultiStep {
    fn length(&self) -> Option<Interval> {
        length(self.steps, self.epochs)
    }

    fn rate(&self, j: u64, eta: f64, clock: Clock<'_>) -> f64 {
        let passed = self.at.partition_point(|at| at.in_steps(clock.epoch) <= j);
        eta * self.factor.powf(passed as f64)
    }

    fn check_start(&self, _: f64, clock: Clock<'_>) -> CheckResult {
        let last = self.at.last().map_or(0, |at| at.in_steps(clock.epoch));
        if last < clock.steps {
            return Ok(());
        }
        Err(CheckError::new("the last position in at is after ")
            .number(last as usize)
            .text(" steps, but the phase has ")
            .number(clock.steps as usize)
            .text(", so it is never reached; remove it or train longer"))
    }

    fn largest(&self, eta: f64, clock: Clock<'_>) -> f64 {
        larger_end(self, eta, clock)
    }
}

/// Leaks the list. A program reads its spec once, so this costs a few bytes.
fn kept<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static [Interval], D::Error> {
    Vec::deserialize(deserializer).map(|list: Vec<Interval>| &*list.leak())
}
