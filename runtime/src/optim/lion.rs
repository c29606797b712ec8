//! Lion.

use trainspec_kernels::update::{self, UpdateRule};

use super::declaration::optimizer;
use super::rules::{self, common, hold, penalties};
use super::{Optimizer, Penalties, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::CheckResult;

optimizer! {
    /// Lion: changes each weight by the learning rate, with the sign of a running mean of the gradient.
    ///
    /// `w *= 1 - eta * weight_decay`; `w -= eta * sign(b1*m + (1 - b1)*g)`; `m = b2*m + (1 - b2)*g`; `sign(0) = 0`.
    /// Use a learning rate 3 to 10 times smaller than for `AdamW`, and a `weight_decay` larger by the same factor.
    ///
    /// # Source
    /// Chen et al. 2023.
    pub struct Lion {
        /// The learning rate, above 0; 1e-4 by default.
        pub lr: f64 = 1e-4,
        /// The weight of the mean in a step and the decay rate of the mean, each `0 <= beta < 1`; (0.9, 0.99) by default.
        pub betas: (f64, f64) = (0.9, 0.99),
    }
    /// Decoupled weight decay, multiplied by the learning rate, 0 or more; 0 by default.
    weight_decay = 0.0
}

impl Lion {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        hold!(rules::lr(self.lr));
        hold!(rules::betas(self.betas));
        rules::rated(self.lr, penalties!(self))
    }
}

impl Optimizer for Lion {
    type State = [f32; 1];
    const STATE: &'static [&'static str] = &["m"];

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-7, highest: 1e-3, source: "Chen et al. 2023: 1e-4" })
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        let (b1, b2) = self.betas;
        Some(UpdateRule::Lion(update::Lion {
            lr: step.lr as f32,
            b1: b1 as f32,
            b1_rest: (1.0 - b1) as f32,
            b2: b2 as f32,
            b2_rest: (1.0 - b2) as f32,
        }))
    }

    common!();
}
