//! The transposed 2D convolution: a learned filter that enlarges an image.

use std::fmt;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::pair::{self, Written};
use super::rule::{self, hold};
use super::transposition::Transposition;
use super::window::Window;
use super::{Axis, Initializer, Layer, LayerKind, OutputRule, Parameter, ParameterAxes, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// A two-dimensional transposed convolution, sometimes called deconvolution.
///
/// Each pixel adds the kernel, times its value, to the output: `y[o, s i + d u - p, s j + d v - p]` gets
/// `W[c, o, u, v] * x[c, i, j]` for every `c, i, j, u, v`, and the bias `b[o]`, with stride `s`, dilation `d` and
/// padding `p`. It is the gradient of [`Conv2d`](super::Conv2d), as a layer. `padding` removes rows and columns from the edges of
/// the output, so that a convolution with the same keys maps the output's size to the input's; where the stride
/// leaves a choice, `output_padding` adds rows and columns to the bottom and the right. With `groups` above 1 each group of
/// inputs reaches its own group of outputs. `W` is `weight [channels, out / groups, kernel, kernel]`, `b` is `bias [out]`; both are
/// initialized uniform within `1 / sqrt(out / groups * kernel^2)`; `init` selects another initializer of `W`.
/// `kernel`, `stride`, `padding`, `output_padding` and `dilation` take one number, or a [`pair`](super::pair()) for height
/// and width.
///
/// # Shapes
/// `[channels, height, width]` to `[out, h, w]` with
/// `h = (height - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1`, and likewise for `w`.
///
/// # Errors
/// `conv_transpose2d: output_padding is 2; expected less than the stride, 2`, a `padding` that leaves no output, a count of 0,
/// or channels that `groups` does not divide; at compile time.
///
/// # Source
/// Zeiler et al. 2010; the sizes and initial values are PyTorch's.
///
/// # Example
/// ```
/// use trainspec::layer::ConvTranspose2d;
/// use trainspec::{Config, Shape};
///
/// let layer = ConvTranspose2d { out: 16, kernel: 4, stride: 2, padding: 1, ..ConvTranspose2d::DEFAULT };
/// assert_eq!(layer.output(Shape::of(&[32, 7, 7])), Ok(Shape::of(&[16, 14, 14])));
/// ```
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvTranspose2d {
    /// The number of output channels, at least 1; required.
    pub out: usize,
    /// The side of the square kernel, or `pair(height, width)`, at least 1; required.
    #[serde(with = "pair")]
    pub kernel: usize,
    /// How many pixels of the output lie between those of two adjacent pixels, or a pair for down and right, at least 1; 1
    /// by default.
    #[serde(with = "pair")]
    pub stride: usize,
    /// How many rows and columns are removed from each edge of the output, or a pair, rows and columns; 0 by default.
    #[serde(with = "pair")]
    pub padding: usize,
    /// How many rows and columns are added at the bottom and the right, or a pair; less than `stride`; 0 by default.
    #[serde(with = "pair")]
    pub output_padding: usize,
    /// The distance between the kernel's elements in pixels, or a pair for rows and columns, at least 1; 1 by default.
    #[serde(with = "pair")]
    pub dilation: usize,
    /// The number of groups that the channels are split into, at least 1; divides both channel counts; 1 by
    /// default.
    pub groups: usize,
    /// Whether a learned bias is added to each output channel; `true` by default. A following
    /// `batch_norm` makes it redundant.
    pub bias: bool,
    /// Initializer of `weight`; [`Initializer::Default`], as in PyTorch, by default. As in PyTorch, the fans of the others are
    /// those of a matrix with a row for each *input* channel.
    pub init: Initializer,
}

impl ConvTranspose2d {
    /// Counts are at least 1, `output_padding` is less than the stride, `groups` divides `out`, and `init` is valid.
    pub const fn check(&self) -> CheckResult {
        hold!(self.init.check());
        self.transposition().check()
    }

    /// `[out, h, w]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        let (height, width) = hold!(self.transposition().output(input));
        rule::given(Shape::of(&[self.out, height, width]))
    }

    const fn transposition(&self) -> Transposition {
        let Self { out, kernel, stride, padding, dilation, groups, bias, .. } = *self;
        let window = Window::of_image(kernel, stride, padding, dilation);
        Transposition { out, window, output_padding: pair::both(self.output_padding), groups, bias }
    }
}

