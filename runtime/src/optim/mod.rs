//! Optimizers: each is a configuration and a pure update rule for one element. The rules of this crate are data, so that a device can
//! run them; a rule of your own is a closure, which runs on the host.
//!
//! | optimizer | keys with defaults | source |
//! | --- | --- | --- |
//! | [`Sgd`](struct@Sgd) | `lr: 0.01`, `momentum: 0`, `dampening: 0`, `nesterov: false` | Sutskever et al. 2013, in PyTorch's form |
//! | [`Adam`](struct@Adam) | `lr: 1e-3`, `betas: (0.9, 0.999)`, `eps: 1e-8`, `amsgrad: false` | Kingma and Ba 2015; Reddi et al. 2018 |
//! | [`AdamW`](struct@AdamW) | the same; `weight_decay: 0.01` | Loshchilov and Hutter 2019 |
//! | [`NAdam`](struct@NAdam) | `lr: 2e-3`, `betas: (0.9, 0.999)`, `eps: 1e-8`, `momentum_decay: 4e-3` | Dozat 2016 |
//! | [`RAdam`](struct@RAdam) | `lr: 1e-3`, `betas: (0.9, 0.999)`, `eps: 1e-8` | Liu et al. 2020 |
//! | [`Adamax`](struct@Adamax) | `lr: 2e-3`, `betas: (0.9, 0.999)`, `eps: 1e-8` | Kingma and Ba 2015 |
//! | [`RmsProp`](struct@RmsProp) | `lr: 0.01`, `alpha: 0.99`, `eps: 1e-8`, `momentum: 0`, `centered: false` | Tieleman and Hinton 2012; Graves 2013 |
//! | [`AdaGrad`](struct@AdaGrad) | `lr: 0.01`, `lr_decay: 0`, `initial_accumulator: 0`, `eps: 1e-10`, `sparse: false` | Duchi et al. 2011 |
//! | [`AdaDelta`](struct@AdaDelta) | `lr: 1`, `rho: 0.9`, `eps: 1e-6` | Zeiler 2012 |
//! | [`Lion`](struct@Lion) | `lr: 1e-4`, `betas: (0.9, 0.99)` | Chen et al. 2023 |
//! | [`SignSgd`](struct@SignSgd) | `lr: 1e-4`, `momentum: 0` | Bernstein et al. 2018 |
//! | [`Lamb`](struct@Lamb) | `lr: 1e-3`, `betas: (0.9, 0.999)`, `eps: 1e-6`, `weight_decay: 0.01` | You et al. 2020 |
//! | [`Lars`](struct@Lars) | `lr: 0.1`, `momentum: 0.9`, `trust: 1e-3` | You et al. 2017 |
//! | [`SparseAdam`](struct@SparseAdam) | `lr: 1e-3`, `betas: (0.9, 0.999)`, `eps: 1e-8` | Kingma and Ba 2015, lazily |
//! | [`Adafactor`](struct@Adafactor) | `lr: 0.01`, `beta2_decay: -0.8`, `eps: (2^-23, 1e-3)`, `d: 1` | Shazeer and Stern 2018 |
//! | [`Muon`](struct@Muon) | `lr: 1e-3`, `momentum: 0.95`, `nesterov: true`, `steps: 5`, `rate: Original`, `rest: AdamW`, `weight_decay: 0.1` | Jordan et al. 2024 |
//! | [`Prodigy`](struct@Prodigy) | `lr: 1`, `betas: (0.9, 0.999)`, `eps: 1e-8`, `d0: 1e-6`, `d_coef: 1` | Mishchenko and Defazio 2023 |
//! | [`ScheduleFreeSgd`](struct@ScheduleFreeSgd) | `lr: 1`, `momentum: 0.9` | Defazio et al. 2024 |
//! | [`ScheduleFreeAdamW`](struct@ScheduleFreeAdamW) | `lr: 2.5e-3`, `betas: (0.9, 0.999)`, `eps: 1e-8` | Defazio et al. 2024 |
//!
//! [`Lookahead`] takes another optimizer: `Lookahead { optimizer: AdamW { lr: 1e-3 }, k: 5, alpha: 0.5 }`.
//!
//! [`Sam`] takes another optimizer, too, and gives it the gradient at perturbed weights: `Sam { optimizer: Sgd { lr: 0.1 }, rho: 0.05 }`.
//!
//! Each also has `l1: 0`, `l2: 0`, `weight_decay: 0` and `decay: Matrices` ([`Penalties`]). A [`Group`] sets the
//! learning rate and the decay of some parameters, or freezes them.
//!
//! The pass over the parameters is shared by all optimizers and fused with averaging and clipping.

