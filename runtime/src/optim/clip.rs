//! Gradient clipping.

use serde::{Deserialize, Serialize};

use crate::config::{Config, Setting, with_changes};
use crate::shape::{Problem, Verdict};

/// A way to bound the gradient of a step: a factor for all of it, from its norm.
pub trait Clip: Config {
    /// What every gradient is multiplied by, when their norm together is `norm`.
    fn factor(&self, norm: f64) -> f64;
}

/// A way to clip of any type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no way to clip gradients",
    label = "expected `GlobalNorm {{ max: … }}`"
)]
pub trait AnyClip: Setting {
    /// [`Clip::factor`]
    fn factor(&self, norm: f64) -> f64;
    /// A copy.
    fn boxed(&self) -> Box<dyn AnyClip>;
    /// The same with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnyClip>, String>;
}

#[diagnostic::do_not_recommend]
impl<C: Clip> AnyClip for C {
    fn factor(&self, norm: f64) -> f64 {
        Clip::factor(self, norm)
    }

    with_changes!(dyn AnyClip);
}

/// Gradients stay as they are.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoClip {}

/// [`NoClip`](struct@NoClip) as a value.
#[allow(non_upper_case_globals)]
pub const NoClip: NoClip = NoClip {};

impl NoClip {
    /// There is nothing to check.
    pub const fn check(&self) -> Verdict {
        Ok(())
    }
}

impl Config for NoClip {
    const NAME: &'static str = "NoClip";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> Verdict = Self::check;
}

impl Clip for NoClip {
    fn factor(&self, _: f64) -> f64 {
        1.0
    }
}

/// Bounds the Euclidean norm of all gradients together.
///
/// Gradients stay as they are when `norm <= max`, and are multiplied by `max / norm` otherwise. (PyTorch
/// divides by `norm + 1e-6`, which is not the identity at the bound.)
///
/// # Source
/// Pascanu et al. 2013.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalNorm {
    /// The largest norm, above 0; required.
    pub max: f64,
}

impl GlobalNorm {
    /// The range of the norm.
    pub const fn check(&self) -> Verdict {
        if self.max > 0.0 && self.max.is_finite() {
            return Ok(());
        }
        Err(Problem::new("max is ").float(self.max).text("; expected a norm above 0"))
    }
}

impl Config for GlobalNorm {
    const NAME: &'static str = "GlobalNorm";
    const DEFAULT: Self = Self { max: 0.0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("max", "the largest norm of all gradients together")];
    const CHECK: fn(&Self) -> Verdict = Self::check;
}

impl Clip for GlobalNorm {
    fn factor(&self, norm: f64) -> f64 {
        if norm <= self.max { 1.0 } else { self.max / norm }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_bound_nothing_changes() {
        let clip = GlobalNorm { max: 2.0 };
        assert_eq!(Clip::factor(&clip, 2.0).to_bits(), 1.0_f64.to_bits());
        assert_eq!(Clip::factor(&clip, 4.0).to_bits(), 0.5_f64.to_bits());
        assert_eq!(Clip::factor(&clip, 0.0).to_bits(), 1.0_f64.to_bits());
    }
}
