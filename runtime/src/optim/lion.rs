//! Steps of one size, by the sign of a momentum.

use serde::{Deserialize, Serialize};

use super::math::sign;
use super::rules::{self, hold, penalties};
use super::{Decay, Optimizer, Penalties, UpdateStep, UsualRates};
use crate::config::Config;
use crate::keys::Facts;
use crate::shape::CheckResult;

/// Steps of one size for all weights, by the sign of the gradient's fading mean.
///
/// `w *= 1 - eta * weight_decay`; `w -= eta * sign(b1*m + (1 - b1)*g)`; `m = b2*m + (1 - b2)*g`; `sign(0) = 0`.
/// The rate wants to be 3 to 10 times smaller than `AdamW`'s, and `weight_decay` larger by as much.
///
/// # Source
/// Chen et al. 2023.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lion {
    /// The learning rate, above 0; 1e-4 by default.
    pub lr: f64,
    /// How much of the mean counts in a step, and how much of it stays, each `0 <= beta < 1`; (0.9, 0.99) by default.
    pub betas: (f64, f64),
    /// How much of a weight goes at each step, as a multiple of the rate, 0 or more; 0 by default.
    pub weight_decay: f64,
    /// Times the weight, added to the gradient, 0 or more; 0 by default. `weight_decay` is what is usual here.
    pub l2: f64,
    /// Times the weight's sign, added to the gradient, 0 or more; 0 by default.
    pub l1: f64,
    /// Which parameters `l1`, `l2` and `weight_decay` touch; matrices by default.
    pub decay: Decay,
}

/// [`Lion`](struct@Lion) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Lion: Lion = Lion::DEFAULT;

impl Lion {
    /// The ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        hold!(rules::lr(self.lr));
        hold!(rules::betas(self.betas));
        rules::rated(self.lr, penalties!(self))
    }
}

impl Config for Lion {
    const NAME: &'static str = "Lion";
    const DEFAULT: Self =
        Self { lr: 1e-4, betas: (0.9, 0.99), weight_decay: 0.0, l2: 0.0, l1: 0.0, decay: Decay::Matrices };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Optimizer for Lion {
    type State = [f32; 1];
    const STATE: &'static [&'static str] = &["m"];

    fn lr(&self) -> f64 {
        self.lr
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-7, highest: 1e-3, source: "Chen et al. 2023: 1e-4" })
    }

    fn penalties(&self) -> Penalties {
        penalties!(self)
    }

    fn rule(&self, step: UpdateStep) -> impl Fn(f32, f32, &mut [f32; 1]) -> f32 {
        let (b1, b2) = self.betas;
        let (b1_rest, b2_rest) = ((1.0 - b1) as f32, (1.0 - b2) as f32);
        let (lr, b1, b2) = (step.lr as f32, b1 as f32, b2 as f32);
        move |w, g, [m]| {
            let direction = b1 * *m + b1_rest * g;
            *m = b2 * *m + b2_rest * g;
            w - lr * sign(direction)
        }
    }
}
