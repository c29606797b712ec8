//! The 1D convolution: a learned filter that slides along a sequence.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::convolution::Convolution;
use super::rule::{self, hold};
use super::window::Window;
use super::{Axis, Initializer, Layer, LayerKind, OutputRule, Parameter, ParameterAxes, one, weight_norm};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckError, CheckResult, Shape};

/// A one-dimensional convolution of a sequence, with the channels first.
///
/// `y[o, i] = b[o] + sum over c, u of W[o, c, u] * x[c, s i + d u - p]` with stride `s`, dilation `d`, padding
/// `p`, and `x` 0 outside of the sequence. `groups` splits the channels as in [`Conv2d`](super::Conv2d). With
/// `causal = true` the sequence is padded with `dilation * (kernel - 1)` zeros before its start and not after its
/// end: `y[o, i]` depends only on `x[c, j]` with `j <= s i`, and with stride 1 the length does not change, as in
/// temporal convolutional networks. `W` is `weight [out, channels / groups, kernel]`, `b` is `bias [out]`, both
/// initialized uniform within `1 / sqrt(channels / groups * kernel)`; `init` selects another initializer of `W`.
///
/// # Shapes
/// `[channels, length]` to `[out, l]` with
/// `l = floor((length + 2 padding - dilation (kernel - 1) - 1) / stride) + 1`; with `causal = true`
/// `l = floor((length - 1) / stride) + 1`.
///
/// # Errors
/// `conv1d: a kernel of 5 does not fit the input [4, 2] with padding 0`, a count of 0, channels that `groups` does not
/// divide, or `padding` with `causal = true`; at compile time.
///
/// # Source
/// Waibel et al. 1989; causal and dilated: van den Oord et al. 2016, Bai et al. 2018; the sizes and initial values are
/// PyTorch's.
///
/// # Example
/// ```
/// use trainspec::layer::Conv1d;
/// use trainspec::{Config, Shape};
///
/// let layer = Conv1d { out: 64, kernel: 3, dilation: 4, causal: true, ..Conv1d::DEFAULT };
/// assert_eq!(layer.output(Shape::of(&[16, 256])), Ok(Shape::of(&[64, 256])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv1d {
    /// The number of output channels, at least 1; required.
    pub out: usize,
    /// The length of the kernel, at least 1; required.
    pub kernel: usize,
    /// How many positions the kernel moves at a time, at least 1; 1 by default.
    pub stride: usize,
    /// How many zeros precede the sequence and follow it; 0 by default.
    pub padding: usize,
    /// The distance between the kernel's elements, at least 1; 1 by default.
    pub dilation: usize,
    /// The number of groups that the channels are split into, at least 1; divides both channel counts; 1 by
    /// default.
    pub groups: usize,
    /// Whether the sequence is padded only before its start, so that no position depends on later ones; needs `padding`
    /// 0; `false` by default.
    pub causal: bool,
    /// Whether a learned bias is added to each output channel; `true` by default. A following
    /// `batch_norm` makes it redundant.
    pub bias: bool,
    /// Whether the weight is normalized: `true` stores it as the lengths and the directions of its rows, `weight_g` and `weight_v`, as
    /// [`Linear`](super::Linear) describes; `false` by default.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub weight_norm: bool,
    /// Initializer of `weight`; [`Initializer::Default`], as in PyTorch, by default.
    pub init: Initializer,
}

impl Conv1d {
    /// Counts are at least 1, `groups` divides `out`, `init` is valid, and `padding` is 0 if `causal` is set.
    pub const fn check(&self) -> CheckResult {
        hold!(self.init.check());
        hold!(weight_norm::check(self.weight_norm, self.init));
        if self.causal && self.padding > 0 {
            return Err(CheckError::new("padding is ")
                .number(self.padding)
                .text(", but `causal = true` pads the sequence before its start; remove `padding`"));
        }
        self.convolution().check()
    }

