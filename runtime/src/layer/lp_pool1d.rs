//! Power-average pooling of sequences: the p-norm of each window.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::window::Window;
use super::{Layer, LayerKind, OutputRule, one, pooling};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// Power-average pooling of a sequence: the `p`-th root of the sum of the `p`-th powers in each window of each channel.
///
/// `y[c, i] = sign(t) |t|^(1/p)` with `t = sum over u < kernel of x[c, s i + u - q]^p`, stride `s`, padding `q`, and 0 outside of the
/// sequence. With `p = 1` it is the sum, and with an even `p` the p-norm, which approaches the largest size as `p` grows. With an odd
/// `p` powers keep their sign, as in PyTorch, where, however, the root of a sum below 0 is NaN. The slope where `t` is 0 is 0.
///
/// # Shapes
/// `[channels, length]` to `[channels, l]` with `l = floor((length + 2 padding - kernel) / stride) + 1`.
///
/// # Errors
/// `lp_pool1d: a kernel of 5 does not fit the input [4, 2] with padding 0`, `p is 0; expected a whole number from 1 to 32`, or
/// `padding is 2; expected at most 1, half of the kernel`, at compile time. Powers beyond the range of f32 are infinite, as in PyTorch;
/// those below it are 0, and so is the slope.
///
/// # Source
/// Gulcehre et al., "Learned-norm pooling for deep feedforward and recurrent neural networks", 2014; PyTorch's `LPPool1d`, which has
/// no padding.
///
/// # Example
/// ```
/// use trainspec::layer::LpPool1d;
/// use trainspec::{Config, Shape};
///
/// let layer = LpPool1d { kernel: 2, ..LpPool1d::DEFAULT };
/// assert_eq!(layer.output(Shape::of(&[32, 100])), Ok(Shape::of(&[32, 50])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LpPool1d {
    /// The exponent, from 1 to 32; 2 by default.
    pub p: usize,
    /// The length of the window, at least 1; required.
    pub kernel: usize,
    /// How many positions the window moves at a time; 0, the default, is `kernel`, so that windows do not overlap.
    pub stride: usize,
    /// By how many positions windows extend beyond each end, at most half of `kernel`; 0 by default.
    pub padding: usize,
}

impl LpPool1d {
    /// `p` is from 1 to 32, `kernel` at least 1, `padding` at most half of it.
    pub const fn check(&self) -> CheckResult {
        hold!(pooling::exponent(self.p));
        self.window().check_pool()
    }

    /// `[channels, l]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        let (_, length) = hold!(self.window().places(input));
        hold!(self.check());
        rule::given(Shape::of(&[input.axis(0), length]))
    }

    const fn window(&self) -> Window {
        Window::of_sequence_pool(self.kernel, self.stride, self.padding)
    }
}

impl Config for LpPool1d {
    const NAME: &'static str = "lp_pool1d";
    const DEFAULT: Self = Self { p: 2, kernel: 0, stride: 0, padding: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("kernel", "the length of the window")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for LpPool1d {
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
    fn window_fits_sequence_and_exponent_is_bounded() {
        let layer = LpPool1d { kernel: 3, ..LpPool1d::DEFAULT };
        assert_eq!(layer.output(Shape::of(&[2, 8])), Ok(Shape::of(&[2, 2])));
        assert_eq!(LpPool1d { stride: 1, ..layer }.output(Shape::of(&[2, 8])), Ok(Shape::of(&[2, 6])));
        let problem = layer.output(Shape::of(&[3])).unwrap_err();
        assert_eq!(problem.as_str(), "the input is [3]; expected a sequence [channels, length]");
        for p in [0, 33] {
            let problem = LpPool1d { p, ..layer }.check().unwrap_err();
            assert_eq!(problem.as_str(), format!("p is {p}; expected a whole number from 1 to 32"));
        }
        assert!(LpPool1d { padding: 2, ..layer }.check().is_err());
        assert!(LpPool1d::DEFAULT.check().is_err());
    }
}
