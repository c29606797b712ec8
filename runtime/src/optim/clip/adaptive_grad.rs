//! Each unit's gradient, by the size of its weights.

use serde::{Deserialize, Serialize};
use trainspec_kernels::grad_norm::global_norm;

use super::{Clip, Gradients, check_bound, factor};
use crate::config::Config;
use crate::error::Result;
use crate::optim::scaled::multiply;
use crate::shape::CheckResult;

/// Adaptive gradient clipping (AGC): bounds the norm of each unit's gradient by a part of the norm of its weights.
///
/// With the gradient `G` and the weights `W` of a unit: `G` stays as it is when `|G| <= factor * max(|W|, eps)`, and is
/// multiplied by `factor * max(|W|, eps) / |G|` otherwise.
///
/// A unit of a matrix or a kernel is what leads to one output, a slice along the first axis (of recurrent layers, to one
/// gate of one unit; of an embedding, one token's vector); a tensor of one axis, such as a bias, is one unit. As in the
/// paper, the last layer with a matrix or kernel, which is the classifier, is left out, its bias too.
///
/// # Source
/// Brock et al. 2021, "High-performance large-scale image recognition without normalization": 0.01 for batches of 4096,
/// up to 0.16 for small ones.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveGrad {
    /// The largest ratio of the norms, above 0; 0.01 by default.
    pub factor: f64,
    /// The least that the norm of weights counts for, so that weights of 0 can move; above 0, 1e-3 by default.
    pub eps: f64,
    /// Whether the last layer is clipped as well; false by default.
    pub last_layer: bool,
}

/// [`AdaptiveGrad`](struct@AdaptiveGrad) with every key at its default.
#[allow(non_upper_case_globals)]
pub const AdaptiveGrad: AdaptiveGrad = AdaptiveGrad::DEFAULT;

impl AdaptiveGrad {
    /// The ranges of the keys.
    pub const fn check(&self) -> CheckResult {
        if let Err(problem) = check_bound("factor", self.factor, "a ratio of norms") {
            return Err(problem);
        }
        check_bound("eps", self.eps, "a norm")
    }
}

impl Config for AdaptiveGrad {
    const NAME: &'static str = "AdaptiveGrad";
    const DEFAULT: Self = Self { factor: 0.01, eps: 1e-3, last_layer: false };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Clip for AdaptiveGrad {
    fn clip(&self, gradients: &mut Gradients<'_>) -> Result<()> {
        let left_out = if self.last_layer { 0..0 } else { gradients.last_layer() };
        gradients.each_unit(|unit| {
            if left_out.contains(&unit.parameter) {
                return;
            }
            let max = self.factor * global_norm([unit.weights]).max(self.eps);
            let factor = factor(global_norm([&*unit.gradient]), max);
            // Not even a product with 1 where nothing is to change.
            if factor < 1.0 {
                multiply(unit.gradient, factor);
            }
        })
    }

    fn keeps_signs(&self) -> bool {
        true
    }
}
