//! Power-average pooling: the p-norm of each window.

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

/// Power-average pooling: the `p`-th root of the sum of the `p`-th powers in each window of each channel.
///
/// `y[c, i, j] = sign(t) |t|^(1/p)` with `t = sum over u, v < kernel of x[c, s i + u - q, s j + v - q]^p`, stride `s`, padding `q`, and
/// 0 outside of the image. With `p = 1` it is the sum, and with an even `p` the p-norm, which approaches the largest size as `p` grows.
/// With an odd `p` powers keep their sign, as in PyTorch, where, however, the root of a sum below 0 is NaN. The slope where `t` is 0 is
/// 0.
///
/// # Shapes
/// `[channels, height, width]` to `[channels, h, w]` with `h = floor((height + 2 padding - kernel) / stride) + 1`, and likewise for `w`.
///
/// # Errors
/// `lp_pool2d: a 5x5 kernel does not fit the input [1, 2, 2] with padding 0`, `p is 0; expected a whole number from 1 to 32`, or
/// `padding is 2; expected at most 1, half of the kernel`, at compile time. Powers beyond the range of f32 are infinite, as in PyTorch;
/// those below it are 0, and so is the slope.
///
/// # Source
/// Gulcehre et al., "Learned-norm pooling for deep feedforward and recurrent neural networks", 2014; PyTorch's `LPPool2d`, which has
/// no padding.
///
/// # Example
/// ```
/// use trainspec::layer::LpPool2d;
/// use trainspec::{Config, Shape};
///
/// let layer = LpPool2d { kernel: 2, ..LpPool2d::DEFAULT };
/// assert_eq!(layer.output(Shape::of(&[32, 8, 8])), Ok(Shape::of(&[32, 4, 4])));
/// ```
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LpPool2d {
    /// The exponent, from 1 to 32; 2 by default.
    pub p: usize,
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

impl LpPool2d {
    /// `p` is from 1 to 32, `kernel` at least 1, `padding` at most half of it.
    pub const fn check(&self) -> CheckResult {
        hold!(pooling::exponent(self.p));
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

debug_pairs!(LpPool2d { p } kernel, stride, padding);

impl Config for LpPool2d {
    const NAME: &'static str = "lp_pool2d";
    const DEFAULT: Self = Self { p: 2, kernel: 0, stride: 0, padding: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("kernel", "the side of the square window")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for LpPool2d {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        rule::operations(&[self.window().area(), self.p, output.elements()])
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Pool
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        match self.window().pool(inputs) {
            Some(pool) => Lowering::kernel(kernels::PowerPool { pool, p: self.p as u32 }),
            None => Lowering::Fallback,
        }
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        pooling::powers(&self.window(), self.p, one(inputs, self)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_fits_input_and_exponent_is_bounded() {
        let layer = LpPool2d { kernel: 3, ..LpPool2d::DEFAULT };
        assert_eq!(layer.output(Shape::of(&[1, 3, 3])), Ok(Shape::of(&[1, 1, 1])));
        let strided = LpPool2d { stride: super::super::pair(1, 2), ..layer };
        assert_eq!(strided.output(Shape::of(&[2, 8, 7])), Ok(Shape::of(&[2, 6, 3])));
        assert!(layer.output(Shape::of(&[1, 3, 2])).is_err());
        assert!(LpPool2d { p: 0, ..layer }.output(Shape::of(&[1, 3, 3])).is_err());
        assert!(LpPool2d::DEFAULT.check().is_err());
    }
}
