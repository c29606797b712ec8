//! RMSprop.

use serde::{Deserialize, Serialize};
use trainspec_kernels::update;
use trainspec_kernels::update::UpdateRule;

use super::rules::{self, common, hold, penalties};
use super::{Decay, Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::config::Config;
use crate::keys::Facts;
use crate::shape::CheckResult;

/// RMSprop: divides each gradient by its running root mean square.
///
/// `v = alpha*v + (1 - alpha)*g^2`; `d = sqrt(v) + eps`, or with `centered` `a = alpha*a + (1 - alpha)*g` and
/// `d = sqrt(v - a^2) + eps`; `w -= eta * g / d`, or with momentum `b = momentum*b + g / d`; `w -= eta * b`.
/// State that the keys do not require is not stored.
///
/// # Source
/// Tieleman and Hinton 2012; centered, Graves 2013; in PyTorch's form, epsilon outside the root.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RmsProp {
    /// The learning rate, above 0; 0.01 by default.
    pub lr: f64,
    /// The decay rate of the mean square, `0 <= alpha < 1`; 0.99 by default.
    pub alpha: f64,
    /// Added to the denominator for numerical stability, above 0; 1e-8 by default.
    pub eps: f64,
    /// The momentum factor, `0 <= momentum < 1`; 0 by default.
    pub momentum: f64,
    /// Divides by the standard deviation of the gradient instead of its root mean square. False by default.
    pub centered: bool,
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

/// [`RmsProp`](struct@RmsProp) with every key at its default.
#[allow(non_upper_case_globals)]
pub const RmsProp: RmsProp = RmsProp::DEFAULT;

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

impl Config for RmsProp {
    const NAME: &'static str = "RmsProp";
    const DEFAULT: Self = Self {
        lr: 0.01,
        alpha: 0.99,
        eps: 1e-8,
        momentum: 0.0,
        centered: false,
        weight_decay: 0.0,
        l2: 0.0,
        l1: 0.0,
        decay: Decay::Matrices,
    };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
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
