//! AdaGrad.

use trainspec_kernels::update::{self, UpdateRule};

use super::declaration::optimizer;
use super::rules::{self, common, hold, penalties};
use super::{Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::CheckResult;

optimizer! {
    /// AdaGrad: divides each gradient by the square root of the sum of all its previous squares.
    ///
    /// `s += g^2`; `w -= eta / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)`.
    ///
    /// With `sparse`, only the rows of an [embedding](crate::layer::Embedding) that the batch reads are updated. The results are
    /// the same with less work, because a row without a gradient does not change. If `l1`, `l2` or `weight_decay` apply to an
    /// embedding, every row is updated.
    ///
    /// # Source
    /// Duchi et al. 2011, in PyTorch's form.
    pub struct AdaGrad {
        /// The learning rate, above 0; 0.01 by default.
        pub lr: f64 = 0.01,
        /// How fast the learning rate falls, 0 or more; 0 by default. Prefer a schedule.
        pub lr_decay: f64 = 0.0,
        /// The initial sum of squares, 0 or more; 0 by default.
        pub initial_accumulator: f64 = 0.0,
        /// Added to the denominator for numerical stability, above 0; 1e-10 by default.
        pub eps: f64 = 1e-10,
        /// Updates only the rows of embeddings that a batch reads. False by default.
        pub sparse: bool = false,
    }
    l2
}

impl AdaGrad {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        hold!(rules::lr(self.lr));
        hold!(rules::not_negative("lr_decay", self.lr_decay));
        hold!(rules::not_negative("initial_accumulator", self.initial_accumulator));
        hold!(rules::eps(self.eps));
        rules::rated(self.lr, penalties!(self))
    }
}

impl Optimizer for AdaGrad {
    type State = [f32; 1];
    const STATE: &'static [&'static str] = &["sum"];

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: false }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-5, highest: 1.0, source: "PyTorch: 1e-2; Keras: up to 1" })
    }

    fn initial_state(&self, _: usize) -> f32 {
        self.initial_accumulator as f32
    }

    fn is_sparse(&self) -> bool {
        self.sparse
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        let lr = (step.lr / (1.0 + (step.t - 1) as f64 * self.lr_decay)) as f32;
        Some(UpdateRule::AdaGrad(update::AdaGrad { lr, eps: self.eps as f32 }))
    }

    common!();
}
