//! Rectified Adam.

use trainspec_kernels::update::{self, UpdateRule};

use super::declaration::optimizer;
use super::math::correction;
use super::rules::{self, common, penalties};
use super::{Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::CheckResult;

optimizer! {
    /// Rectified Adam: takes smaller steps while the second moment is estimated from few gradients.
    ///
    /// With `rho_inf = 2 / (1 - b2) - 1` and `rho_t = rho_inf - 2 t b2^t / (1 - b2^t)`: `m` and `v` as in
    /// [`Adam`](struct@super::Adam), `m' = m / (1 - b1^t)`. While `rho_t <= 5`, `w -= eta * m'`; later
    /// `w -= eta * m' * r * sqrt(1 - b2^t) / (sqrt(v) + eps)` with
    /// `r = sqrt((rho_t - 4)(rho_t - 2) rho_inf / ((rho_inf - 4)(rho_inf - 2) rho_t))`.
    ///
    /// # Source
    /// Liu et al. 2020, in PyTorch's form, which has the threshold 5 of the authors' code and epsilon in the uncorrected
    /// root.
    pub struct RAdam {
        /// The learning rate, above 0; 1e-3 by default.
        pub lr: f64 = 1e-3,
        /// The decay rates of the moments, each `0 <= beta < 1`; (0.9, 0.999) by default.
        pub betas: (f64, f64) = (0.9, 0.999),
        /// Added to the denominator for numerical stability, above 0; 1e-8 by default.
        pub eps: f64 = 1e-8,
    }
    l2
}

impl RAdam {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        rules::moments(self.lr, self.betas, self.eps, penalties!(self))
    }
}

impl Optimizer for RAdam {
    type State = [f32; 2];
    const STATE: &'static [&'static str] = &["m", "v"];

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: true }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-6, highest: 1e-1, source: "Liu et al. 2020: 3e-4 to 0.1" })
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        let (b1, b2) = self.betas;
        let below = correction(b2, step.t);
        let longest = 2.0 / (1.0 - b2) - 1.0;
        let length = longest - 2.0 * step.t as f64 * b2.powf(step.t as f64) / below;
        // The rectification term, once there are enough gradients.
        let rectified = (length > 5.0).then(|| {
            let rectification =
                (length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length);
            (below.sqrt() as f32, rectification.sqrt() as f32)
        });
        let (root, rectification) = rectified.unwrap_or((1.0, 1.0));
        Some(UpdateRule::RAdam(update::RAdam {
            lr: step.lr as f32,
            correction: correction(b1, step.t) as f32,
            is_rectified: rectified.is_some(),
            root,
            rectification,
            eps: self.eps as f32,
            b1_rest: (1.0 - b1) as f32,
            b2: b2 as f32,
            b2_rest: (1.0 - b2) as f32,
        }))
    }

    common!();
}
