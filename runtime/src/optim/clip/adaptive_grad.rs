//! Adaptive gradient clipping.

use serde::{Deserialize, Serialize};

use super::{Clip, Gradients, check_bound};
use crate::config::Config;
use crate::error::Result;
use crate::optim::UnitClip;
use crate::shape::CheckResult;

/// Adaptive gradient clipping (AGC): clips the gradient norm of each unit to a fraction of the norm of its weights.
///
/// With the gradient `G` and the weights `W` of a unit: `G` does not change if `|G| <= factor * max(|W|, eps)`, and is
/// multiplied by `factor * max(|W|, eps) / |G|` otherwise.
///
/// A unit of a matrix or a kernel is a slice along the first axis: the weights of one output, of one gate of one unit in a
/// recurrent layer, or one token's vector in an embedding. A tensor with one axis, such as a bias, is one unit. As in the
/// paper, the last layer with a matrix or kernel (the classifier) is not clipped, including its bias.
///
/// # Source
/// Brock et al. 2021, "High-performance large-scale image recognition without normalization": 0.01 for batches of 4096,
/// up to 0.16 for small ones.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveGrad {
    /// The largest ratio of the norms, above 0; 0.01 by default.
    pub factor: f64,
    /// The lower bound for the norm of the weights, so that weights of 0 can change; above 0, 1e-3 by default.
    pub eps: f64,
    /// Whether to clip the last layer as well; false by default.
    pub last_layer: bool,
}

/// [`AdaptiveGrad`](struct@AdaptiveGrad) with every key at its default.
#[allow(non_upper_case_globals)]
pub const AdaptiveGrad: AdaptiveGrad = AdaptiveGrad::DEFAULT;

impl AdaptiveGrad {
    /// Checks the ranges of the keys.
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
        let left_out = if self.last_layer { &[] } else { gradients.last_layer() };
        gradients.clip_units(UnitClip::Adaptive { factor: self.factor, eps: self.eps }, left_out)
    }

    fn keeps_signs(&self) -> bool {
        true
    }
}
