//! A value with a number: `x * 0.5 + 1.0`.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::unary::Unary;

use super::rule::{self, hold};
use super::{Layer, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// `y = mul * x + add` for each element; the operators `+ - * /` with a number, and `-x`.
///
/// `x / c` is `x * (1.0 / c)`. The numbers are constants of the type `f64`, and are not learned.
///
/// # Shapes
/// Any shape of real values, unchanged.
///
/// # Errors
/// `affine: mul is inf; expected a finite number`, at compile time.
///
/// # Source
/// PyTorch's `add` and `mul` with a number.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Net(x: Features<4>) -> Values<4> {
///     let half = 0.5 * x.linear(out = 4);
///     1.0 - half.tanh() / 2.0
/// }
/// assert_eq!(Net::graph()?.nodes[1].layer.name(), "affine");
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affine {
    /// The factor, any finite number; 1 by default.
    pub mul: f64,
    /// What is added to the product, any finite number; 0 by default.
    pub add: f64,
}

impl Affine {
    /// Both numbers are finite.
    pub const fn check(&self) -> CheckResult {
        hold!(rule::finite("mul", self.mul));
        rule::finite("add", self.add)
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        hold!(self.check());
        Ok(input)
    }

    /// `x / number`
    pub(crate) const fn divided_by(number: f64) -> CheckResult<Self> {
        if number == 0.0 {
            return Err(CheckError::new("the divisor is 0; expected another number"));
        }
        Ok(Self { mul: 1.0 / number, add: 0.0 })
    }
}

impl Config for Affine {
    const NAME: &'static str = "affine";
    const DEFAULT: Self = Self { mul: 1.0, add: 0.0 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Affine {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        rule::operations(&[2, output.elements()])
    }

    fn lowering(&self, _: &[Shape]) -> Lowering {
        let (factor, shift) = (self.mul as f32, self.add as f32);
        Lowering::kernel(kernels::Function(Unary::Affine { factor, shift }))
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        Ok(one(inputs, self)?.affine(self.mul, self.add)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_must_be_finite() {
        assert!(Affine::DEFAULT.check().is_ok());
        let problem = Affine { mul: f64::INFINITY, add: 0.0 }.check().unwrap_err();
        assert_eq!(problem.as_str(), "mul is infinity; expected a finite number");
        assert!(Affine { mul: 1.0, add: f64::NAN }.check().is_err());
        assert!(Affine { mul: 1e39, add: 0.0 }.check().is_err());
        assert!(Affine::divided_by(0.0).is_err());
    }
}
