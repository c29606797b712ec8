//! LARS: layer-wise adaptive gradient descent for large batches.

use trainspec_kernels::update::{self, UpdateRule};

use super::declaration::optimizer;
use super::rules::{self, common, hold, penalties};
use super::{Optimizer, Penalties, UpdateStep};
use crate::keys::Facts;
use crate::shape::CheckResult;

optimizer! {
    /// LARS: gradient descent whose step for each parameter is scaled to a fraction of the norm of the parameter.
    ///
    /// For a parameter tensor `w` with gradient `g`: `a = trust * |w| / (|g| + weight_decay * |w|)`, in Euclidean norms;
    /// `v = momentum*v + a * (g + weight_decay * w)`; `w -= eta * v`. If one of the norms is 0, as for a bias before its
    /// first step, `a` is 1. `weight_decay` is part of the direction here, as in the paper; `l2` is added to `g` before its
    /// norm is computed.
    ///
    /// # Source
    /// You et al. 2017. There the velocity includes the learning rate; here the learning rate multiplies the velocity when it is
    /// applied, as in [`Sgd`](struct@super::Sgd), so a change takes effect at once. With a constant learning rate both are
    /// equivalent.
    pub struct Lars {
        /// The learning rate, above 0; 0.1 by default.
        pub lr: f64 = 0.1,
        /// The momentum factor, `0 <= momentum < 1`; 0.9 by default.
        pub momentum: f64 = 0.9,
        /// The trust coefficient: the norm of a step for a parameter of norm 1 at learning rate 1, above 0; 1e-3 by default.
        pub trust: f64 = 1e-3,
    }
    /// Weight decay: adds `weight_decay * w` to the gradient, and its norm to that of the gradient, 0 or more; 0 by default.
    weight_decay = 0.0
}

impl Lars {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        hold!(rules::lr(self.lr));
        hold!(rules::fraction("momentum", self.momentum));
        hold!(rules::above_zero("trust", self.trust));
        rules::rated(self.lr, penalties!(self))
    }
}

impl Optimizer for Lars {
    type State = [f32; 1];
    const STATE: &'static [&'static str] = &["v"];
    const DECAYS_ITSELF: bool = true;
    const LAYERWISE: bool = true;

    fn state_names(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { Self::STATE }
    }

    fn trust(&self, step: UpdateStep, weights: f64, gradient: f64) -> f64 {
        if weights > 0.0 && gradient > 0.0 {
            self.trust * weights / (gradient + step.weight_decay * weights)
        } else {
            1.0
        }
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        Some(UpdateRule::Lars(update::Lars {
            lr: step.lr as f32,
            trust: step.trust as f32,
            momentum: self.momentum as f32,
            decay: step.weight_decay as f32,
        }))
    }

    common!();
}
