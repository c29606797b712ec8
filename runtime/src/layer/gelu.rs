//! The Gaussian error linear unit.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::epilogue::Activation;

use super::rule::{self, hold};
use super::{Layer, LayerKind, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckResult, Shape};

/// The input beyond which `(1 + tanh(…)) / 2` is exactly 0 or 1 in f64.
const END: f64 = 11.0;

/// The Gaussian error linear unit, `y = x * P(z <= x)` for a standard normal `z`.
///
/// That is `y = x (1 + erf(x / sqrt 2)) / 2`, or, with `approximate: Tanh`,
/// `y = x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2`.
///
/// # Shapes
/// Any shape of real values, unchanged.
///
/// # Errors
/// Only for an input of tokens, at compile time.
///
/// # Source
/// Hendrycks & Gimpel 2016.
///
/// # Example
/// ```
/// use trainspec::layer::{Approximate, Gelu};
/// use trainspec::Shape;
///
/// let x = Shape::of(&[128, 1024]);
/// assert_eq!(Gelu { approximate: Approximate::Tanh }.output(x), Ok(x));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gelu {
    /// The formula; [`Approximate::None`], the exact one, by default.
    pub approximate: Approximate,
}

/// The formula by which [`Gelu`] is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approximate {
    /// With the error function: exact.
    #[default]
    None,
    /// With the hyperbolic tangent, as in GPT-2; the error is at most 5e-4.
    Tanh,
}

impl Gelu {
    /// Always succeeds: there is nothing to check.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        Ok(input)
    }
}

impl Config for Gelu {
    const NAME: &'static str = "gelu";
    const DEFAULT: Self = Self { approximate: Approximate::None };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Gelu {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        // the error function, or the polynomial and the tangent, count as few; then a product and a sum
        rule::operations(&[8, output.elements()])
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Activation
    }

    fn lowering(&self, _: &[Shape]) -> Lowering {
        Lowering::Activation(match self.approximate {
            Approximate::None => Activation::Gelu,
            Approximate::Tanh => Activation::GeluTanh,
        })
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        // Not candle's own `gelu` and `gelu_erf`, whose gradients use constants rounded to six digits.
        let gate = match self.approximate {
            Approximate::None => x.affine(FRAC_1_SQRT_2, 0.0)?.erf()?,
            Approximate::Tanh => {
                let root = FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
                // The square of a value far beyond the limit is infinite, and the gradient would be 0 times infinity.
                let near = x.clamp(-END, END)?;
                (near.sqr()?.affine(0.044_715 * root, root)? * near)?.tanh()?
            }
        };
        Ok((gate.affine(0.5, 0.5)? * x)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_real_shape_is_accepted() {
        assert!(Gelu::DEFAULT.check().is_ok());
        assert_eq!(Gelu::DEFAULT.output(Shape::of(&[3, 1])), Ok(Shape::of(&[3, 1])));
        assert!(Gelu::DEFAULT.output(Shape::tokens(5, 4)).is_err());
    }

    #[test]
    fn keys_serialize_as_strings() {
        let json = serde_json::to_string(&Gelu { approximate: Approximate::Tanh }).unwrap();
        assert_eq!(json, r#"{"approximate":"tanh"}"#);
    }
}
