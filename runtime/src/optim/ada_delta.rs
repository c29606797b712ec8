//! AdaDelta.

use trainspec_kernels::update::{self, UpdateRule};

use super::declaration::optimizer;
use super::rules::{self, common, hold, penalties};
use super::{Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::CheckResult;

optimizer! {
    /// AdaDelta: divides each gradient by its running root mean square and multiplies it by that of the previous updates.
    ///
    /// `v = rho*v + (1 - rho)*g^2`; `d = sqrt(u + eps) / sqrt(v + eps) * g`; `u = rho*u + (1 - rho)*d^2`;
    /// `w -= eta * d`.
    ///
    /// # Source
    /// Zeiler 2012, where the learning rate is 1; epsilon inside both roots, as in PyTorch.
    pub struct AdaDelta {
        /// The learning rate, above 0; 1 by default.
        pub lr: f64 = 1.0,
        /// The decay rate of the mean squares, `0 <= rho < 1`; 0.9 by default.
        pub rho: f64 = 0.9,
        /// Added inside the roots, above 0; 1e-6 by default.
        pub eps: f64 = 1e-6,
    }
    l2
}

impl AdaDelta {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        hold!(rules::lr(self.lr));
        hold!(rules::fraction("rho", self.rho));
        hold!(rules::eps(self.eps));
        rules::rated(self.lr, penalties!(self))
    }
}

impl Optimizer for AdaDelta {
    type State = [f32; 2];
    const STATE: &'static [&'static str] = &["v", "u"];

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: false }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-3, highest: 1.0, source: "Zeiler 2012: 1" })
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        Some(UpdateRule::AdaDelta(update::AdaDelta {
            lr: step.lr as f32,
            rho: self.rho as f32,
            rest: (1.0 - self.rho) as f32,
            eps: self.eps as f32,
        }))
    }

    common!();
}
