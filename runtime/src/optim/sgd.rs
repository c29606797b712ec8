//! Stochastic gradient descent.

use trainspec_kernels::update::{self, UpdateRule};

use super::declaration::optimizer;
use super::rules::{self, common, penalties};
use super::{Optimizer, Penalties, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::{CheckError, CheckResult};

optimizer! {
    /// Stochastic gradient descent, optionally with momentum.
    ///
    /// With learning rate `eta` and gradient `g`: `w *= 1 - eta * weight_decay`; `g += l2 * w`;
    /// `v = g` at the first step, later `v = momentum * v + (1 - dampening) * g`;
    /// `w -= eta * v`, or with Nesterov `w -= eta * (g + momentum * v)`. Without momentum, `w -= eta * g`, and only the rows
    /// of an [embedding](crate::layer::Embedding) that the batch reads are updated.
    ///
    /// # Source
    /// Sutskever et al. 2013, in PyTorch's form: the learning rate multiplies the velocity when it is applied.
    pub struct Sgd {
        /// The learning rate, above 0; 0.01 by default.
        pub lr: f64 = 0.01,
        /// The momentum factor, `0 <= momentum < 1`; 0 by default.
        pub momentum: f64 = 0.0,
        /// Dampening of the gradient in the velocity, `0 <= dampening < 1`; requires momentum; 0 by default.
        pub dampening: f64 = 0.0,
        /// Uses Nesterov momentum; requires momentum and no dampening. False by default.
        pub nesterov: bool = false,
    }
    l2
}

impl Sgd {
    /// The ranges of the keys, and the requirements of Nesterov momentum.
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
                "dampening requires momentum; add `momentum: 0.9`, or remove `dampening`",
            ));
        }
        if self.nesterov && self.momentum == 0.0 {
            return Err(CheckError::new(
                "nesterov requires momentum; add `momentum: 0.9`, or remove `nesterov`",
            ));
        }
        if self.nesterov && self.dampening != 0.0 {
            return Err(CheckError::new("nesterov requires dampening 0, but dampening is ")
                .float(self.dampening)
                .text("; remove one of them"));
        }
        rules::rated(self.lr, penalties!(self))
    }
}

impl Optimizer for Sgd {
    type State = [f32; 1];
    const STATE: &'static [&'static str] = &["v"];

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-6, highest: 1.0, source: "Bengio 2012: 1e-6 to 1" })
    }

    fn state_names(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { Self::STATE }
    }

    /// Without momentum, a row without a gradient does not change.
    fn is_sparse(&self) -> bool {
        self.momentum == 0.0
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        // The first gradient becomes the velocity, without dampening.
        let share = if step.t == 1 { 1.0 } else { (1.0 - self.dampening) as f32 };
        Some(UpdateRule::Sgd(update::Sgd {
            lr: step.lr as f32,
            momentum: self.momentum as f32,
            share,
            nesterov: self.nesterov,
        }))
    }

    common!();
}

#[cfg(test)]
mod tests {
    use super::super::Decay;
    use super::super::element::Element;
    use super::*;
    use crate::config::Config;
    use crate::layer::Role;

    /// Returns the weights after steps with these gradients, starting from weight 1.
    fn steps(sgd: Sgd, role: Role, gradients: &[f32]) -> Vec<f32> {
        let mut element = Element::new(&sgd, role, 1.0);
        gradients.iter().map(|&g| element.step(sgd.lr, g)).collect()
    }

    /// Computed by hand, with values that are exact in f32: v = 1; 0.5 + 0.5 * 2 = 1.5; 0.75 + 0.5 * 0 = 0.75.
    #[test]
    fn momentum_and_dampening_match_hand_calculation() {
        let sgd = Sgd { lr: 0.25, momentum: 0.5, dampening: 0.5, ..Sgd::DEFAULT };
        assert_eq!(steps(sgd, Role::Matrix, &[1.0, 2.0, 0.0]), [0.75, 0.375, 0.1875]);
    }

    /// v = 1, 2.5; updates 1 + 0.5 * 1 = 1.5 and 2 + 0.5 * 2.5 = 3.25.
    #[test]
    fn nesterov_matches_hand_calculation() {
        let sgd = Sgd { lr: 0.25, momentum: 0.5, nesterov: true, ..Sgd::DEFAULT };
        assert_eq!(steps(sgd, Role::Matrix, &[1.0, 2.0]), [0.625, -0.1875]);
    }

    /// The velocity does not include the learning rate: a change applies to all of it at once.
    #[test]
    fn learning_rate_multiplies_velocity_at_update() {
        let sgd = Sgd { momentum: 0.5, ..Sgd::DEFAULT };
        let mut element = Element::new(&sgd, Role::Matrix, 0.0);
        element.step(1.0, 1.0);
        assert_eq!(element.step(0.5, 0.0).to_bits(), (-1.25_f32).to_bits());
    }

    /// `l2` changes the gradient, `weight_decay` does not; neither applies to biases.
    #[test]
    fn l2_and_weight_decay_differ_and_skip_biases() {
        let l2 = Sgd { lr: 0.5, momentum: 0.5, l2: 0.5, ..Sgd::DEFAULT };
        assert_eq!(steps(l2, Role::Matrix, &[0.0, 0.0]), [0.75, 0.4375]);
        let decay = Sgd { lr: 0.5, momentum: 0.5, weight_decay: 0.5, ..Sgd::DEFAULT };
        assert_eq!(steps(decay, Role::Matrix, &[0.0, 0.0]), [0.75, 0.5625]);
        assert_eq!(steps(decay, Role::Bias, &[0.0]), [1.0]);
        assert_eq!(steps(Sgd { decay: Decay::All, ..decay }, Role::Bias, &[0.0]), [0.75]);
    }

    #[test]
    fn nesterov_and_dampening_require_momentum() {
        let said = |sgd: Sgd| sgd.check().unwrap_err().as_str().to_owned();
        assert!(said(Sgd { dampening: 0.5, ..Sgd::DEFAULT }).starts_with("dampening requires momentum"));
        assert!(said(Sgd { nesterov: true, ..Sgd::DEFAULT }).starts_with("nesterov requires momentum"));
        assert!(said(Sgd { lr: f64::NAN, ..Sgd::DEFAULT }).contains("lr is NaN"));
        assert!(
            said(Sgd { lr: 2.0, weight_decay: 0.5, ..Sgd::DEFAULT })
                .contains("shrinks weights to 0 or beyond")
        );
    }
}
