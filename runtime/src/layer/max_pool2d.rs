//! Max pooling: the largest value of each window.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::pair::{self, debug_pairs};
use super::rule::{self, hold};
use super::window::Window;
use super::{Layer, LayerKind, OutputRule, one, pooling};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// Max pooling: the largest value in each window of each channel.
///
/// `y[c, i, j] = max over u, v < kernel of x[c, s i + u - p, s j + v - p]` with stride `s`, padding `p`, and
/// minus infinity outside of the image. The gradient goes to the first of equal maxima, row by row, as in
/// PyTorch. NaN counts as larger than every other value.
///
/// # Shapes
/// `[channels, height, width]` to `[channels, h, w]` with
/// `h = floor((height + 2 padding - kernel) / stride) + 1`, and likewise for `w`.
///
/// # Errors
/// `max_pool2d: a 5x5 kernel does not fit the input [1, 2, 2] with padding 0`, or
/// `padding is 2; expected at most 1, half of the kernel`, at compile time.
///
/// # Source
/// Riesenhuber & Poggio 1999; sizes and padding are PyTorch's.
///
/// # Example
/// ```
/// use trainspec::layer::MaxPool2d;
/// use trainspec::{Config, Shape};
///
/// let layer = MaxPool2d { kernel: 2, ..MaxPool2d::DEFAULT };
/// assert_eq!(layer.output(Shape::of(&[32, 8, 8])), Ok(Shape::of(&[32, 4, 4])));
/// ```
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool2d {
    /// The side of the square window, or [`pair(height, width)`](super::pair()), at least 1; required.
    #[serde(with = "pair")]
    pub kernel: usize,
    /// How many pixels the window moves at a time, or a pair for down and right; 0, the default, is `kernel`, so that windows
    /// do not overlap.
    #[serde(with = "pair")]
    pub stride: usize,
    /// By how many pixels windows extend beyond each edge, or a pair, rows and columns; at most half of `kernel`; 0 by
    /// default.
    #[serde(with = "pair")]
    pub padding: usize,
}

impl MaxPool2d {
    /// `kernel` is at least 1, `padding` at most half of it.
    pub const fn check(&self) -> CheckResult {
        self.window().check_pool()
    }

    /// `[channels, h, w]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        let (height, width) = hold!(self.window().places(input));
        hold!(self.check());
        rule::given(Shape::of(&[input.axis(0), height, width]))
    }

    const fn window(&self) -> Window {
        Window::of_pool(self.kernel, self.stride, self.padding)
    }
}

debug_pairs!(MaxPool2d {} kernel, stride, padding);

impl Config for MaxPool2d {
    const NAME: &'static str = "max_pool2d";
    const DEFAULT: Self = Self { kernel: 0, stride: 0, padding: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("kernel", "the side of the square window")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for MaxPool2d {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        rule::operations(&[self.window().area(), output.elements()])
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Pool
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        match self.window().pool(inputs) {
            Some(pool) => Lowering::kernel(kernels::MaxPool(pool)),
            None => Lowering::Fallback,
        }
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        pooling::largest(&self.window(), one(inputs, self)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_stride_defaults_to_kernel() {
        let layer = MaxPool2d { kernel: 2, ..MaxPool2d::DEFAULT };
        assert_eq!(layer.output(Shape::of(&[3, 8, 7])), Ok(Shape::of(&[3, 4, 3])));
        let layer = MaxPool2d { kernel: 3, stride: 2, padding: 1 };
        assert_eq!(layer.output(Shape::of(&[3, 8, 7])), Ok(Shape::of(&[3, 4, 4])));
    }

    #[test]
    fn window_fits_input_and_padding_is_bounded() {
        let layer = MaxPool2d { kernel: 3, ..MaxPool2d::DEFAULT };
        assert!(layer.output(Shape::of(&[1, 3, 3])).is_ok());
        let problem = layer.output(Shape::of(&[1, 3, 2])).unwrap_err();
        assert_eq!(
            problem.as_str(),
            "a 3x3 kernel does not fit the input [1, 3, 2] with padding 0; use a `kernel` of at most 2, or more `padding`"
        );
        assert!(MaxPool2d { padding: 1, ..layer }.check().is_ok());
        assert!(MaxPool2d { padding: 2, ..layer }.check().is_err());
        assert!(MaxPool2d::DEFAULT.check().is_err());
        assert!(MaxPool2d::DEFAULT.output(Shape::of(&[1, 3, 3])).is_err());
    }
}
