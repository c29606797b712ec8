//! AdaDelta.

use serde::{Deserialize, Serialize};
use trainspec_kernels::update;
use trainspec_kernels::update::UpdateRule;

use super::rules::{self, common, hold, penalties};
use super::{Decay, Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::config::Config;
use crate::keys::Facts;
use crate::shape::CheckResult;

/// AdaDelta: divides each gradient by its running root mean square and multiplies it by that of the previous updates.
///
/// `v = rho*v + (1 - rho)*g^2`; `d = sqrt(u + eps) / sqrt(v + eps) * g`; `u = rho*u + (1 - rho)*d^2`;
/// `w -= eta * d`.
///
/// # Source
/// Zeiler 2012, where the learning rate is 1; epsilon inside both roots, as in PyTorch.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaDelta {
    /// The learning rate, above 0; 1 by default.
    pub lr: f64,
    /// The decay rate of the mean squares, `0 <= rho < 1`; 0.9 by default.
    pub rho: f64,
    /// Added inside the roots, above 0; 1e-6 by default.
    pub eps: f64,
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

/// [`AdaDelta`](struct@AdaDelta) with every key at its default.
#[allow(non_upper_case_globals)]
pub const AdaDelta: AdaDelta = AdaDelta::DEFAULT;

impl AdaDelta {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        hold!(rules::lr(self.lr));
        hold!(rules::fraction("rho", self.rho));
        hold!(rules::eps(self.eps));
        rules::rated(self.lr, penalties!(self))
    }
}

impl Config for AdaDelta {
    const NAME: &'static str = "AdaDelta";
    const DEFAULT: Self =
        Self { lr: 1.0, rho: 0.9, eps: 1e-6, weight_decay: 0.0, l2: 0.0, l1: 0.0, decay: Decay::Matrices };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
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
