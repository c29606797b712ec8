//! A number divided by a value: `1.0 / x`.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::unary::Unary;

use super::rule::{self, hold};
use super::{Layer, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// `y = numerator / x` for each element; the operator `/` with a number on the left.
///
/// It is infinite where `x` is 0.
///
/// # Shapes
/// Any shape of real values, unchanged.
///
/// # Errors
/// `reciprocal: numerator is NaN; expected a finite number`, at compile time.
///
/// # Source
/// PyTorch's `reciprocal`.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Net(x: Features<4>) -> Values<4> {
///     1.0 / (1.0 + x.square())
/// }
/// assert_eq!(Net::graph()?.nodes[2].layer.name(), "reciprocal");
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reciprocal {
    /// The number that is divided, any finite one; 1 by default.
    pub numerator: f64,
}

impl Reciprocal {
    /// `numerator` is finite.
    pub const fn check(&self) -> CheckResult {
        rule::finite("numerator", self.numerator)
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        hold!(self.check());
        Ok(input)
    }
}

impl Config for Reciprocal {
    const NAME: &'static str = "reciprocal";
    const DEFAULT: Self = Self { numerator: 1.0 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Reciprocal {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn lowering(&self, _: &[Shape]) -> Lowering {
        Lowering::kernel(kernels::Function(Unary::Reciprocal { numerator: self.numerator as f32 }))
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        Ok((one(inputs, self)?.recip()? * self.numerator)?)
    }
}