mod ada_delta;
mod ada_grad;
mod adafactor;
mod adam;
mod adam_w;
mod adamax;
mod average;
pub mod clip;
mod constraint;
mod declaration;
#[cfg(test)]
mod element;
mod ema;
mod facts;
mod forwarded;
mod gradient_noise;
mod group;
mod lamb;
mod lars;
mod lion;
mod lookahead;
mod math;
mod model_rule;
mod moments;
mod muon;
mod nadam;
pub(crate) mod path;
mod prodigy;
mod radam;
mod rms_prop;
mod rules;
mod sam;
mod scaled;
mod schedule_free_adam_w;
mod schedule_free_sgd;
mod sgd;
mod sign_sgd;
mod sparse_adam;
mod store;
mod swa;
mod units;
mod update;
mod with_type;

pub use crate::keys::{Decay, Penalties};
pub use ada_delta::AdaDelta;
pub use ada_grad::AdaGrad;
pub use adafactor::Adafactor;
pub use adam::Adam;
pub use adam_w::AdamW;
pub use adamax::Adamax;
pub use average::{AnyAverage, Average, AveragePoint};
pub(crate) use clip::GradientStats;
pub use clip::{AdaptiveGrad, AnyClip, Clip, ClipValue, GlobalNorm, Gradients, NoClip, PerParameter, Unit};
pub use constraint::{AnyConstraint, Constraint, MaxNorm, Unconstrained, UnitLimit};
pub use ema::Ema;
pub use facts::{StepSize, UsualRates};
pub use gradient_noise::GradientNoise;
pub(crate) use group::freezes_all;
pub use group::{Group, Groups};
pub use lamb::Lamb;
pub use lars::Lars;
pub use lion::Lion;
pub use lookahead::Lookahead;
pub use model_rule::{ModelRule, ModelStep, ParameterStep};
pub use muon::{Muon, MuonRate};
pub use nadam::NAdam;
pub use prodigy::Prodigy;
pub use radam::RAdam;
pub use rms_prop::RmsProp;
pub use sam::Sam;
pub(crate) use scaled::{is_single, multiply};
pub use schedule_free_adam_w::ScheduleFreeAdamW;
pub use schedule_free_sgd::ScheduleFreeSgd;
pub use sgd::Sgd;
pub use sign_sgd::SignSgd;
pub use sparse_adam::SparseAdam;
pub use store::{HostParameters, ParameterStore, UnitClip, WeightCopy};
pub use swa::Swa;
pub use trainspec_kernels::update::{GradientTransform, RuleChain, UpdateRule};
pub(crate) use units::{in_units, of_units, unit_length};
pub use update::{ParameterConfig, Update, UpdateStep};

use trainspec_kernels::update::Slots;

use crate::config::{Config, Setting, with_changes};
use crate::layer::GraphParameter;

