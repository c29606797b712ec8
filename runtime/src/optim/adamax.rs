//! Adamax.

use trainspec_kernels::update::{self, UpdateRule};

use super::declaration::optimizer;
use super::math::correction;
use super::rules::{self, common, penalties};
use super::{Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::CheckResult;

optimizer! {
    /// Adam with the infinity norm: replaces the second moment by a decaying maximum of the gradient.
    ///
    /// `m = b1*m + (1 - b1)*g`; `u = max(b2*u, |g| + eps)`; `w -= eta / (1 - b1^t) * m / u`.
    ///
    /// # Source
    /// Kingma and Ba 2015, section 7.1; epsilon as in PyTorch.
    pub struct Adamax {
        /// The learning rate, above 0; 2e-3 by default.
        pub lr: f64 = 2e-3,
        /// The decay rates of the moments, each `0 <= beta < 1`; (0.9, 0.999) by default.
        pub betas: (f64, f64) = (0.9, 0.999),
        /// Added to the magnitude of each gradient, above 0; 1e-8 by default.
        pub eps: f64 = 1e-8,
    }
    l2
}

impl Adamax {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        rules::moments(self.lr, self.betas, self.eps, penalties!(self))
    }
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
