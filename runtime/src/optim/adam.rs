//! Adam.

use serde::{Deserialize, Serialize};

use super::moments::adam;
use super::rules::{self, penalties};
use super::{Decay, Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::config::Config;
use crate::keys::Facts;
use crate::shape::CheckResult;

/// Adam: the rate of each weight by its gradient's first and second moment.
///
/// At step `t`, with rate `eta` and gradient `g`: `m = b1*m + (1 - b1)*g`; `v = b2*v + (1 - b2)*g^2`;
/// `w -= eta * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)`.
///
/// With `amsgrad` (Reddi et al. 2018), `u = max(u, v)` over the raw second moments stands for `v` in the last line:
/// the correction `1 - b2^t` is that of the present step. This is PyTorch's form; the paper has no corrections, and a
/// maximum of corrected moments would be another method.
///
/// For decay use [`AdamW`](struct@super::AdamW): an `l2` here is divided by the second moment like the rest of the gradient, so
/// that it hardly acts where gradients are large.
///
/// # Source
/// Kingma and Ba 2015; epsilon outside the corrected root, as in PyTorch.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// The learning rate, above 0; 1e-3 by default.
    pub lr: f64,
    /// How much of the moments stays at each step, each `0 <= beta < 1`; (0.9, 0.999) by default.
    pub betas: (f64, f64),
    /// Added to the root, above 0; 1e-8 by default.
    pub eps: f64,
    /// Divides by the largest second moment so far instead of the present one; it is kept beside the others only
    /// then. False by default.
    pub amsgrad: bool,
    /// Times the weight, added to the gradient (what PyTorch calls `weight_decay` here), 0 or more; 0 by default.
    pub l2: f64,
    /// How much of a weight goes at each step, as a multiple of the rate, 0 or more; 0 by default. `l2` is what is
    /// usual here.
    pub weight_decay: f64,
    /// Times the weight's sign, added to the gradient, 0 or more; 0 by default.
    pub l1: f64,
    /// Which parameters `l1`, `l2` and `weight_decay` touch; matrices by default.
    pub decay: Decay,
}

/// [`Adam`](struct@Adam) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Adam: Adam = Adam::DEFAULT;

impl Adam {
    /// The ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        rules::moments(self.lr, self.betas, self.eps, penalties!(self))
    }
}

impl Config for Adam {
    const NAME: &'static str = "Adam";
    const DEFAULT: Self = Self {
        lr: 1e-3,
        betas: (0.9, 0.999),
        eps: 1e-8,
        amsgrad: false,
        weight_decay: 0.0,
        l2: 0.0,
        l1: 0.0,
        decay: Decay::Matrices,
    };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Optimizer for Adam {
    type State = [f32; 3];
    const STATE: &'static [&'static str] = &["m", "v", "v_max"];

    fn lr(&self) -> f64 {
        self.lr
    }

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: false }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-6, highest: 1e-2, source: "Kingma & Ba 2015: 1e-3" })
    }

    fn penalties(&self) -> Penalties {
        penalties!(self)
    }

    fn state_names(&self) -> &'static [&'static str] {
        &Self::STATE[..if self.amsgrad { 3 } else { 2 }]
    }

    fn rule(&self, step: UpdateStep) -> impl Fn(f32, f32, &mut [f32; 3]) -> f32 {
        adam(self.betas, self.eps, step)
    }
}
