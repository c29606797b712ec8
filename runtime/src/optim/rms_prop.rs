//! RMSprop.

use trainspec_kernels::update::{self, UpdateRule};

use super::declaration::optimizer;
use super::rules::{self, common, hold, penalties};
use super::{Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::CheckResult;

optimizer! {
    /// RMSprop: divides each gradient by its running root mean square.
    ///
    /// `v = alpha*v + (1 - alpha)*g^2`; `d = sqrt(v) + eps`, or with `centered` `a = alpha*a + (1 - alpha)*g` and
    /// `d = sqrt(v - a^2) + eps`; `w -= eta * g / d`, or with momentum `b = momentum*b + g / d`; `w -= eta * b`.
    /// State that the keys do not require is not stored.
    ///
    /// # Source
    /// Tieleman and Hinton 2012; centered, Graves 2013; in PyTorch's form, epsilon outside the root.
    pub struct RmsProp {
        /// The learning rate, above 0; 0.01 by default.
        pub lr: f64 = 0.01,
        /// The decay rate of the mean square, `0 <= alpha < 1`; 0.99 by default.
        pub alpha: f64 = 0.99,
        /// Added to the denominator for numerical stability, above 0; 1e-8 by default.
        pub eps: f64 = 1e-8,
        /// The momentum factor, `0 <= momentum < 1`; 0 by default.
        pub momentum: f64 = 0.0,
        /// Divides by the standard deviation of the gradient instead of its root mean square. False by default.
        pub centered: bool = false,
    }
    l2
}

impl RmsProp {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        hold!(rules::lr(self.lr));
        hold!(rules::fraction("alpha", self.alpha));
        hold!(rules::eps(self.eps));
        hold!(rules::fraction("momentum", self.momentum));
        rules::rated(self.lr, penalties!(self))
    }
}

impl Optimizer for RmsProp {
    type State = [f32; 3];
    const STATE: &'static [&'static str] = &["v", "a", "b"];

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: false }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-6, highest: 1e-1, source: "PyTorch: 1e-2" })
    }

    fn state_names(&self) -> &'static [&'static str] {
        match (self.centered, self.momentum == 0.0) {
            (false, true) => &["v"],
            (false, false) => &["v", "b"],
            (true, true) => &["v", "a"],
            (true, false) => Self::STATE,
        }
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        Some(UpdateRule::RmsProp(update::RmsProp {
            lr: step.lr as f32,
            alpha: self.alpha as f32,
            rest: (1.0 - self.alpha) as f32,
            eps: self.eps as f32,
            momentum: self.momentum as f32,
            moves: self.momentum != 0.0,
            centered: self.centered,
        }))
    }

    common!();
}
