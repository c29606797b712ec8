//! Optimizers: one configuration and one pure rule for one element each.
//!
//! | optimizer | keys of its own, with defaults | source |
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
//!
//! Each has `l1: 0`, `l2: 0`, `weight_decay: 0` and `decay: Matrices` besides ([`Penalties`]). A [`Group`] gives some
//! parameters a rate and a decay of their own, or freezes them.
//!
//! The pass over the parameters is not the optimizer's: it is fused with averaging and clipping, and it is
//! the same for all.

mod ada_delta;
mod ada_grad;
mod adam;
mod adam_w;
mod adamax;
pub mod clip;
mod constraint;
#[cfg(test)]
mod element;
mod ema;
mod facts;
mod gradient_noise;
mod group;
mod host;
mod lamb;
mod lars;
mod lion;
mod math;
mod moments;
mod nadam;
pub(crate) mod path;
mod radam;
mod rms_prop;
mod rules;
mod scaled;
mod sgd;
mod sign_sgd;
mod sparse_adam;
mod units;
mod update;

pub use crate::keys::{Decay, Penalties};
pub use ada_delta::AdaDelta;
pub use ada_grad::AdaGrad;
pub use adam::Adam;
pub use adam_w::AdamW;
pub use adamax::Adamax;
pub(crate) use clip::GradientStats;
pub use clip::{AdaptiveGrad, AnyClip, Clip, ClipValue, GlobalNorm, Gradients, NoClip, PerParameter, Unit};
pub(crate) use constraint::constrain_all;
pub use constraint::{AnyConstraint, Constraint, MaxNorm, Unconstrained};
pub use ema::Ema;
pub use facts::{StepSize, UsualRates};
pub use gradient_noise::GradientNoise;
pub(crate) use group::freezes_all;
pub use group::{Group, Groups};
pub use host::{HostAccess, HostParameters};
pub use lamb::Lamb;
pub use lars::Lars;
pub use lion::Lion;
pub use nadam::NAdam;
pub use radam::RAdam;
pub use rms_prop::RmsProp;
pub use sgd::Sgd;
pub use sign_sgd::SignSgd;
pub use sparse_adam::SparseAdam;
pub use update::{GradientTransform, ParameterConfig, Update, UpdateStep};

use trainspec_kernels::update::Slots;

use crate::config::{Config, Setting, with_changes};

/// An optimizer: configuration, and the update of one element.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use trainspec::optim::{Optimizer, UpdateStep};
/// use trainspec::{Config, CheckResult};
///
/// /// Steps by the sign of the gradient.
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
    /// What is kept for each element: `[f32; N]`.
    type State: Slots;
    /// The names of the state's numbers, as in the papers: `["m", "v"]`.
    const STATE: &'static [&'static str];
    /// Whether the rule applies [`UpdateStep::weight_decay`] itself, where it means something else than
    /// `w *= 1 - eta * weight_decay` before the rule.
    const DECAYS_ITSELF: bool = false;
    /// Whether the rule needs [`UpdateStep::trust`], a number that depends on a whole parameter.
    const LAYERWISE: bool = false;

    /// The learning rate on which schedules work.
    fn lr(&self) -> f64;

    /// The names of the state that these keys need, one for each of the first few numbers of
    /// [`Optimizer::State`]. What is not kept is 0 whenever the rule sees it.
    fn state_names(&self) -> &'static [&'static str] {
        Self::STATE
    }

    /// What each element's number of this [name](Optimizer::state_names) is before the first step; 0 by default.
    fn initial_state(&self, slot: usize) -> f32 {
        let _ = slot;
        0.0
    }

    /// Whether only those rows of embeddings are updated that a batch reads; false by default. Their gradient is 0 in
    /// every other row; the state of these rows stays as it is. An embedding that the [`penalties`](Optimizer::penalties)
    /// touch is updated whole, since these move every row.
    fn is_sparse(&self) -> bool {
        false
    }

    /// What keeps the weights small; nothing by default. The pass obeys it.
    fn penalties(&self) -> Penalties {
        Penalties::NONE
    }

    /// What the size of a step follows, for [advice](crate::advice); by default nobody knows.
    fn step_size(&self) -> StepSize {
        StepSize::Other
    }

    /// Which rates are usual, for [advice](crate::advice); by default nobody knows.
    fn usual_rates(&self) -> Option<UsualRates> {
        None
    }

    /// The update of a parameter in one step: a function from the weight, its gradient and its state to the new
    /// weight. What depends on the step alone is computed before it, in f64.
    fn rule(&self, step: UpdateStep) -> impl Fn(f32, f32, &mut Self::State) -> f32;

    /// For a [layer-wise](Optimizer::LAYERWISE) rule: where an element would go, of which the norm over the parameter
    /// is taken before any element moves. It may move the state, which the rule then sees moved.
    fn direction(&self, step: UpdateStep) -> impl Fn(f32, f32, &mut Self::State) -> f32 {
        let _ = step;
        |_, g, _| g
    }

    /// For a [layer-wise](Optimizer::LAYERWISE) rule: the number that it is told, from the norms of the parameter and
    /// of its direction.
    fn trust(&self, step: UpdateStep, weights: f64, direction: f64) -> f64 {
        let _ = (step, weights, direction);
        1.0
    }
}

/// An optimizer of any type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an optimizer",
    label = "expected an optimizer, such as `Sgd` or `AdamW`"
)]
pub trait AnyOptimizer: Setting {
    /// [`Optimizer::lr`]
    fn lr(&self) -> f64;
    /// [`Optimizer::state_names`]
    fn state_names(&self) -> &'static [&'static str];
    /// [`Optimizer::initial_state`] of that name's number.
    fn initial(&self, slot: usize) -> f32;
    /// [`Optimizer::is_sparse`]
    fn is_sparse(&self) -> bool;
    /// [`Optimizer::penalties`]
    fn penalties(&self) -> Penalties;
    /// [`Optimizer::step_size`]
    fn step_size(&self) -> StepSize;
    /// [`Optimizer::usual_rates`]
    fn usual_rates(&self) -> Option<UsualRates>;
    /// [`Optimizer::DECAYS_ITSELF`]
    fn decays_itself(&self) -> bool;
    /// [`Optimizer::LAYERWISE`]
    fn is_layerwise(&self) -> bool;
    /// [`Optimizer::trust`]
    fn trust(&self, step: UpdateStep, weights: f64, direction: f64) -> f64;
    /// The sums of the squares of a part's weights and of its [directions](Optimizer::direction). All else is as for
    /// [`AnyOptimizer::update_block`].
    fn measure_block(
        &self,
        step: UpdateStep,
        incoming: GradientTransform,
        weights: &[f32],
        gradients: &[f32],
        state: &mut [&mut [f32]],
    ) -> [f64; 2];
    /// One step of a part of one parameter. `state` holds the part's numbers of each of the
    /// [state's names](AnyOptimizer::state_names).
    fn update_block(
        &self,
        step: UpdateStep,
        incoming: GradientTransform,
        weights: &mut [f32],
        gradients: &[f32],
        state: &mut [&mut [f32]],
    );
    /// A copy.
    fn boxed(&self) -> Box<dyn AnyOptimizer>;
    /// The same optimizer with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnyOptimizer>, String>;
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

    fn measure_block(
        &self,
        step: UpdateStep,
        incoming: GradientTransform,
        weights: &[f32],
        gradients: &[f32],
        state: &mut [&mut [f32]],
    ) -> [f64; 2] {
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
        let (rule, keep) = (self.rule(step), incoming.keep);
        // A loop of its own for what most runs do.
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
