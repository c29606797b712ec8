//! Gradient clipping.
//!
//! | method | bounds | source |
//! | --- | --- | --- |
//! | [`GlobalNorm`] | the norm of all gradients | Pascanu et al. 2013 |
//! | [`PerParameter`] | the norm of each parameter's gradient | |
//! | [`ClipValue`] | each element | |
//! | [`AdaptiveGrad`](struct@AdaptiveGrad) | each unit's norm, relative to that of its weights | Brock et al. 2021 |
//!
//! `ClipValue` is not named `Value`, because `Value` is the type that models pass between layers.

mod adaptive_grad;
mod clip_value;
mod global_norm;
mod gradients;
mod per_parameter;

pub use adaptive_grad::AdaptiveGrad;
pub use clip_value::ClipValue;
pub use global_norm::GlobalNorm;
pub(crate) use gradients::GradientStats;
pub use gradients::{Gradients, Unit};
pub use per_parameter::PerParameter;

use serde::{Deserialize, Serialize};

use crate::config::{Config, Setting, with_changes};
use crate::error::Result;
use crate::shape::{CheckError, CheckResult};

/// A gradient clipping method.
///
/// It receives the gradient after averaging over the window, which is always finite. Weight decay, `l1` and `l2`
/// are applied afterwards.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use trainspec::optim::{Clip, Gradients};
/// use trainspec::{Config, CheckResult};
///
/// /// Scales gradients to norm 1 (0 stays 0).
/// #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
/// pub struct Normalized {}
///
/// impl Config for Normalized {
///     const NAME: &'static str = "Normalized";
///     const DEFAULT: Self = Self {};
///     const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
/// }
///
/// impl Clip for Normalized {
///     fn clip(&self, gradients: &mut Gradients<'_>) -> trainspec::Result<()> {
///         let norm = gradients.norm();
///         if norm > 0.0 {
///             gradients.scale_all(1.0 / norm);
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Clip: Config {
    /// Clips the gradients of one step.
    ///
    /// # Errors
    /// If a parameter cannot be read from the device.
    fn clip(&self, gradients: &mut Gradients<'_>) -> Result<()>;

    /// Returns whether each element keeps its sign, for [advice](crate::advice): such a method has no effect on an optimizer
    /// that uses only the sign. False by default.
    fn keeps_signs(&self) -> bool {
        false
    }
}

/// A type-erased clipping method.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a gradient clipping method",
    label = "expected `GlobalNorm {{ max: … }}`, `PerParameter {{ max: … }}`, `ClipValue {{ max: … }}` or `AdaptiveGrad`"
)]
pub trait AnyClip: Setting {
    /// [`Clip::clip`]
    ///
    /// # Errors
    /// Same as [`Clip::clip`].
    fn clip(&self, gradients: &mut Gradients<'_>) -> Result<()>;
    /// [`Clip::keeps_signs`]
    fn keeps_signs(&self) -> bool;
    /// Returns a copy.
    fn boxed(&self) -> Box<dyn AnyClip>;
    /// Returns the same configuration with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnyClip>, String>;
}

#[diagnostic::do_not_recommend]
impl<C: Clip> AnyClip for C {
    fn clip(&self, gradients: &mut Gradients<'_>) -> Result<()> {
        Clip::clip(self, gradients)
    }

    fn keeps_signs(&self) -> bool {
        Clip::keeps_signs(self)
    }

    with_changes!(dyn AnyClip);
}

/// Leaves the gradients unchanged.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoClip {}

/// [`NoClip`](struct@NoClip) as a value.
#[allow(non_upper_case_globals)]
pub const NoClip: NoClip = NoClip {};

impl NoClip {
    /// Accepts every value.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl Config for NoClip {
    const NAME: &'static str = "NoClip";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Clip for NoClip {
    fn clip(&self, _: &mut Gradients<'_>) -> Result<()> {
        Ok(())
    }
}

/// Returns the factor that scales a larger norm to `max`; exactly 1 for a smaller norm.
fn factor(norm: f64, max: f64) -> f64 {
    if norm <= max { 1.0 } else { max / norm }
}

/// Checks the range of a bound.
const fn check_bound(key: &str, max: f64, what: &str) -> CheckResult {
    // Checked as f32 too, the type of the computation.
    if max as f32 > 0.0 && (max as f32).is_finite() {
        return Ok(());
    }
    let range = if max > 0.0 && max.is_finite() { ", within the range of f32" } else { "" };
    Err(CheckError::new(key)
        .text(" is ")
        .float(max)
        .text("; expected ")
        .text(what)
        .text(" above 0")
        .text(range))
}

#[cfg(test)]
mod tests {
    use super::factor;

    #[test]
    fn norm_at_bound_is_not_clipped() {
        for (norm, expected) in [(2.0, 1.0_f64), (4.0, 0.5), (0.0, 1.0), (2.0_f64.next_down(), 1.0)] {
            assert_eq!(factor(norm, 2.0).to_bits(), expected.to_bits());
        }
        assert!(factor(2.0_f64.next_up(), 2.0) < 1.0);
    }
}
