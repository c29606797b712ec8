//! Adam.

use trainspec_kernels::update::UpdateRule;

use super::declaration::optimizer;
use super::moments::adam;
use super::rules::{self, common, penalties};
use super::{Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::CheckResult;

optimizer! {
    /// Adam: scales each step by the first and second moments of the gradient.
    ///
    /// At step `t`, with learning rate `eta` and gradient `g`: `m = b1*m + (1 - b1)*g`; `v = b2*v + (1 - b2)*g^2`;
    /// `w -= eta * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)`.
    ///
    /// With `amsgrad` (Reddi et al. 2018), `u = max(u, v)` over the raw second moments replaces `v` in the last line, and
    /// the correction `1 - b2^t` is that of the current step. This is PyTorch's form; the paper has no bias correction, and a
    /// maximum of corrected moments would be a different method.
    ///
    /// For weight decay use [`AdamW`](struct@super::AdamW): the second moment also divides the `l2` term of the gradient, so it has
    /// little effect where gradients are large.
    ///
    /// # Source
    /// Kingma and Ba 2015; epsilon outside the corrected root, as in PyTorch.
    pub struct Adam {
        /// The learning rate, above 0; 1e-3 by default.
        pub lr: f64 = 1e-3,
        /// The decay rates of the moments, each `0 <= beta < 1`; (0.9, 0.999) by default.
        pub betas: (f64, f64) = (0.9, 0.999),
        /// Added to the denominator for numerical stability, above 0; 1e-8 by default.
        pub eps: f64 = 1e-8,
        /// Divides by the largest second moment so far instead of the current one. Adds one state value per element. False
        /// by default.
        pub amsgrad: bool = false,
    }
    l2
}

impl Adam {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        rules::moments(self.lr, self.betas, self.eps, penalties!(self))
    }
}

impl Optimizer for Adam {
    type State = [f32; 3];
    const STATE: &'static [&'static str] = &["m", "v", "v_max"];

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: false }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-6, highest: 1e-2, source: "Kingma & Ba 2015: 1e-3" })
    }

    fn state_names(&self) -> &'static [&'static str] {
        &Self::STATE[..if self.amsgrad { 3 } else { 2 }]
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        Some(adam(self.betas, self.eps, step))
    }

    common!();
}
