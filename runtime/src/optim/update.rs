//! One optimizer step: what it is told, and what becomes of weights and gradients before a rule sees them.

use super::{AnyOptimizer, Penalties};
use crate::layer::{GraphParameter, Role};

/// When a parameter is updated, and how far it goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpdateStep {
    /// Optimizer steps, counted from 1.
    pub t: u64,
    /// The rate of this step for this parameter: the scheduled one, times what its group says.
    pub lr: f64,
    /// What the parameter is.
    pub role: Role,
    /// The parameter's decoupled weight decay. The pass has applied it, unless the optimizer
    /// [decays by itself](super::Optimizer::DECAYS_ITSELF).
    pub weight_decay: f64,
    /// What [`Optimizer::trust`](super::Optimizer::trust) gave for the parameter; 1 if the optimizer is not layer-wise.
    pub trust: f64,
}

impl UpdateStep {
    /// Step `t` at the rate `lr`, of a matrix without decay.
    #[must_use]
    pub fn new(t: u64, lr: f64) -> Self {
        Self { t, lr, role: Role::Matrix, weight_decay: 0.0, trust: 1.0 }
    }
}

/// What one parameter's update is made of, beside the step's number and rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParameterConfig {
    /// Multiplies the scheduled rate.
    pub lr: f64,
    /// [`Penalties::l1`] of this parameter; 0 if it is not touched.
    pub l1: f64,
    /// [`Penalties::l2`] of this parameter.
    pub l2: f64,
    /// [`Penalties::weight_decay`] of this parameter.
    pub weight_decay: f64,
}

impl ParameterConfig {
    /// The treatment of a parameter of this role by an optimizer with these penalties.
    #[must_use]
    pub fn of(role: Role, penalties: Penalties) -> Self {
        let Penalties { l1, l2, weight_decay, decay } = penalties;
        if decay.touches(role) {
            Self { lr: 1.0, l1, l2, weight_decay }
        } else {
            Self { lr: 1.0, l1: 0.0, l2: 0.0, weight_decay: 0.0 }
        }
    }

    /// Whether it moves weights whose gradient is 0.
    pub(crate) fn has_penalties(&self) -> bool {
        self.l1 != 0.0 || self.l2 != 0.0 || self.weight_decay != 0.0
    }

    /// The treatments of all parameters of a graph, without [groups](super::Group).
    #[must_use]
    pub fn of_all(parameters: &[GraphParameter], optimizer: &dyn AnyOptimizer) -> Vec<Self> {
        let penalties = optimizer.penalties();
        parameters.iter().map(|parameter| Self::of(parameter.role, penalties)).collect()
    }
}

/// An update of all parameters.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// The rule.
    pub optimizer: &'a dyn AnyOptimizer,
    /// Optimizer steps, counted from 1.
    pub t: u64,
    /// The scheduled rate.
    pub lr: f64,
    /// How each parameter of the graph is treated.
    pub treatments: &'a [ParameterConfig],
    /// What each parameter's summed gradient is multiplied by: the average over the window, and clipping.
    pub scales: &'a [f64],
    /// The largest size of an element of a gradient after that; infinite if there is none.
    pub bound: f64,
}

impl Update<'_> {
    /// The step for one parameter, and what becomes of its weights and gradients before.
    pub(crate) fn of(&self, parameter: usize, role: Role) -> (UpdateStep, GradientTransform) {
        let treatment = self.treatments[parameter];
        let lr = self.lr * treatment.lr;
        let step = UpdateStep { t: self.t, lr, role, weight_decay: treatment.weight_decay, trust: 1.0 };
        let keep = if self.optimizer.decays_itself() { 1.0 } else { 1.0 - lr * treatment.weight_decay };
        let incoming = GradientTransform {
            scale: self.scales[parameter] as f32,
            bound: self.bound as f32,
            l1: treatment.l1 as f32,
            l2: treatment.l2 as f32,
            keep: keep as f32,
        };
        (step, incoming)
    }
}

/// What becomes of weights and gradients before a rule sees them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientTransform {
    /// Multiplies each element of the gradient.
    pub scale: f32,
    /// The largest size of an element after that; infinite if there is none.
    pub bound: f32,
    /// Times the weight's sign, added then.
    pub l1: f32,
    /// Times the weight, added then.
    pub l2: f32,
    /// What stays of the weight.
    pub keep: f32,
}

impl GradientTransform {
    /// Everything stays as it is.
    pub const UNCHANGED: Self = Self { scale: 1.0, bound: f32::INFINITY, l1: 0.0, l2: 0.0, keep: 1.0 };

    /// Whether the gradient is only scaled.
    pub(super) fn only_scales(self) -> bool {
        self.bound == f32::INFINITY && self.l1 == 0.0 && self.l2 == 0.0
    }

    /// The gradient, already scaled, that the rule sees at the weight `w`.
    #[inline]
    pub(super) fn gradient(self, w: f32, g: f32) -> f32 {
        let sign = if w == 0.0 { 0.0 } else { 1.0_f32.copysign(w) };
        // Not `clamp`, which panics for a bound that is no number.
        let g = if g > self.bound {
            self.bound
        } else if g < -self.bound {
            -self.bound
        } else {
            g
        };
        g + self.l2 * w + self.l1 * sign
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Decay, Optimizer, Sgd};
    use super::*;
    use crate::config::Config;

    /// Powers of two, so that nothing rounds.
    #[test]
    fn gradients_are_scaled_bounded_and_then_penalized() {
        let incoming = GradientTransform { scale: 0.5, bound: 1.0, l1: 0.25, l2: 0.5, keep: 0.75 };
        let sgd = Sgd { lr: 1.0, ..Sgd::DEFAULT };
        let mut weights = [2.0, -2.0, 0.0, 4.0];
        let step = UpdateStep::new(1, 1.0);
        AnyOptimizer::update_block(&sgd, step, incoming, &mut weights, &[8.0, -8.0, 1.0, 0.0], &mut []);
        // 2 * 0.75 - (1 + 1 + 0.25), its mirror, 0 - 0.5, and 4 * 0.75 - (2 + 0.25).
        assert_eq!(weights.map(f32::to_bits), [-0.75, 0.75, -0.5, 0.75].map(f32::to_bits));
    }

    #[test]
    fn a_gradient_that_is_no_number_stays_one() {
        let incoming = GradientTransform { bound: 1.0, ..GradientTransform::UNCHANGED };
        assert!(incoming.gradient(1.0, f32::NAN).is_nan());
    }

    #[test]
    fn penalties_touch_what_they_are_told_to() {
        let sgd = Sgd { l1: 1.0, l2: 2.0, weight_decay: 3.0, ..Sgd::DEFAULT };
        let none = ParameterConfig { lr: 1.0, l1: 0.0, l2: 0.0, weight_decay: 0.0 };
        let all = ParameterConfig { lr: 1.0, l1: 1.0, l2: 2.0, weight_decay: 3.0 };
        let of = |role, decay| ParameterConfig::of(role, Optimizer::penalties(&Sgd { decay, ..sgd }));
        for role in [Role::Bias, Role::Norm, Role::Embedding] {
            assert_eq!((of(role, Decay::Matrices), of(role, Decay::All)), (none, all));
        }
        assert_eq!((of(Role::Matrix, Decay::Matrices), of(Role::Matrix, Decay::All)), (all, all));
        assert_eq!(of(Role::Statistic, Decay::All), none);
    }
}
