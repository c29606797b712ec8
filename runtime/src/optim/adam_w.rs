//! Adam with decoupled weight decay.

use serde::{Deserialize, Serialize};

use super::{Decay, Optimizer, UpdateStep};
use crate::config::Config;
use crate::layer::Role;
use crate::shape::{Problem, Verdict};

/// Adam with decoupled weight decay.
///
/// At step `t`, with rate `eta` and gradient `g`:
/// `w *= 1 - eta * weight_decay`; `m = b1*m + (1 - b1)*g`; `v = b2*v + (1 - b2)*g^2`;
/// `w -= eta * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)`.
///
/// # Source
/// Loshchilov and Hutter 2019; epsilon outside the corrected root, as in PyTorch.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamW {
    /// The learning rate, above 0; 1e-3 by default.
    pub lr: f64,
    /// How much of the moments stays at each step, each `0 <= b < 1`; (0.9, 0.999) by default.
    pub betas: (f64, f64),
    /// Added to the root, above 0; 1e-8 by default.
    pub eps: f64,
    /// How much of a weight goes at each step, as a multiple of the rate, 0 or more; 0.01 by default.
    pub weight_decay: f64,
    /// Which parameters decay; matrices by default.
    pub decay: Decay,
}

impl AdamW {
    /// The ranges of the keys.
    pub const fn check(&self) -> Verdict {
        if let Err(problem) = super::check_lr(self.lr) {
            return Err(problem);
        }
        let (first, second) = self.betas;
        if !(first >= 0.0 && first < 1.0 && second >= 0.0 && second < 1.0) {
            return Err(Problem::new("betas is (")
                .float(first)
                .text(", ")
                .float(second)
                .text("); expected 0 <= beta < 1 for both"));
        }
        if !(self.eps > 0.0 && self.eps.is_finite()) {
            return Err(Problem::new("eps is ").float(self.eps).text("; expected a number above 0"));
        }
        super::check_decay("weight_decay", self.weight_decay, self.lr)
    }
}

impl Config for AdamW {
    const NAME: &'static str = "AdamW";
    const DEFAULT: Self =
        Self { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.01, decay: Decay::Matrices };
    const CHECK: fn(&Self) -> Verdict = Self::check;
}

impl Optimizer for AdamW {
    type State = [f32; 2];
    const STATE: &'static [&'static str] = &["m", "v"];

    fn lr(&self) -> f64 {
        self.lr
    }

    fn rule(&self, step: UpdateStep, role: Role) -> impl Fn(f32, f32, &mut [f32; 2]) -> f32 {
        let (b1, b2) = self.betas;
        let decay = if self.decay.touches(role) { self.weight_decay } else { 0.0 };
        let keep = (1.0 - step.lr * decay) as f32;
        let correction = |beta: f64| 1.0 - beta.powf(step.t as f64);
        let size = (step.lr / correction(b1)) as f32;
        let root = correction(b2).sqrt() as f32;
        let eps = self.eps as f32;
        let (b1_rest, b2_rest) = ((1.0 - b1) as f32, (1.0 - b2) as f32);
        let b2 = b2 as f32;
        move |w, g, [m, v]| {
            // As PyTorch's `lerp`: exact where g equals m.
            *m += b1_rest * (g - *m);
            *v = b2 * *v + b2_rest * g * g;
            w * keep - size * (*m / (v.sqrt() / root + eps))
        }
    }
}
