//! The transposed 1D convolution: a learned filter that enlarges a sequence.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::transposition::Transposition;
use super::window::Window;
use super::{Axis, Initializer, Layer, LayerKind, OutputRule, Parameter, ParameterAxes, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// A one-dimensional transposed convolution, sometimes called deconvolution.
///
/// Each position adds the kernel, times its value, to the output: `y[o, s i + d u - p]` gets `W[c, o, u] * x[c, i]` for
/// every `c, i, u`, and the bias `b[o]`, with stride `s`, dilation `d` and padding `p`. It is the gradient of
/// [`Conv1d`](super::Conv1d), as a layer. `padding` removes positions from both ends of the output, so that a convolution with the
/// same keys maps the output's length to the input's; where the stride leaves a choice, `output_padding` adds positions to
/// the end. `W` is `weight [channels, out / groups, kernel]`, `b` is `bias [out]`; both are initialized uniform within
/// `1 / sqrt(out / groups * kernel)`; `init` selects another initializer of `W`.
///
/// # Shapes
/// `[channels, length]` to `[out, l]` with
/// `l = (length - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1`.
///
/// # Errors
/// `conv_transpose1d: output_padding is 2; expected less than the stride, 2`, a `padding` that leaves no output, a count of 0,
/// or channels that `groups` does not divide; at compile time.
///
/// # Source
/// Zeiler et al. 2010; the sizes and initial values are PyTorch's.
///
/// # Example
/// ```
/// use trainspec::layer::ConvTranspose1d;
/// use trainspec::{Config, Shape};
///
/// let layer = ConvTranspose1d { out: 16, kernel: 4, stride: 2, padding: 1, ..ConvTranspose1d::DEFAULT };
/// assert_eq!(layer.output(Shape::of(&[32, 100])), Ok(Shape::of(&[16, 200])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvTranspose1d {
    /// The number of output channels, at least 1; required.
    pub out: usize,
    /// The length of the kernel, at least 1; required.
    pub kernel: usize,
    /// How many positions of the output lie between those of two adjacent positions, at least 1; 1
    /// by default.
    pub stride: usize,
    /// How many positions are removed from each end of the output; 0 by default.
    pub padding: usize,
    /// How many positions are added at the end, less than `stride`; 0 by default.
    pub output_padding: usize,
    /// The distance between the kernel's elements, at least 1; 1 by default.
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

impl ConvTranspose1d {
    /// Counts are at least 1, `output_padding` is less than the stride, `groups` divides `out`, and `init` is valid.
    pub const fn check(&self) -> CheckResult {
        hold!(self.init.check());
        self.transposition().check()
    }

    /// `[out, l]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        let (_, length) = hold!(self.transposition().output(input));
        rule::given(Shape::of(&[self.out, length]))
    }

    const fn transposition(&self) -> Transposition {
        let Self { out, kernel, stride, padding, dilation, groups, bias, .. } = *self;
        let window = Window::of_sequence(kernel, stride, [padding; 2], dilation);
        Transposition { out, window, output_padding: [0, self.output_padding], groups, bias }
    }
}

impl Config for ConvTranspose1d {
    const NAME: &'static str = "conv_transpose1d";
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
        &[("out", "the number of output channels"), ("kernel", "the length of the kernel")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for ConvTranspose1d {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[
        ("weight", &[Axis::FirstOfInput, Axis::Other, Axis::FirstOfOutput]),
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
            [input] if input.rank() == 2 => {
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
    use super::*;

    fn said(layer: &ConvTranspose1d, input: &[usize]) -> String {
        layer.output(Shape::of(input)).unwrap_err().as_str().to_owned()
    }

    #[test]
    fn output_size_matches_pytorch() {
        let layer = ConvTranspose1d { out: 4, kernel: 4, ..ConvTranspose1d::DEFAULT };
        assert_eq!(layer.output(Shape::of(&[2, 5])), Ok(Shape::of(&[4, 8])));
        let layer = ConvTranspose1d { stride: 3, padding: 1, output_padding: 2, ..layer };
        assert_eq!(layer.output(Shape::of(&[2, 5])), Ok(Shape::of(&[4, 16])));
    }

    #[test]
    fn invalid_keys_and_inputs_are_rejected() {
        let layer = ConvTranspose1d { out: 4, kernel: 3, stride: 2, ..ConvTranspose1d::DEFAULT };
        assert_eq!(
            said(&ConvTranspose1d { output_padding: 3, ..layer }, &[2, 3]),
            "output_padding is 3; expected less than the stride, 2"
        );
        assert_eq!(
            said(&ConvTranspose1d { padding: 2, kernel: 1, ..layer }, &[2, 2]),
            "padding is 2, which removes all of the output of 3 elements for the input [2, 2]; use at most 1"
        );
        assert_eq!(said(&layer, &[2]), "the input is [2]; expected a sequence [channels, length]");
    }
}
