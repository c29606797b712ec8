//! Elementwise clipping.

use serde::{Deserialize, Serialize};

use super::{Clip, Gradients, check_bound};
use crate::config::Config;
use crate::error::Result;
use crate::shape::CheckResult;

/// Clips each element of the gradients to `max(-max, min(g, max))`, as PyTorch's `clip_grad_value_`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipValue {
    /// The largest magnitude of an element, above 0; required.
    pub max: f64,
}

impl ClipValue {
    /// Checks the range of the bound.
    pub const fn check(&self) -> CheckResult {
        check_bound("max", self.max, "a size")
    }
}

impl Config for ClipValue {
    const NAME: &'static str = "ClipValue";
    const DEFAULT: Self = Self { max: 0.0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("max", "the largest absolute value of a gradient element")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Clip for ClipValue {
    fn clip(&self, gradients: &mut Gradients<'_>) -> Result<()> {
        gradients.bound(self.max);
        Ok(())
    }

    fn keeps_signs(&self) -> bool {
        true
    }
}
