//! Clipping by the norm of each gradient.

use serde::{Deserialize, Serialize};

use super::{Clip, Gradients, check_bound, factor};
use crate::config::Config;
use crate::error::Result;
use crate::shape::CheckResult;

/// Clips the Euclidean norm of each parameter's gradient separately to `max`.
///
/// A gradient does not change if its `norm <= max`, and is multiplied by `max / norm` otherwise. Unlike
/// [`GlobalNorm`](super::GlobalNorm), this changes the direction of the step.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerParameter {
    /// The largest norm of one parameter's gradient, above 0; required.
    pub max: f64,
}

impl PerParameter {
    /// Checks the range of the norm.
    pub const fn check(&self) -> CheckResult {
        check_bound("max", self.max, "a norm")
    }
}

impl Config for PerParameter {
    const NAME: &'static str = "PerParameter";
    const DEFAULT: Self = Self { max: 0.0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("max", "the largest norm of one parameter's gradient")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Clip for PerParameter {
    fn clip(&self, gradients: &mut Gradients<'_>) -> Result<()> {
        for parameter in 0..gradients.norms().len() {
            gradients.scale(parameter, factor(gradients.norms()[parameter], self.max));
        }
        Ok(())
    }

    fn keeps_signs(&self) -> bool {
        true
    }
}
