//! LAMB: layer-wise adaptive Adam for large batches.

use trainspec_kernels::update::{self, UpdateRule};

use super::declaration::optimizer;
use super::math::correction;
use super::rules::{self, common, penalties};
use super::{Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::CheckResult;

optimizer! {
    /// LAMB: Adam whose step for each parameter is scaled to the norm of the parameter, times the learning rate.
    ///
    /// With `m'` and `v'`, the corrected moments of [`Adam`](struct@super::Adam), for a parameter tensor `w`:
    /// `r = m' / (sqrt(v') + eps) + weight_decay * w`; `w -= eta * |w| / |r| * r`, in Euclidean norms. If one of these is
    /// 0, as for a bias before its first step, their ratio is 1. `weight_decay` is part of the direction here, as
    /// in the paper; with `decay: All` it applies to every parameter.
    ///
    /// # Source
    /// You et al. 2020, with `phi` the identity.
    pub struct Lamb {
        /// The learning rate, above 0; 1e-3 by default.
        pub lr: f64 = 1e-3,
        /// The decay rates of the moments, each `0 <= beta < 1`; (0.9, 0.999) by default.
        pub betas: (f64, f64) = (0.9, 0.999),
        /// Added to the denominator for numerical stability, above 0; 1e-6 by default.
        pub eps: f64 = 1e-6,
    }
    /// Weight decay: adds `weight_decay * w` to the direction before its norm is computed, 0 or more; 0.01 by default.
    weight_decay = 0.01
}

impl Lamb {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        rules::moments(self.lr, self.betas, self.eps, penalties!(self))
    }
}

impl Optimizer for Lamb {
    type State = [f32; 2];
    const STATE: &'static [&'static str] = &["m", "v"];
    const DECAYS_ITSELF: bool = true;
    const LAYERWISE: bool = true;

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: false }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-6, highest: 4e-2, source: "You et al. 2020: 0.04 for 32,768 samples" })
    }

    fn trust(&self, _: UpdateStep, weights: f64, direction: f64) -> f64 {
        if weights > 0.0 && direction > 0.0 { weights / direction } else { 1.0 }
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        let (b1, b2) = self.betas;
        Some(UpdateRule::Lamb(update::Lamb {
            step: (step.lr * step.trust) as f32,
            size: (1.0 / correction(b1, step.t)) as f32,
            root: correction(b2, step.t).sqrt() as f32,
            eps: self.eps as f32,
            decay: step.weight_decay as f32,
            b1_rest: (1.0 - b1) as f32,
            b2: b2 as f32,
            b2_rest: (1.0 - b2) as f32,
        }))
    }

    common!();
}