/// An optimizer: a configuration and the update rule of one element.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use trainspec::optim::{Optimizer, UpdateStep};
/// use trainspec::{Config, CheckResult};
///
/// /// Changes each weight by the sign of its gradient.
/// #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
/// pub struct SignDescent {
///     pub lr: f64,
/// }
///
/// impl SignDescent {
///     pub const fn check(&self) -> CheckResult {
///         Ok(())
///     }
/// }
///
/// impl Config for SignDescent {
///     const NAME: &'static str = "SignDescent";
///     const DEFAULT: Self = Self { lr: 1e-3 };
///     const CHECK: fn(&Self) -> CheckResult = Self::check;
/// }
///
/// impl Optimizer for SignDescent {
///     type State = [f32; 0];
///     const STATE: &'static [&'static str] = &[];
///
///     fn lr(&self) -> f64 {
///         self.lr
///     }
///     fn rule(&self, step: UpdateStep) -> impl Fn(f32, f32, &mut [f32; 0]) -> f32 {
///         let lr = step.lr as f32;
///         move |w, g, []| if g == 0.0 { w } else { w - lr * g.signum() }
///     }
/// }
/// ```
pub trait Optimizer: Config {
    /// The state of each element: `[f32; N]`.
    type State: Slots;
    /// The names of the state's values, as in the papers: `["m", "v"]`.
    const STATE: &'static [&'static str];
    /// Whether the rule applies [`UpdateStep::weight_decay`] itself, instead of
    /// `w *= 1 - eta * weight_decay` before the rule.
    const DECAYS_ITSELF: bool = false;
    /// Whether the rule needs [`UpdateStep::trust`], which depends on the whole parameter tensor.
    const LAYERWISE: bool = false;

    /// Returns the base learning rate, which schedules multiply.
    fn lr(&self) -> f64;

    /// Returns the names of the state that these keys need, one for each of the first values of
    /// [`Optimizer::State`]. The rule sees 0 for values that are not stored.
    fn state_names(&self) -> &'static [&'static str] {
        Self::STATE
    }

    /// Returns the initial value of the state with this [name](Optimizer::state_names); 0 by default.
    fn initial_state(&self, slot: usize) -> f32 {
        let _ = slot;
        0.0
    }

    /// Returns whether the state with this name starts as the weight, instead of as [`initial_state`](Optimizer::initial_state); false by
    /// default.
    fn starts_at_weights(&self, slot: usize) -> bool {
        let _ = slot;
        false
    }

    /// Returns where the average is that evaluations, checkpoints and the final model use instead of the weights, if the optimizer
    /// keeps one; `None` by default.
    fn average(&self) -> Option<AveragePoint> {
        None
    }

    /// Returns whether only the rows of embeddings that a batch reads are updated; false by default. The gradient of all other
    /// rows is 0, and their state does not change. If [`penalties`](Optimizer::penalties) apply to an embedding, all rows are
    /// updated, because penalties change every row.
    fn is_sparse(&self) -> bool {
        false
    }

    /// Returns the penalties on the weights, which the pass applies; none by default.
    fn penalties(&self) -> Penalties {
        Penalties::NONE
    }

    /// Returns what determines the size of a step, for [advice](crate::advice); unknown by default.
    fn step_size(&self) -> StepSize {
        StepSize::Other
    }

    /// Returns the usual learning rates, for [advice](crate::advice); unknown by default.
    fn usual_rates(&self) -> Option<UsualRates> {
        None
    }

    /// Returns the rule of one step as data, for which every device has a kernel; `None` by default. If there is one, it replaces
    /// [`rule`](Optimizer::rule) and [`direction`](Optimizer::direction).
    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        let _ = step;
        None
    }

    /// Returns the update rule for one step: a function from the weight, its gradient and its state to the new
    /// weight. It runs on the host. Compute what depends only on the step before the function, in f64.
    fn rule(&self, step: UpdateStep) -> impl Fn(f32, f32, &mut Self::State) -> f32;

    /// For a [layer-wise](Optimizer::LAYERWISE) rule: returns the direction of an element. Its norm over the parameter
    /// is computed before any element is updated. The function may update the state; the rule then sees the updated state.
    fn direction(&self, step: UpdateStep) -> impl Fn(f32, f32, &mut Self::State) -> f32 {
        let _ = step;
        |_, g, _| g
    }

    /// For a [layer-wise](Optimizer::LAYERWISE) rule: computes [`UpdateStep::trust`] from the norms of the parameter and
    /// of its direction.
    fn trust(&self, step: UpdateStep, weights: f64, direction: f64) -> f64 {
        let _ = (step, weights, direction);
        1.0
    }
}

