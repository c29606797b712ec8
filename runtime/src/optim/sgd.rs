//! Stochastic gradient descent.

use serde::{Deserialize, Serialize};

use super::{Decay, Optimizer, UpdateStep};
use crate::config::Config;
use crate::layer::Role;
use crate::shape::{Problem, Verdict};

/// Gradient descent, with momentum if wanted.
///
/// With rate `eta` and gradient `g`: `w *= 1 - eta * weight_decay`; `g += l2 * w`;
/// `v = g` at the first step, later `v = momentum * v + (1 - dampening) * g`;
/// `w -= eta * v`, or with Nesterov `w -= eta * (g + momentum * v)`. Without momentum, `w -= eta * g`.
///
/// # Source
/// Sutskever et al. 2013, in PyTorch's form: the rate multiplies the velocity when it is applied.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sgd {
    /// The learning rate, above 0; 0.01 by default.
    pub lr: f64,
    /// How much of the velocity stays at each step: `0 <= momentum < 1`; 0 by default.
    pub momentum: f64,
    /// How much less of the gradient goes into the velocity: `0 <= dampening < 1`; 0 by default.
    pub dampening: f64,
    /// Looks ahead by one step of the velocity; needs momentum, and no dampening. False by default.
    pub nesterov: bool,
    /// Times the weight, added to the gradient (what PyTorch's `SGD` calls `weight_decay`); 0 by default.
    pub l2: f64,
    /// How much of a weight goes at each step, as a multiple of the rate; 0 by default.
    pub weight_decay: f64,
    /// Which parameters `l2` and `weight_decay` touch; matrices by default.
    pub decay: Decay,
}

impl Sgd {
    /// The ranges of the keys, and what Nesterov needs.
    pub const fn check(&self) -> Verdict {
        if let Err(problem) = super::check_lr(self.lr) {
            return Err(problem);
        }
        if !(self.momentum >= 0.0 && self.momentum < 1.0) {
            return Err(Problem::new("momentum is ")
                .float(self.momentum)
                .text("; expected 0 <= momentum < 1"));
        }
        if !(self.dampening >= 0.0 && self.dampening < 1.0) {
            return Err(Problem::new("dampening is ")
                .float(self.dampening)
                .text("; expected 0 <= dampening < 1"));
        }
        if self.nesterov && self.momentum == 0.0 {
            return Err(Problem::new(
                "nesterov needs momentum; add `momentum: 0.9`, or leave `nesterov` out",
            ));
        }
        if self.nesterov && self.dampening != 0.0 {
            return Err(
                Problem::new("nesterov goes with dampening 0, but dampening is ").float(self.dampening)
            );
        }
        if let Err(problem) = super::check_decay("l2", self.l2, self.lr) {
            return Err(problem);
        }
        super::check_decay("weight_decay", self.weight_decay, self.lr)
    }
}

impl Config for Sgd {
    const NAME: &'static str = "Sgd";
    const DEFAULT: Self = Self {
        lr: 0.01,
        momentum: 0.0,
        dampening: 0.0,
        nesterov: false,
        l2: 0.0,
        weight_decay: 0.0,
        decay: Decay::Matrices,
    };
    const CHECK: fn(&Self) -> Verdict = Self::check;
}

impl Optimizer for Sgd {
    type State = [f32; 1];
    const STATE: &'static [&'static str] = &["v"];

    fn lr(&self) -> f64 {
        self.lr
    }

    fn rule(&self, step: UpdateStep, role: Role) -> impl Fn(f32, f32, &mut [f32; 1]) -> f32 {
        let (l2, decay) = if self.decay.touches(role) { (self.l2, self.weight_decay) } else { (0.0, 0.0) };
        let (l2, keep) = (l2 as f32, (1.0 - step.lr * decay) as f32);
        let momentum = self.momentum as f32;
        // The first gradient becomes the velocity whole, whatever the dampening.
        let share = if step.t == 1 { 1.0 } else { (1.0 - self.dampening) as f32 };
        let (lr, nesterov) = (step.lr as f32, self.nesterov);
        move |w, g, [v]| {
            let w = w * keep;
            let g = g + l2 * w;
            *v = momentum * *v + share * g;
            w - lr * if nesterov { g + momentum * *v } else { *v }
        }
    }
}