    /// `[out, l]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        let (_, length) = hold!(self.convolution().output(input));
        hold!(self.check());
        rule::given(Shape::of(&[self.out, length]))
    }

    const fn convolution(&self) -> Convolution {
        let Self { out, kernel, stride, padding, dilation, groups, causal, bias, weight_norm, .. } = *self;
        let padding =
            if causal { [dilation.saturating_mul(kernel.saturating_sub(1)), 0] } else { [padding; 2] };
        let window = Window::of_sequence(kernel, stride, padding, dilation);
        Convolution { out, window, groups, bias, weight_norm }
    }
}

impl Config for Conv1d {
    const NAME: &'static str = "conv1d";
    const DEFAULT: Self = Self {
        out: 0,
        kernel: 0,
        stride: 1,
        padding: 0,
        dilation: 1,
        groups: 1,
        causal: false,
        bias: true,
        weight_norm: false,
        init: Initializer::Default,
    };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("out", "the number of output channels"), ("kernel", "the length of the kernel")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Conv1d {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[
        ("weight", &[Axis::FirstOfOutput, Axis::Other, Axis::FirstOfInput]),
        ("bias", &[Axis::FirstOfOutput]),
    ];

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        self.convolution().parameters(inputs, self.init)
    }

    fn flops(&self, inputs: &[Shape], output: Shape) -> u64 {
        self.convolution().flops(inputs, output)
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Affine
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        match inputs {
            [input] if input.rank() == 2 => self.convolution().lowering(*input),
            _ => Lowering::Fallback,
        }
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        self.convolution().forward(one(inputs, self)?, pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(layer: &Conv1d, input: &[usize]) -> String {
        layer.output(Shape::of(input)).unwrap_err().as_str().to_owned()
    }

    #[test]
    fn output_size_matches_pytorch() {
        let layer = Conv1d { out: 4, kernel: 3, ..Conv1d::DEFAULT };
        assert_eq!(layer.output(Shape::of(&[2, 8])), Ok(Shape::of(&[4, 6])));
        assert_eq!(
            Conv1d { stride: 2, padding: 1, ..layer }.output(Shape::of(&[2, 8])),
            Ok(Shape::of(&[4, 4]))
        );
        let causal = Conv1d { causal: true, dilation: 8, ..layer };
        assert_eq!(causal.output(Shape::of(&[2, 8])), Ok(Shape::of(&[4, 8])));
        assert_eq!(Conv1d { stride: 2, ..causal }.output(Shape::of(&[2, 9])), Ok(Shape::of(&[4, 5])));
    }

    #[test]
    fn invalid_keys_and_inputs_are_rejected() {
        let layer = Conv1d { out: 4, kernel: 5, ..Conv1d::DEFAULT };
        assert_eq!(
            said(&layer, &[4, 2]),
            "a kernel of 5 does not fit the input [4, 2] with padding 0; use a `kernel` of at most 2, or more `padding`"
        );
        assert_eq!(
            said(&layer, &[4, 2, 3]),
            "the input is [4, 2, 3]; expected a sequence [channels, length]"
        );
        assert_eq!(
            said(&Conv1d { causal: true, padding: 2, ..layer }, &[4, 8]),
            "padding is 2, but `causal = true` pads the sequence before its start; remove `padding`"
        );
        assert_eq!(
            said(&Conv1d { groups: 2, ..layer }, &[3, 8]),
            "the 3 channels of the input [3, 8] cannot be split into 2 groups; expected a divisor of 3"
        );
        let most = usize::MAX;
        for wrong in [
            Conv1d { out: 0, ..layer },
            Conv1d { kernel: 0, ..layer },
            Conv1d { kernel: most, causal: true, ..layer },
            Conv1d { stride: 0, ..layer },
            Conv1d { dilation: 0, ..layer },
            Conv1d { padding: most, ..layer },
            Conv1d { groups: 0, ..layer },
        ] {
            assert!(wrong.check().is_err() && wrong.output(Shape::of(&[4, 8])).is_err());
        }
    }
}
