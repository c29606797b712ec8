//! The policy for gradients that are not finite.

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::shape::{CheckError, CheckResult};

/// What to do at a step whose loss or gradients are not finite, for the key `on_non_finite`: [`Stop`], the default, or `Skip
/// { limit: 10 }`. In f16 the loss scale decides, and the key cannot be set.
///
/// A gradient whose square is too large for f32 after clipping, above 1.8e19, counts as not finite for an optimizer that keeps
/// squares, such as `Adam`.
///
/// A skipped step changes neither parameters nor running statistics nor the optimizer's state, and does not count as a
/// step of the schedule. Its samples are consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnNonFinite {
    /// The maximum number of consecutive skipped steps, at least 1; one more stops the run. Required.
    pub limit: u64,
}

pub use OnNonFinite as Skip;

/// The run stops with an error that names the first parameter whose gradient is not finite. Checkpoints are kept.
#[allow(non_upper_case_globals)]
pub const Stop: OnNonFinite = OnNonFinite { limit: 0 };

impl OnNonFinite {
    /// Checks the range of the limit.
    pub const fn check(&self) -> CheckResult {
        if self.limit == 0 {
            return Err(CheckError::new("limit is 0; expected at least 1 step, or `on_non_finite: Stop`"));
        }
        Ok(())
    }
}

/// Checks that the key is left out in f16, where the loss scale decides.
pub(super) const fn beside_loss_scale(rule: OnNonFinite, scales_loss: bool) -> CheckResult {
    if !scales_loss || rule.limit == Stop.limit {
        return Ok(());
    }
    Err(CheckError::new(
        "on_non_finite: has no effect in f16, which skips such steps; remove the key, or set `max_skips` of `F16`",
    ))
}

impl Config for OnNonFinite {
    const NAME: &'static str = "Skip";
    const DEFAULT: Self = Stop;
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("limit", "the maximum number of consecutive skipped steps")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}
