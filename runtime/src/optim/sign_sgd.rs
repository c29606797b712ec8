//! SignSGD.

use trainspec_kernels::update::{self, UpdateRule};

use super::declaration::optimizer;
use super::rules::{self, common, hold, penalties};
use super::{Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::CheckResult;

optimizer! {
    /// SignSGD: changes each weight by the learning rate, with the sign of the gradient, or of its running mean with momentum.
    ///
    /// `m = momentum*m + (1 - momentum)*g`; `w -= eta * sign(m)`; `sign(0) = 0`. Without momentum there is no state. With
    /// `l1`, weights whose gradient is smaller than `l1` go to 0.
    ///
    /// # Source
    /// Bernstein et al. 2018, who call it Signum with momentum: the mean is taken before the sign.
    pub struct SignSgd {
        /// The learning rate, above 0; 1e-4 by default.
        pub lr: f64 = 1e-4,
        /// The decay rate of the mean, `0 <= momentum < 1`; 0 by default.
        pub momentum: f64 = 0.0,
    }
    /// Decoupled weight decay, multiplied by the learning rate, 0 or more; 0 by default.
    weight_decay = 0.0
}

impl SignSgd {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        hold!(rules::lr(self.lr));
        hold!(rules::fraction("momentum", self.momentum));
        rules::rated(self.lr, penalties!(self))
    }
}

impl Optimizer for SignSgd {
    type State = [f32; 1];
    const STATE: &'static [&'static str] = &["m"];

    fn step_size(&self) -> StepSize {
        if self.momentum == 0.0 { StepSize::Sign } else { StepSize::Other }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-7, highest: 1e-3, source: "Bernstein et al. 2018: 1e-4" })
    }

    fn state_names(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { Self::STATE }
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        Some(UpdateRule::SignSgd(update::SignSgd {
            lr: step.lr as f32,
            momentum: self.momentum as f32,
            rest: (1.0 - self.momentum) as f32,
        }))
    }

    common!();
}