/// A type-erased optimizer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an optimizer",
    label = "expected an optimizer, such as `Sgd` or `AdamW`"
)]
pub trait AnyOptimizer: Setting {
    /// [`Optimizer::lr`]
    fn lr(&self) -> f64;
    /// [`Optimizer::state_names`]
    fn state_names(&self) -> &'static [&'static str];
    /// [`Optimizer::initial_state`] of the value with this name.
    fn initial(&self, slot: usize) -> f32 {
        let _ = slot;
        0.0
    }
    /// Returns whether the value with this name starts as the weight, instead of as [`AnyOptimizer::initial`].
    fn starts_at_weights(&self, slot: usize) -> bool {
        let _ = slot;
        false
    }
    /// [`Optimizer::average`]
    fn average(&self) -> Option<AveragePoint> {
        None
    }
    /// [`Optimizer::is_sparse`]
    fn is_sparse(&self) -> bool {
        false
    }
    /// [`Optimizer::penalties`]
    fn penalties(&self) -> Penalties;
    /// Returns the settings of a parameter that is in no [group](Group): a learning rate of 1, and the
    /// [penalties](AnyOptimizer::penalties) that apply to it.
    fn treatment(&self, parameter: &GraphParameter) -> ParameterConfig {
        ParameterConfig::of(parameter.role, self.penalties())
    }
    /// [`Optimizer::step_size`]
    fn step_size(&self) -> StepSize {
        StepSize::Other
    }
    /// [`Optimizer::usual_rates`]
    fn usual_rates(&self) -> Option<UsualRates> {
        None
    }
    /// [`Optimizer::DECAYS_ITSELF`]
    fn decays_itself(&self) -> bool {
        false
    }
    /// [`Optimizer::LAYERWISE`]
    fn is_layerwise(&self) -> bool {
        false
    }
    /// [`Optimizer::trust`]
    fn trust(&self, step: UpdateStep, weights: f64, direction: f64) -> f64 {
        let _ = (step, weights, direction);
        1.0
    }
    /// Returns how far the weights are moved along the gradient before it is computed again, if they are: [`Sam::rho`].
    fn perturbation(&self) -> Option<f64> {
        None
    }
    /// Returns whether all parameters have the same learning rate, so that a [group](Group) cannot have its own.
    fn has_one_rate(&self) -> bool {
        false
    }
    /// Checks that the optimizer can train a model with these parameters.
    ///
    /// # Errors
    /// What does not fit, and what to use instead.
    fn check_model(&self, parameters: &[GraphParameter]) -> Result<(), String> {
        let _ = parameters;
        Ok(())
    }
    /// Returns the rule of an optimizer that reads more than one element, which then replaces all that follow.
    fn model_rule(&self) -> Option<&dyn ModelRule> {
        None
    }
    /// Returns the rules of one step as data, for which every device has kernels; `None` if one of them runs on the host.
    fn lowering(&self, step: UpdateStep) -> Option<RuleChain> {
        let _ = step;
        None
    }
    /// Returns the sums of squares of the weights and the [directions](Optimizer::direction) of a block, for a
    /// [layer-wise](AnyOptimizer::is_layerwise) rule. The arguments are those of [`AnyOptimizer::update_block`].
    fn measure_block(
        &self,
        step: UpdateStep,
        incoming: GradientTransform,
        weights: &[f32],
        gradients: &[f32],
        state: &mut [&mut [f32]],
    ) -> [f64; 2] {
        let _ = (step, incoming, weights, gradients, state);
        [0.0; 2]
    }
    /// Updates a block of one parameter. `state` holds the values of the block for each of the
    /// [state names](AnyOptimizer::state_names). Not called if there is a [`model_rule`](AnyOptimizer::model_rule).
    fn update_block(
        &self,
        step: UpdateStep,
        incoming: GradientTransform,
        weights: &mut [f32],
        gradients: &[f32],
        state: &mut [&mut [f32]],
    ) {
        let _ = (step, incoming, weights, gradients, state);
    }
    /// Returns a copy.
    fn boxed(&self) -> Box<dyn AnyOptimizer>;
    /// Returns the same optimizer with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnyOptimizer>, String>;
}

