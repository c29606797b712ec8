//! Adamax.

use serde::{Deserialize, Serialize};
use trainspec_kernels::update;
use trainspec_kernels::update::UpdateRule;

use super::math::correction;
use super::rules::{self, common, penalties};
use super::{Decay, Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::config::Config;
use crate::keys::Facts;
use crate::shape::CheckResult;

/// Adam with the infinity norm: replaces the second moment by a decaying maximum of the gradient.
///
/// `m = b1*m + (1 - b1)*g`; `u = max(b2*u, |g| + eps)`; `w -= eta / (1 - b1^t) * m / u`.
///
/// # Source
/// Kingma and Ba 2015, section 7.1; epsilon as in PyTorch.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adamax {
    /// The learning rate, above 0; 2e-3 by default.
    pub lr: f64,
    /// The decay rates of the moments, each `0 <= beta < 1`; (0.9, 0.999) by default.
    pub betas: (f64, f64),
    /// Added to the magnitude of each gradient, above 0; 1e-8 by default.
    pub eps: f64,
    /// L2 penalty: adds `l2 * w` to the gradient (PyTorch's `weight_decay` of this optimizer), 0 or more; 0 by default.
    pub l2: f64,
    /// Decoupled weight decay, multiplied by the learning rate, 0 or more; 0 by default. `l2` is more common
    /// here.
    pub weight_decay: f64,
    /// L1 penalty: adds `l1 * sign(w)` to the gradient, 0 or more; 0 by default.
    pub l1: f64,
    /// Which parameters `l1`, `l2` and `weight_decay` apply to; matrices by default.
    pub decay: Decay,
}

/// [`Adamax`](struct@Adamax) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Adamax: Adamax = Adamax::DEFAULT;

impl Adamax {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        rules::moments(self.lr, self.betas, self.eps, penalties!(self))
    }
}

impl Config for Adamax {
    const NAME: &'static str = "Adamax";
    const DEFAULT: Self = Self {
        lr: 2e-3,
        betas: (0.9, 0.999),
        eps: 1e-8,
        weight_decay: 0.0,
        l2: 0.0,
        l1: 0.0,
        decay: Decay::Matrices,
    };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Optimizer for Adamax {
    type State = [f32; 2];
    const STATE: &'static [&'static str] = &["m", "u"];

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: false }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 2e-6, highest: 2e-2, source: "Kingma & Ba 2015: 2e-3" })
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        let (b1, b2) = self.betas;
        Some(UpdateRule::Adamax(update::Adamax {
            size: (step.lr / correction(b1, step.t)) as f32,
            eps: self.eps as f32,
            b1_rest: (1.0 - b1) as f32,
            b2: b2 as f32,
        }))
    }

    common!();
}
