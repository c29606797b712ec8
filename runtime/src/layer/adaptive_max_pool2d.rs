//! Adaptive max pooling: a fixed number of windows, whatever the size of the image.

use std::fmt;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::pair::{self, Written, both};
use super::rule::{self, hold};
use super::{Layer, LayerKind, OutputRule, one, pooling};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// Adaptive max pooling: the largest value of each of `out` by `out` windows that divide the image as evenly as
/// possible.
///
/// The window of output `(i, j)` has the rows from `floor(i height / out)` up to `ceil((i + 1) height / out)`, and the columns
/// likewise: where `out` does not divide the size, adjacent windows overlap by one. The gradient goes to the first of equal
/// maxima. NaN counts as larger than every other value.
///
/// # Shapes
/// `[channels, height, width]` to `[channels, out, out]`, or `[channels, h, w]` with `out = pair(h, w)`.
///
/// # Errors
/// `adaptive_max_pool2d: the input is [64]; expected an image [channels, height, width]`, or an `out` of 0, at compile time.
///
/// # Source
/// PyTorch's `AdaptiveMaxPool2d`; He et al. 2014.
///
/// # Example
/// ```
/// use trainspec::Shape;
/// use trainspec::layer::AdaptiveMaxPool2d;
///
/// assert_eq!(AdaptiveMaxPool2d { out: 7 }.output(Shape::of(&[512, 20, 15])), Ok(Shape::of(&[512, 7, 7])));
/// ```
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveMaxPool2d {
    /// The rows and columns of the output, or [`pair(rows, columns)`](super::pair()), at least 1; required.
    #[serde(with = "pair")]
    pub out: usize,
}

impl AdaptiveMaxPool2d {
    /// `out` is at least 1.
    pub const fn check(&self) -> CheckResult {
        let [rows, columns] = both(self.out);
        hold!(rule::count("out", rows));
        rule::count("out", columns)
    }

    /// `[channels, out, out]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::image(input));
        hold!(self.check());
        hold!(rule::pixels(input, input.axis(1), input.axis(2)));
        let [rows, columns] = both(self.out);
        if rows.saturating_mul(columns) > 1 << 32 {
            return Err(CheckError::new("out is too large; expected at most 2^32 windows"));
        }
        rule::given(Shape::of(&[input.axis(0), rows, columns]))
    }
}

impl fmt::Debug for AdaptiveMaxPool2d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdaptiveMaxPool2d").field("out", &Written(self.out)).finish()
    }
}

impl Config for AdaptiveMaxPool2d {
    const NAME: &'static str = "adaptive_max_pool2d";
    const DEFAULT: Self = Self { out: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("out", "the rows and columns of the output")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for AdaptiveMaxPool2d {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, inputs: &[Shape], _: Shape) -> u64 {
        inputs.first().map_or(0, |input| input.elements() as u64)
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Pool
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&[planes, height, width]) = inputs.first().map(Shape::axes) else {
            return Lowering::Fallback;
        };
        let [rows, columns] = both(self.out);
        let sizes = trainspec_kernels::pool::AdaptivePool { planes, height, width, rows, columns };
        Lowering::kernel(kernels::AdaptiveMaxPool(sizes))
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        pooling::adaptive_largest(both(self.out), one(inputs, self)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::pair;
    use super::*;

    #[test]
    fn out_is_at_least_one_and_input_an_image() {
        let image = Shape::of(&[3, 8, 5]);
        assert_eq!(AdaptiveMaxPool2d { out: pair(2, 7) }.output(image), Ok(Shape::of(&[3, 2, 7])));
        assert_eq!(
            AdaptiveMaxPool2d { out: 0 }.output(image).unwrap_err().as_str(),
            "out is 0; expected at least 1"
        );
        assert!(AdaptiveMaxPool2d { out: usize::MAX }.output(image).is_err());
        assert!(AdaptiveMaxPool2d { out: 1 << 20 }.output(image).is_err());
        assert!(AdaptiveMaxPool2d { out: 2 }.output(Shape::of(&[8])).is_err());
    }
}
