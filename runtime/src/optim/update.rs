//! One optimizer step: its arguments, and what happens to weights and gradients before the rule.

use trainspec_kernels::update::GradientTransform;

use super::{AnyOptimizer, Penalties};
use crate::layer::{GraphParameter, Role};

/// The arguments of the update of one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpdateStep {
    /// Optimizer steps of the parameter, counted from 1.
    pub t: u64,
    /// The learning rate of this step for this parameter: the scheduled one, times the factor of its group.
    pub lr: f64,
    /// The role of the parameter.
    pub role: Role,
    /// The parameter's decoupled weight decay. The pass has applied it, unless the optimizer
    /// [decays by itself](super::Optimizer::DECAYS_ITSELF).
    pub weight_decay: f64,
    /// The result of [`Optimizer::trust`](super::Optimizer::trust) for the parameter; 1 if the optimizer is not layer-wise.
    pub trust: f64,
    /// The share of this step in an average of all steps so far, each weighted by the square of the largest learning rate up to it.
    pub share: f64,
}

impl UpdateStep {
    /// Creates step `t` at learning rate `lr`, which all steps so far have had, for a matrix without decay.
    #[must_use]
    pub fn new(t: u64, lr: f64) -> Self {
        Self { t, lr, role: Role::Matrix, weight_decay: 0.0, trust: 1.0, share: 1.0 / t.max(1) as f64 }
    }
}

/// The settings of one parameter's update, besides the step and the learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParameterConfig {
    /// Multiplies the scheduled learning rate.
    pub lr: f64,
    /// [`Penalties::l1`] of this parameter; 0 if it does not apply.
    pub l1: f64,
    /// [`Penalties::l2`] of this parameter.
    pub l2: f64,
    /// [`Penalties::weight_decay`] of this parameter.
    pub weight_decay: f64,
}

impl ParameterConfig {
    /// Returns the settings of a parameter of this role for an optimizer with these penalties.
    #[must_use]
    pub fn of(role: Role, penalties: Penalties) -> Self {
        let Penalties { l1, l2, weight_decay, decay } = penalties;
        if decay.touches(role) {
            Self { lr: 1.0, l1, l2, weight_decay }
        } else {
            Self { lr: 1.0, l1: 0.0, l2: 0.0, weight_decay: 0.0 }
        }
    }

    /// Returns whether a penalty changes weights whose gradient is 0.
    pub(crate) fn has_penalties(&self) -> bool {
        self.l1 != 0.0 || self.l2 != 0.0 || self.weight_decay != 0.0
    }

    /// Returns the settings of all parameters of a graph, without [groups](super::Group).
    #[must_use]
    pub fn of_all(parameters: &[GraphParameter], optimizer: &dyn AnyOptimizer) -> Vec<Self> {
        parameters.iter().map(|parameter| optimizer.treatment(parameter)).collect()
    }
}

/// An update of all parameters.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// The update rule.
    pub optimizer: &'a dyn AnyOptimizer,
    /// Optimizer steps, counted from 1.
    pub t: u64,
    /// The scheduled learning rate.
    pub lr: f64,
    /// The settings of each parameter of the graph.
    pub treatments: &'a [ParameterConfig],
    /// The factor for each parameter's summed gradient, from the average over the window and clipping.
    pub scales: &'a [f64],
    /// The bound on the magnitude of a gradient element after that; infinite if there is none.
    pub bound: f64,
    /// [`UpdateStep::share`]
    pub share: f64,
    /// For how many steps each parameter is held before it is trained; an empty list if none is.
    pub starts: &'a [u64],
}

impl Update<'_> {
    /// Returns whether a parameter is not trained yet.
    pub(crate) fn holds(&self, parameter: usize) -> bool {
        self.starts.get(parameter).is_some_and(|&start| self.t <= start)
    }

    /// Returns the step for one parameter, which counts from its start, and the preprocessing of its weights and gradients.
    pub(crate) fn of(&self, parameter: usize, role: Role) -> (UpdateStep, GradientTransform) {
        let treatment = self.treatments[parameter];
        let lr = self.lr * treatment.lr;
        let (t, share) =
            (self.t.saturating_sub(self.starts.get(parameter).copied().unwrap_or(0)), self.share);
        let step = UpdateStep { t, lr, role, weight_decay: treatment.weight_decay, trust: 1.0, share };
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

#[cfg(test)]
mod tests {
    use super::super::{Decay, Optimizer, Sgd};
    use super::*;
    use crate::config::Config;

    /// Uses powers of two, so that nothing rounds.
    #[test]
    fn gradients_are_unscaled_clipped_and_then_penalized() {
        let incoming = GradientTransform { scale: 0.5, bound: 1.0, l1: 0.25, l2: 0.5, keep: 0.75 };
        let sgd = Sgd { lr: 1.0, ..Sgd::DEFAULT };
        let mut weights = [2.0, -2.0, 0.0, 4.0];
        let step = UpdateStep::new(1, 1.0);
        AnyOptimizer::update_block(&sgd, step, incoming, &mut weights, &[8.0, -8.0, 1.0, 0.0], &mut []);
        // 2 * 0.75 - (1 + 1 + 0.25), its mirror, 0 - 0.5, and 4 * 0.75 - (2 + 0.25).
        assert_eq!(weights.map(f32::to_bits), [-0.75, 0.75, -0.5, 0.75].map(f32::to_bits));
    }

    #[test]
    fn penalties_apply_only_to_selected_parameters() {
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
