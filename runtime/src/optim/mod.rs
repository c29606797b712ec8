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
mod clip;
mod sgd;

pub use adam_w::AdamW;
pub use clip::{AnyClip, Clip, GlobalNorm, NoClip};
pub use sgd::Sgd;

use serde::{Deserialize, Serialize};
use trainspec_kernels::update::Slots;

use crate::config::{Config, Setting, with_changes};
use crate::layer::Role;

/// Which parameters `weight_decay` and `l2` touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decay {
    /// Matrices and convolution kernels only; not biases, normalization and embeddings. The default.
    Matrices,
    /// Every trained parameter.
    All,
}

impl Decay {
    /// Whether a parameter of this role is decayed.
    #[must_use]
    pub fn touches(self, role: Role) -> bool {
        match self {
            Self::Matrices => role == Role::Matrix,
            Self::All => role != Role::Statistic,
        }
    }
}

/// When an update happens, and how far it goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpdateStep {
    /// Optimizer steps, counted from 1.
    pub t: u64,
    /// The scheduled learning rate of this step.
    pub lr: f64,
}

/// An optimizer: configuration, and the update of one element.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use trainspec::layer::Role;
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
///     fn rule(&self, step: UpdateStep, _: Role) -> impl Fn(f32, f32, &mut [f32; 0]) -> f32 {
///         let lr = step.lr as f32;
///         move |w, g, []| if g == 0.0 { w } else { w - lr * g.signum() }
///     }
/// }
/// ```
pub trait Optimizer: Config {
    /// What is kept for each element, all 0 before the first step: `[f32; N]`.
    type State: Slots;
    /// The names of the state's numbers, as in the papers: `["m", "v"]`.
    const STATE: &'static [&'static str];

    /// The learning rate on which schedules work.
    fn lr(&self) -> f64;

    /// The update in one step of a parameter of this role: a function from the weight, its gradient and
    /// its state to the new weight. What depends on the step alone is computed before it, in f64.
    fn rule(&self, step: UpdateStep, role: Role) -> impl Fn(f32, f32, &mut Self::State) -> f32;
}

/// An optimizer of any type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no optimizer",
    label = "expected an optimizer, such as `Sgd` or `AdamW`"
)]
pub trait AnyOptimizer: Setting {
    /// [`Optimizer::lr`]
    fn lr(&self) -> f64;
    /// [`Optimizer::STATE`]
    fn state_names(&self) -> &'static [&'static str];
    /// One step of a part of one parameter: `gradients` are multiplied by `scale` before the rule sees them, and
    /// `state` holds the part's numbers of each of the [state's names](AnyOptimizer::state_names).
    fn update_block(
        &self,
        step: UpdateStep,
        role: Role,
        weights: &mut [f32],
        gradients: &[f32],
        scale: f32,
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
        O::STATE
    }

    fn update_block(
        &self,
        step: UpdateStep,
        role: Role,
        weights: &mut [f32],
        gradients: &[f32],
        scale: f32,
        state: &mut [&mut [f32]],
    ) {
        O::State::update_block(weights, gradients, scale, state, self.rule(step, role));
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

/// The range of every decay: not negative, and a step must not turn a weight round.
const fn check_decay(key: &str, decay: f64, lr: f64) -> crate::shape::Verdict {
    if !(decay >= 0.0 && decay.is_finite()) {
        return Err(crate::shape::Problem::new(key).text(" is ").float(decay).text("; expected 0 or more"));
    }
    if lr * decay >= 1.0 {
        return Err(crate::shape::Problem::new("lr * ")
            .text(key)
            .text(" is ")
            .float(lr * decay)
            .text("; expected less than 1, or each step takes the whole weight"));
    }
    Ok(())
}
