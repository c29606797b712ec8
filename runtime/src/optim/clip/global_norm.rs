//! Clipping by the global norm.

use serde::{Deserialize, Serialize};

use super::{Clip, Gradients, check_bound, factor};
use crate::config::Config;
use crate::error::Result;
use crate::shape::CheckResult;

/// Clips the global gradient norm, the Euclidean norm of all gradients, to `max`.
///
/// Gradients do not change if `norm <= max`, and are multiplied by `max / norm` otherwise. (PyTorch
/// divides by `norm + 1e-6`, which is not the identity at the bound.)
///
/// # Source
/// Pascanu et al. 2013.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalNorm {
    /// The largest norm, above 0; required.
    pub max: f64,
}

impl GlobalNorm {
    /// Checks the range of the norm.
    pub const fn check(&self) -> CheckResult {
        check_bound("max", self.max, "a norm")
    }

    /// Returns the factor for all gradients if their norm is `norm`.
    #[must_use]
    pub fn factor(&self, norm: f64) -> f64 {
        factor(norm, self.max)
    }
}

impl Config for GlobalNorm {
    const NAME: &'static str = "GlobalNorm";
    const DEFAULT: Self = Self { max: 0.0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("max", "the largest norm of all gradients together")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Clip for GlobalNorm {
    fn clip(&self, gradients: &mut Gradients<'_>) -> Result<()> {
        gradients.scale_all(self.factor(gradients.norm()));
        Ok(())
    }

    fn keeps_signs(&self) -> bool {
        true
    }
}