impl dyn AnyOptimizer + '_ {
    /// Returns how many values a parameter stores under the [state name](AnyOptimizer::state_names) at `slot`; none if it is not trained.
    #[must_use]
    pub fn slot_length(&self, slot: usize, parameter: &GraphParameter) -> usize {
        match self.model_rule() {
            _ if !parameter.is_trained() => 0,
            Some(rule) => rule.slot_length(slot, parameter),
            None => parameter.shape.elements(),
        }
    }

    /// Returns the number of values of the state of all parameters.
    #[must_use]
    pub fn state_elements(&self, parameters: &[GraphParameter]) -> u64 {
        let slots = self.state_names().len();
        let lengths =
            parameters.iter().flat_map(|one| (0..slots).map(|slot| self.slot_length(slot, one) as u64));
        lengths.fold(0, u64::saturating_add)
    }
}

#[diagnostic::do_not_recommend]
impl<O: Optimizer> AnyOptimizer for O {
    fn lr(&self) -> f64 {
        Optimizer::lr(self)
    }

    fn state_names(&self) -> &'static [&'static str] {
        Optimizer::state_names(self)
    }

    fn initial(&self, slot: usize) -> f32 {
        self.initial_state(slot)
    }

    fn starts_at_weights(&self, slot: usize) -> bool {
        Optimizer::starts_at_weights(self, slot)
    }

    fn average(&self) -> Option<AveragePoint> {
        Optimizer::average(self)
    }

    fn is_sparse(&self) -> bool {
        Optimizer::is_sparse(self)
    }

    fn penalties(&self) -> Penalties {
        Optimizer::penalties(self)
    }

    fn step_size(&self) -> StepSize {
        Optimizer::step_size(self)
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Optimizer::usual_rates(self)
    }

    fn decays_itself(&self) -> bool {
        O::DECAYS_ITSELF
    }

    fn is_layerwise(&self) -> bool {
        O::LAYERWISE
    }

    fn trust(&self, step: UpdateStep, weights: f64, direction: f64) -> f64 {
        Optimizer::trust(self, step, weights, direction)
    }

    fn lowering(&self, step: UpdateStep) -> Option<RuleChain> {
        let rule = Optimizer::lowering(self, step)?;
        Some(RuleChain::of(rule, Optimizer::state_names(self).len()))
    }

    fn measure_block(
        &self,
        step: UpdateStep,
        incoming: GradientTransform,
        weights: &[f32],
        gradients: &[f32],
        state: &mut [&mut [f32]],
    ) -> [f64; 2] {
        if let Some(rule) = Optimizer::lowering(self, step) {
            return rule.measure_block(incoming, weights, gradients, state);
        }
        let direction = self.direction(step);
        O::State::measure_block(weights, gradients, incoming.scale, state, |w, g, element| {
            direction(w * incoming.keep, incoming.gradient(w, g), element)
        })
    }

    fn update_block(
        &self,
        step: UpdateStep,
        incoming: GradientTransform,
        weights: &mut [f32],
        gradients: &[f32],
        state: &mut [&mut [f32]],
    ) {
        if let Some(rule) = Optimizer::lowering(self, step) {
            rule.update_block(incoming, weights, gradients, state);
            return;
        }
        let (rule, keep) = (self.rule(step), incoming.keep);
        // A separate loop for the most common case.
        if incoming.only_scales() {
            O::State::update_block(weights, gradients, incoming.scale, state, |w, g, element| {
                rule(w * keep, g, element)
            });
        } else {
            O::State::update_block(weights, gradients, incoming.scale, state, |w, g, element| {
                rule(w * keep, incoming.gradient(w, g), element)
            });
        }
    }

    with_changes!(dyn AnyOptimizer);
}
