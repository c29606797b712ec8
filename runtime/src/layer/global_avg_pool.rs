//! Global average pooling: the mean of each channel.

use candle_core::{D, Tensor};
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{Layer, LayerKind, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// Global average pooling: the mean of each channel over the whole image.
///
/// `y[c] = sum over i, j of x[c, i, j] / (height * width)`
///
/// # Shapes
/// `[channels, height, width]` to `[channels]`.
///
/// # Errors
/// `global_avg_pool: the input is [64]; expected an image [channels, height, width]`, at compile time.
///
/// # Source
/// Lin et al. 2014.
///
/// # Example
/// ```
/// use trainspec::Shape;
/// use trainspec::layer::GlobalAvgPool;
///
/// assert_eq!(GlobalAvgPool {}.output(Shape::of(&[64, 7, 7])), Ok(Shape::of(&[64])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalAvgPool {}

impl GlobalAvgPool {
    /// Always succeeds: there is nothing to check.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }

    /// `[channels]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::image(input));
        Ok(Shape::of(&[input.axis(0)]))
    }
}

impl Config for GlobalAvgPool {
    const NAME: &'static str = "global_avg_pool";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for GlobalAvgPool {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, inputs: &[Shape], _: Shape) -> u64 {
        inputs.first().map_or(0, |input| input.elements() as u64)
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Pool
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&[channels, ref places @ ..]) = inputs.first().map(Shape::axes) else {
            return Lowering::Fallback;
        };
        Lowering::kernel(kernels::GlobalAveragePool { channels, places: places.iter().product() })
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        Ok(one(inputs, self)?.flatten_from(2)?.mean(D::Minus1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn non_image_input_is_rejected() {
        assert!(GlobalAvgPool {}.check().is_ok());
        assert_eq!(GlobalAvgPool {}.output(Shape::of(&[5, 1, 3])), Ok(Shape::of(&[5])));
        let problem = GlobalAvgPool {}.output(Shape::of(&[64])).unwrap_err();
        assert_eq!(problem.as_str(), "the input is [64]; expected an image [channels, height, width]");
    }
}
