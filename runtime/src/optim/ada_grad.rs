//! Gradients over the root of the sum of their squares.

use serde::{Deserialize, Serialize};

use super::rules::{self, hold, penalties};
use super::{Decay, Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::config::Config;
use crate::keys::Facts;
use crate::shape::CheckResult;

/// Gradient descent with each gradient over the root of the sum of all its squares.
///
/// `s += g^2`; `w -= eta / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)`.
///
/// With `sparse`, only those rows of an [embedding](crate::layer::Embedding) are updated that the batch reads, which gives
/// the same numbers with less work: a row without a gradient does not move. Where `l1`, `l2` or `weight_decay` touch an
/// embedding every row moves, and every row is updated.
///
/// # Source
/// Duchi et al. 2011, in PyTorch's form.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaGrad {
    /// The learning rate, above 0; 0.01 by default.
    pub lr: f64,
    /// How much the rate falls with each step, 0 or more; 0 by default. A schedule says the same better.
    pub lr_decay: f64,
    /// The sum of squares before the first step, 0 or more; 0 by default.
    pub initial_accumulator: f64,
    /// Added to the root, above 0; 1e-10 by default.
    pub eps: f64,
    /// Updates only those rows of embeddings that a batch reads. False by default.
    pub sparse: bool,
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

/// [`AdaGrad`](struct@AdaGrad) with every key at its default.
#[allow(non_upper_case_globals)]
pub const AdaGrad: AdaGrad = AdaGrad::DEFAULT;

impl AdaGrad {
    /// The ranges of the keys.
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

    fn lr(&self) -> f64 {
        self.lr
    }

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: false }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-5, highest: 1.0, source: "PyTorch: 1e-2; Keras: up to 1" })
    }

    fn penalties(&self) -> Penalties {
        penalties!(self)
    }

    fn initial_state(&self, _: usize) -> f32 {
        self.initial_accumulator as f32
    }

    fn is_sparse(&self) -> bool {
        self.sparse
    }

    fn rule(&self, step: UpdateStep) -> impl Fn(f32, f32, &mut [f32; 1]) -> f32 {
        let lr = (step.lr / (1.0 + (step.t - 1) as f64 * self.lr_decay)) as f32;
        let eps = self.eps as f32;
        move |w, g, [sum]| {
            *sum += g * g;
            w - lr * g / (sum.sqrt() + eps)
        }
    }
}
