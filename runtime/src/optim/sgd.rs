//! Stochastic gradient descent.

use serde::{Deserialize, Serialize};

use super::rules::{self, penalties};
use super::{Decay, Optimizer, Penalties, UpdateStep, UsualRates};
use crate::config::Config;
use crate::keys::Facts;
use crate::shape::{CheckError, CheckResult};

/// Gradient descent, with momentum if wanted.
///
/// With rate `eta` and gradient `g`: `w *= 1 - eta * weight_decay`; `g += l2 * w`;
/// `v = g` at the first step, later `v = momentum * v + (1 - dampening) * g`;
/// `w -= eta * v`, or with Nesterov `w -= eta * (g + momentum * v)`. Without momentum, `w -= eta * g`, and only those rows
/// of an [embedding](crate::layer::Embedding) are touched that the batch reads.
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
    /// How much less of the gradient goes into the velocity: `0 <= dampening < 1`; needs momentum; 0 by default.
    pub dampening: f64,
    /// Looks ahead by one step of the velocity; needs momentum, and no dampening. False by default.
    pub nesterov: bool,
    /// Times the weight, added to the gradient (what PyTorch's `SGD` calls `weight_decay`); 0 by default.
    pub l2: f64,
    /// How much of a weight goes at each step, as a multiple of the rate; 0 by default.
    pub weight_decay: f64,
    /// Times the weight's sign, added to the gradient, 0 or more; 0 by default.
    pub l1: f64,
    /// Which parameters `l1`, `l2` and `weight_decay` touch; matrices by default.
    pub decay: Decay,
}

/// [`Sgd`](struct@Sgd) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Sgd: Sgd = Sgd::DEFAULT;

impl Sgd {
    /// The ranges of the keys, and what Nesterov needs.
    pub const fn check(&self) -> CheckResult<Facts> {
        if let Err(problem) = rules::lr(self.lr) {
            return Err(problem);
        }
        if !(self.momentum >= 0.0 && self.momentum < 1.0) {
            return Err(CheckError::new("momentum is ")
                .float(self.momentum)
                .text("; expected 0 <= momentum < 1"));
        }
        if !(self.dampening >= 0.0 && self.dampening < 1.0) {
            return Err(CheckError::new("dampening is ")
                .float(self.dampening)
                .text("; expected 0 <= dampening < 1"));
        }
        if self.dampening != 0.0 && self.momentum == 0.0 {
            return Err(CheckError::new(
                "dampening needs momentum; add `momentum: 0.9`, or leave `dampening` out",
            ));
        }
        if self.nesterov && self.momentum == 0.0 {
            return Err(CheckError::new(
                "nesterov needs momentum; add `momentum: 0.9`, or leave `nesterov` out",
            ));
        }
        if self.nesterov && self.dampening != 0.0 {
            return Err(CheckError::new("nesterov goes with dampening 0, but dampening is ")
                .float(self.dampening)
                .text("; leave one of them out"));
        }
        rules::rated(self.lr, penalties!(self))
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
        l1: 0.0,
        decay: Decay::Matrices,
    };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Optimizer for Sgd {
    type State = [f32; 1];
    const STATE: &'static [&'static str] = &["v"];

    fn lr(&self) -> f64 {
        self.lr
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-6, highest: 1.0, source: "Bengio 2012: 1e-6 to 1" })
    }

    fn state_names(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { Self::STATE }
    }

    /// Without momentum a row without a gradient does not move.
    fn is_sparse(&self) -> bool {
        self.momentum == 0.0
    }

    fn penalties(&self) -> Penalties {
        penalties!(self)
    }

    fn rule(&self, step: UpdateStep) -> impl Fn(f32, f32, &mut [f32; 1]) -> f32 {
        let momentum = self.momentum as f32;
        // The first gradient becomes the velocity whole, whatever the dampening.
        let share = if step.t == 1 { 1.0 } else { (1.0 - self.dampening) as f32 };
        let (lr, nesterov) = (step.lr as f32, self.nesterov);
        move |w, g, [v]| {
            *v = momentum * *v + share * g;
            w - lr * if nesterov { g + momentum * *v } else { *v }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::element::Element;
    use super::*;
    use crate::layer::Role;

    /// Weights after steps with these gradients, from the weight 1.
    fn steps(sgd: Sgd, role: Role, gradients: &[f32]) -> Vec<f32> {
        let mut element = Element::new(&sgd, role, 1.0);
        gradients.iter().map(|&g| element.step(sgd.lr, g)).collect()
    }

    /// By hand, in numbers that f32 holds exactly: v = 1; 0.5 + 0.5 * 2 = 1.5; 0.75 + 0.5 * 0 = 0.75.
    #[test]
    fn momentum_and_dampening() {
        let sgd = Sgd { lr: 0.25, momentum: 0.5, dampening: 0.5, ..Sgd::DEFAULT };
        assert_eq!(steps(sgd, Role::Matrix, &[1.0, 2.0, 0.0]), [0.75, 0.375, 0.1875]);
    }

    /// v = 1, 2.5; updates 1 + 0.5 * 1 = 1.5 and 2 + 0.5 * 2.5 = 3.25.
    #[test]
    fn nesterov_looks_ahead() {
        let sgd = Sgd { lr: 0.25, momentum: 0.5, nesterov: true, ..Sgd::DEFAULT };
        assert_eq!(steps(sgd, Role::Matrix, &[1.0, 2.0]), [0.625, -0.1875]);
    }

    /// The velocity does not hold the rate: a rate that falls acts at once on all of it.
    #[test]
    fn the_rate_multiplies_the_velocity_when_it_is_applied() {
        let sgd = Sgd { momentum: 0.5, ..Sgd::DEFAULT };
        let mut element = Element::new(&sgd, Role::Matrix, 0.0);
        element.step(1.0, 1.0);
        assert_eq!(element.step(0.5, 0.0).to_bits(), (-1.25_f32).to_bits());
    }

    /// `l2` goes through the gradient, `weight_decay` does not; biases are left alone by both.
    #[test]
    fn the_two_decays_differ_and_know_their_parameters() {
        let l2 = Sgd { lr: 0.5, momentum: 0.5, l2: 0.5, ..Sgd::DEFAULT };
        assert_eq!(steps(l2, Role::Matrix, &[0.0, 0.0]), [0.75, 0.4375]);
        let decay = Sgd { lr: 0.5, momentum: 0.5, weight_decay: 0.5, ..Sgd::DEFAULT };
        assert_eq!(steps(decay, Role::Matrix, &[0.0, 0.0]), [0.75, 0.5625]);
        assert_eq!(steps(decay, Role::Bias, &[0.0]), [1.0]);
        assert_eq!(steps(Sgd { decay: Decay::All, ..decay }, Role::Bias, &[0.0]), [0.75]);
    }

    #[test]
    fn what_needs_momentum_says_so() {
        let said = |sgd: Sgd| sgd.check().unwrap_err().as_str().to_owned();
        assert!(said(Sgd { dampening: 0.5, ..Sgd::DEFAULT }).starts_with("dampening needs momentum"));
        assert!(said(Sgd { nesterov: true, ..Sgd::DEFAULT }).starts_with("nesterov needs momentum"));
        assert!(said(Sgd { lr: f64::NAN, ..Sgd::DEFAULT }).contains("lr is NaN"));
        assert!(said(Sgd { lr: 2.0, weight_decay: 0.5, ..Sgd::DEFAULT }).contains("takes the whole weight"));
    }
}