impl fmt::Debug for ConvTranspose2d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConvTranspose2d")
            .field("out", &self.out)
            .field("kernel", &Written(self.kernel))
            .field("stride", &Written(self.stride))
            .field("padding", &Written(self.padding))
            .field("output_padding", &Written(self.output_padding))
            .field("dilation", &Written(self.dilation))
            .field("groups", &self.groups)
            .field("bias", &self.bias)
            .field("init", &self.init)
            .finish()
    }
}

impl Config for ConvTranspose2d {
    const NAME: &'static str = "conv_transpose2d";
    const DEFAULT: Self = Self {
        out: 0,
        kernel: 0,
        stride: 1,
        padding: 0,
        output_padding: 0,
        dilation: 1,
        groups: 1,
        bias: true,
        init: Initializer::Default,
    };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("out", "the number of output channels"), ("kernel", "the side of the square kernel")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for ConvTranspose2d {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[
        ("weight", &[Axis::FirstOfInput, Axis::Other, Axis::Other, Axis::FirstOfOutput]),
        ("bias", &[Axis::FirstOfOutput]),
    ];

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        self.transposition().parameters(inputs, self.init)
    }

    fn flops(&self, inputs: &[Shape], _: Shape) -> u64 {
        self.transposition().flops(inputs)
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Affine
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        match inputs {
            [input] if input.rank() == 3 => {
                Lowering::kernel(kernels::ConvTranspose2d(self.transposition().planned(*input)))
            }
            _ => Lowering::Fallback,
        }
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        self.transposition().forward(one(inputs, self)?, pass)
    }
}

#[cfg(test)]
mod tests {
    use super::super::pair;
    use super::*;

    fn said(layer: &ConvTranspose2d, input: &[usize]) -> String {
        layer.output(Shape::of(input)).unwrap_err().as_str().to_owned()
    }

    #[test]
    fn output_size_matches_pytorch() {
        let layer = ConvTranspose2d { out: 4, kernel: 3, ..ConvTranspose2d::DEFAULT };
        assert_eq!(layer.output(Shape::of(&[2, 3, 5])), Ok(Shape::of(&[4, 5, 7])));
        let layer = ConvTranspose2d { stride: 2, padding: 1, output_padding: 1, ..layer };
        assert_eq!(layer.output(Shape::of(&[2, 3, 5])), Ok(Shape::of(&[4, 6, 10])));
        let layer =
            ConvTranspose2d { stride: pair(1, 3), output_padding: pair(0, 2), dilation: pair(2, 1), ..layer };
        assert_eq!(layer.output(Shape::of(&[2, 3, 5])), Ok(Shape::of(&[4, 5, 15])));
        // A stride that no second pixel uses.
        let layer = ConvTranspose2d {
            stride: u32::MAX as usize,
            padding: 0,
            output_padding: 0,
            dilation: 1,
            ..layer
        };
        assert_eq!(layer.output(Shape::of(&[2, 1, 1])), Ok(Shape::of(&[4, 3, 3])));
    }

    #[test]
    fn invalid_keys_and_inputs_are_rejected() {
        let layer = ConvTranspose2d { out: 4, kernel: 3, stride: 2, ..ConvTranspose2d::DEFAULT };
        assert_eq!(
            said(&ConvTranspose2d { output_padding: 2, ..layer }, &[2, 3, 3]),
            "output_padding is 2; expected less than the stride, 2"
        );
        assert_eq!(
            said(&ConvTranspose2d { padding: 4, ..layer }, &[2, 3, 3]),
            "padding is 4, which removes all of the output of 7 elements for the input [2, 3, 3]; use at most 3"
        );
        assert_eq!(
            said(&ConvTranspose2d { groups: 2, ..layer }, &[3, 8, 8]),
            "the 3 channels of the input [3, 8, 8] cannot be split into 2 groups; expected a divisor of 3"
        );
        assert!(said(&layer, &[2, 1 << 20, 1 << 20]).contains("too large"));
        let most = usize::MAX;
        for wrong in [
            ConvTranspose2d { out: 0, ..layer },
            ConvTranspose2d { out: most, ..layer },
            ConvTranspose2d { kernel: 0, ..layer },
            ConvTranspose2d { kernel: pair(3, 0), ..layer },
            ConvTranspose2d { stride: 0, ..layer },
            ConvTranspose2d { dilation: 0, ..layer },
            ConvTranspose2d { padding: most, ..layer },
            ConvTranspose2d { output_padding: most, ..layer },
            ConvTranspose2d { groups: 0, ..layer },
            ConvTranspose2d { groups: 3, ..layer },
        ] {
            assert!(wrong.check().is_err() && wrong.output(Shape::of(&[4, 8, 8])).is_err());
        }
    }
}
