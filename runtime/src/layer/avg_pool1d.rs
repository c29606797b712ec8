//! Average pooling of sequences: the mean of each window.

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

/// Average pooling of a sequence: the mean of each window of each channel.
///
/// `y[c, i] = sum over u < kernel of x[c, s i + u - p] / kernel` with stride `s`, padding `p`, and 0 outside of the
/// sequence: the padding counts, as in PyTorch's default.
///
/// # Shapes
/// `[channels, length]` to `[channels, l]` with `l = floor((length + 2 padding - kernel) / stride) + 1`.
///
/// # Errors
/// `avg_pool1d: a kernel of 5 does not fit the input [4, 2] with padding 0`, or
/// `padding is 2; expected at most 1, half of the kernel`, at compile time.
///
/// # Source
/// LeCun et al. 1989; sizes and padding are PyTorch's (`count_include_pad=True`).
///
/// # Example
/// ```
/// use trainspec::layer::AvgPool1d;
/// use trainspec::{Config, Shape};
///
/// let layer = AvgPool1d { kernel: 2, ..AvgPool1d::DEFAULT };
/// assert_eq!(layer.output(Shape::of(&[32, 100])), Ok(Shape::of(&[32, 50])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvgPool1d {
    /// The length of the window, at least 1; required.
    pub kernel: usize,
    /// How many positions the window moves at a time; 0, the default, is `kernel`, so that windows do not overlap.
    pub stride: usize,
    /// By how many positions windows extend beyond each end, at most half of `kernel`; 0 by default.
    pub padding: usize,
}

impl AvgPool1d {
    /// `kernel` is at least 1, `padding` at most half of it.
    pub const fn check(&self) -> CheckResult {
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

impl Config for AvgPool1d {
    const NAME: &'static str = "avg_pool1d";
    const DEFAULT: Self = Self { kernel: 0, stride: 0, padding: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("kernel", "the length of the window")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for AvgPool1d {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        rule::operations(&[self.window().area(), output.elements()])
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Pool
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        match self.window().pool(inputs) {
            Some(pool) => Lowering::kernel(kernels::AveragePool(pool)),
            None => Lowering::Fallback,
        }
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        pooling::means(&self.window(), one(inputs, self)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_fits_sequence_and_padding_is_bounded() {
        let layer = AvgPool1d { kernel: 3, ..AvgPool1d::DEFAULT };
        assert_eq!(layer.output(Shape::of(&[2, 8])), Ok(Shape::of(&[2, 2])));
        assert_eq!(
            AvgPool1d { stride: 1, padding: 1, ..layer }.output(Shape::of(&[2, 8])),
            Ok(Shape::of(&[2, 8]))
        );
        let problem = layer.output(Shape::of(&[1, 2])).unwrap_err();
        assert_eq!(
            problem.as_str(),
            "a kernel of 3 does not fit the input [1, 2] with padding 0; use a `kernel` of at most 2, or more `padding`"
        );
        let problem = layer.output(Shape::of(&[3])).unwrap_err();
        assert_eq!(problem.as_str(), "the input is [3]; expected a sequence [channels, length]");
        assert!(AvgPool1d { padding: 2, ..layer }.check().is_err());
        assert!(AvgPool1d::DEFAULT.check().is_err());
    }
}
