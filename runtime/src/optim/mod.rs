//! Optimizers: one configuration and one pure rule for one element each.
//!
//! | optimizer | source |
//! | --- | --- |
//! | [`Sgd`] | momentum and Nesterov in PyTorch's form (Sutskever et al. 2013) |
//! | [`AdamW`] | Loshchilov and Hutter 2019 |
//!
//! The pass over the parameters is not the optimizer's: it is fused with averaging and clipping, and it is
//! the same for all.

mod adam_w;
pub mod clip;
mod constraint;
#[cfg(test)]
mod element;
mod ema;
mod gradient_noise;
mod penalties;
mod sgd;
mod units;
mod update;

pub use adam_w::AdamW;
pub(crate) use clip::Measure;
pub use clip::{AdaptiveGrad, AnyClip, Clip, GlobalNorm, Gradients, NoClip, PerParameter, Unit, Value};
pub(crate) use constraint::constrain_all;
pub use constraint::{AnyConstraint, Constraint, MaxNorm, Unconstrained};
pub use ema::Ema;
pub use gradient_noise::GradientNoise;
pub use penalties::{Decay, Penalties};
pub use sgd::Sgd;
pub use update::{Incoming, Treatment, Update, UpdateStep};

use trainspec_kernels::update::Slots;

use crate::config::{Config, Setting, with_changes};

/// An optimizer: configuration, and the update of one element.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use trainspec::optim::{Optimizer, UpdateStep};
/// use trainspec::{Config, Verdict};
///
/// /// Steps by the sign of the gradient.
/// #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
/// pub struct SignDescent {
///     pub lr: f64,
/// }
///
/// impl SignDescent {
///     pub const fn check(&self) -> Verdict {
///         Ok(())
///     }
/// }
///
/// impl Config for SignDescent {
///     const NAME: &'static str = "SignDescent";
///     const DEFAULT: Self = Self { lr: 1e-3 };
///     const CHECK: fn(&Self) -> Verdict = Self::check;
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

    /// The names of the state that these keys need: the first few of [`Optimizer::STATE`]. What is not kept is 0
    /// whenever the rule sees it.
    fn state_names(&self) -> &'static [&'static str] {
        Self::STATE
    }

    /// The state of each element before the first step, a number for each of the [names](Optimizer::STATE); all 0
    /// by default.
    fn initial_state(&self) -> &'static [f32] {
        &[]
    }

    /// What keeps the weights small; nothing by default. The pass obeys it.
    fn penalties(&self) -> Penalties {
        Penalties::NONE
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
    message = "`{Self}` is no optimizer",
    label = "expected an optimizer, such as `Sgd` or `AdamW`"
)]
pub trait AnyOptimizer: Setting {
    /// [`Optimizer::lr`]
    fn lr(&self) -> f64;
    /// [`Optimizer::state_names`]
    fn state_names(&self) -> &'static [&'static str];
    /// [`Optimizer::initial_state`] of that name's number.
    fn initial(&self, slot: usize) -> f32;
    /// [`Optimizer::penalties`]
    fn penalties(&self) -> Penalties;
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
        incoming: Incoming,
        weights: &[f32],
        gradients: &[f32],
        state: &mut [&mut [f32]],
    ) -> [f64; 2];
    /// One step of a part of one parameter. `state` holds the part's numbers of each of the
    /// [state's names](AnyOptimizer::state_names).
    fn update_block(
        &self,
        step: UpdateStep,
        incoming: Incoming,
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
        self.initial_state().get(slot).copied().unwrap_or(0.0)
    }

    fn penalties(&self) -> Penalties {
        Optimizer::penalties(self)
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
        incoming: Incoming,
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
        incoming: Incoming,
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

/// The range of every learning rate.
const fn check_lr(lr: f64) -> crate::shape::Verdict {
    if lr > 0.0 && lr.is_finite() {
        return Ok(());
    }
    Err(crate::shape::Problem::new("lr is ").float(lr).text("; expected a number above 0"))
}
