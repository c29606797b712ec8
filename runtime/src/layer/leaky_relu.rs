//! The leaky rectified linear unit.

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

/// The leaky rectified linear unit: `y = x` above 0, `y = slope * x` elsewhere.
///
/// The gradient at 0 is `slope`, as in PyTorch.
///
/// # Shapes
/// Any shape of real values, unchanged.
///
/// # Errors
/// `leaky_relu: slope is NaN; expected a finite number`, at compile time.
///
/// # Source
/// Maas et al. 2013.
///
/// # Example
/// ```
/// use trainspec::layer::LeakyRelu;
/// use trainspec::{Config, Shape};
///
/// let x = Shape::of(&[32, 8, 8]);
/// assert_eq!(LeakyRelu::DEFAULT.output(x), Ok(x));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeakyRelu {
    /// The slope below 0, any finite number; 0.01 by default.
    pub slope: f64,
}

impl LeakyRelu {
    /// `slope` is finite.
    pub const fn check(&self) -> CheckResult {
        rule::finite("slope", self.slope)
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        Ok(input)
    }
}

impl Config for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
    const DEFAULT: Self = Self { slope: 0.01 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for LeakyRelu {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        // comparison and product
        rule::operations(&[2, output.elements()])
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Activation
    }

    fn lowering(&self, _: &[Shape]) -> Lowering {
        Lowering::Activation(Activation::LeakyRelu { slope: self.slope as f32 })
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        Ok(x.gt(0.0)?.where_cond(x, &x.affine(self.slope, 0.0)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slope_must_be_finite() {
        assert!(LeakyRelu { slope: -1.0 }.check().is_ok());
        assert!(LeakyRelu { slope: f64::INFINITY }.check().is_err());
        let problem = LeakyRelu { slope: f64::NAN }.check().unwrap_err();
        assert_eq!(problem.as_str(), "slope is NaN; expected a finite number");
    }

    #[test]
    fn every_real_shape_is_accepted() {
        for axes in [&[][..], &[3], &[1, 2, 3, 4, 5]] {
            assert_eq!(LeakyRelu::DEFAULT.output(Shape::of(axes)), Ok(Shape::of(axes)));
        }
        assert!(LeakyRelu::DEFAULT.output(Shape::of(&[3, 0])).is_err());
        assert!(LeakyRelu::DEFAULT.output(Shape::tokens(5, 4)).is_err());
    }
}
