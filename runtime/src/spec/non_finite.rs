//! What happens when gradients are not finite.

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::shape::{CheckError, CheckResult};

/// What a step does whose loss or gradients are not finite, for the key `on_non_finite`: [`Stop`], the default, or `Skip
/// { limit: 10 }`. In f16 the loss scale decides, and the key may not be given.
///
/// A gradient whose square is too large for f32 after clipping, above 1.8e19, counts as not finite for an optimizer that keeps
/// squares, such as `Adam`.
///
/// A step that is skipped changes nothing: not parameters nor running statistics nor the optimizer's state, and it is no
/// step of the schedule. Its samples are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnNonFinite {
    /// The most steps in a row that are skipped, at least 1; one more stops the run. Required.
    pub limit: u64,
}

pub use OnNonFinite as Skip;

/// The run stops with an error that names the first parameter whose gradient is not finite. Checkpoints stay as they
/// are.
#[allow(non_upper_case_globals)]
pub const Stop: OnNonFinite = OnNonFinite { limit: 0 };

impl OnNonFinite {
    /// The range of the limit.
    pub const fn check(&self) -> CheckResult {
        if self.limit == 0 {
            return Err(CheckError::new("limit is 0; expected at least 1 step, or `on_non_finite: Stop`"));
        }
        Ok(())
    }
}

/// That the key is left out where the loss scale decides.
pub(super) const fn beside_loss_scale(rule: OnNonFinite, scales_loss: bool) -> CheckResult {
    if !scales_loss || rule.limit == Stop.limit {
        return Ok(());
    }
    Err(CheckError::new(
        "on_non_finite: in f16 the loss scale decides; remove the key, or set `max_skips` of `F16`",
    ))
}

impl Config for OnNonFinite {
    const NAME: &'static str = "Skip";
    const DEFAULT: Self = Stop;
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("limit", "the most steps in a row that are skipped")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}
