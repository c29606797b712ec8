//! Limits of each element.

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

/// Each element, or the nearer of `min` and `max` if it is outside of them: `x.clamp(min = 0.0, max = 6.0)`.
///
/// The derivative is 1 from `min` to `max`, and 0 elsewhere.
///
/// # Shapes
/// Any shape of real values, unchanged.
///
/// # Errors
/// `clamp: min is 1 and max is 0; expected min < max`, at compile time.
///
/// # Source
/// PyTorch's `clamp`.
///
/// # Example
/// ```
/// use trainspec::layer::Clamp;
/// use trainspec::{Config, Shape};
///
/// let x = Shape::of(&[32, 8, 8]);
/// assert_eq!(Clamp { min: 0.0, ..Clamp::DEFAULT }.output(x), Ok(x));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clamp {
    /// The smallest result, below `max`; the most negative number by default.
    pub min: f64,
    /// The largest result; the largest number by default.
    pub max: f64,
}

impl Clamp {
    /// `min` is below `max`.
    pub const fn check(&self) -> CheckResult {
        if self.min < self.max {
            return Ok(());
        }
        Err(CheckError::new("min is ")
            .float(self.min)
            .text(" and max is ")
            .float(self.max)
            .text("; expected min < max"))
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        hold!(self.check());
        Ok(input)
    }
}

impl Config for Clamp {
    const NAME: &'static str = "clamp";
    const DEFAULT: Self = Self { min: f64::MIN, max: f64::MAX };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Clamp {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        // two comparisons
        rule::operations(&[2, output.elements()])
    }

    fn lowering(&self, _: &[Shape]) -> Lowering {
        Lowering::kernel(kernels::Function(Unary::Clamp { min: self.min as f32, max: self.max as f32 }))
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let is_inside = (x.ge(self.min)? * x.le(self.max)?)?;
        Ok(is_inside.where_cond(x, &x.detach().clamp(self.min, self.max)?)?)
    }
}
