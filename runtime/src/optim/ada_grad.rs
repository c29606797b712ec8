//! AdaGrad.

use serde::{Deserialize, Serialize};
use trainspec_kernels::update;
use trainspec_kernels::update::UpdateRule;

use super::rules::{self, common, hold, penalties};
use super::{Decay, Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::config::Config;
use crate::keys::Facts;
use crate::shape::CheckResult;

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
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaGrad {
    /// The learning rate, above 0; 0.01 by default.
    pub lr: f64,
    /// How fast the learning rate falls, 0 or more; 0 by default. Prefer a schedule.
    pub lr_decay: f64,
    /// The initial sum of squares, 0 or more; 0 by default.
    pub initial_accumulator: f64,
    /// Added to the denominator for numerical stability, above 0; 1e-10 by default.
    pub eps: f64,
    /// Updates only the rows of embeddings that a batch reads. False by default.
    pub sparse: bool,
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

/// [`AdaGrad`](struct@AdaGrad) with every key at its default.
#[allow(non_upper_case_globals)]
pub const AdaGrad: AdaGrad = AdaGrad::DEFAULT;

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

impl Config for AdaGrad {
    const NAME: &'static str = "AdaGrad";
    const DEFAULT: Self = Self {
        lr: 0.01,
        lr_decay: 0.0,
        initial_accumulator: 0.0,
        eps: 1e-10,
        sparse: false,
        weight_decay: 0.0,
        l2: 0.0,
        l1: 0.0,
        decay: Decay::Matrices,
    };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
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
