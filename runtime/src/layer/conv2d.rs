//! The 2D convolution: a learned filter that slides over height and width.

use std::fmt;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::convolution::Convolution;
use super::pair::{self, Written};
use super::rule::{self, hold};
use super::window::Window;
use super::{Axis, Initializer, Layer, LayerKind, OutputRule, Parameter, ParameterAxes, one, weight_norm};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckResult, Shape};

/// A two-dimensional convolution (a cross-correlation, as everywhere in deep learning).
///
/// `y[o, i, j] = b[o] + sum over c, u, v of W[o, c, u, v] * x[c, s i + d u - p, s j + d v - p]` with stride
/// `s`, dilation `d`, padding `p`, and `x` 0 outside of the image. With `groups` above 1 the channels are
/// split, and each group of outputs sees its own group of inputs; `groups` = channels is the depthwise
/// convolution. `W` is `weight [out, channels / groups, kernel, kernel]`, `b` is `bias [out]`; both are
/// initialized uniform within `1 / sqrt(channels / groups * kernel^2)`; `init` selects another initializer of `W`.
/// `kernel`, `stride`, `padding` and `dilation` take one number, or a [`pair`](super::pair()) for height and width.
///
/// # Shapes
/// `[channels, height, width]` to `[out, h, w]` with
/// `h = floor((height + 2 padding - dilation (kernel - 1) - 1) / stride) + 1`, and likewise for `w`.
///
/// # Errors
/// `conv2d: a 5x5 kernel does not fit the input [1, 2, 2] with padding 0`, or a count of 0, or channels
/// that `groups` does not divide; at compile time.
///
/// # Source
/// LeCun et al. 1989; the sizes and initial values are PyTorch's.
///
/// # Example
/// ```
/// use trainspec::layer::Conv2d;
/// use trainspec::{Config, Shape};
///
/// let layer = Conv2d { out: 32, kernel: 3, stride: 2, padding: 1, ..Conv2d::DEFAULT };
/// assert_eq!(layer.output(Shape::of(&[1, 8, 8])), Ok(Shape::of(&[32, 4, 4])));
/// ```
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    /// The number of output channels, at least 1; required.
    pub out: usize,
    /// The side of the square kernel, or `pair(height, width)`, at least 1; required.
    #[serde(with = "pair")]
    pub kernel: usize,
    /// How many pixels the kernel moves at a time, or a pair for down and right, at least 1; 1 by default.
    #[serde(with = "pair")]
    pub stride: usize,
    /// How many rows and columns of zeros surround the image, on each edge; or a pair, rows and columns; 0 by default.
    #[serde(with = "pair")]
    pub padding: usize,
    /// The distance between the kernel's elements in pixels, or a pair for rows and columns, at least 1; 1 by default.
    #[serde(with = "pair")]
    pub dilation: usize,
    /// The number of groups that the channels are split into, at least 1; divides both channel counts; 1 by
    /// default.
    pub groups: usize,
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

impl Conv2d {
    /// Counts are at least 1, `groups` divides `out`, and `init` is valid.
    pub const fn check(&self) -> CheckResult {
        hold!(self.init.check());
        hold!(weight_norm::check(self.weight_norm, self.init));
        self.convolution().check()
    }

    /// `[out, h, w]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        let (height, width) = hold!(self.convolution().output(input));
        rule::given(Shape::of(&[self.out, height, width]))
    }

    const fn convolution(&self) -> Convolution {
        let Self { out, kernel, stride, padding, dilation, groups, bias, weight_norm, .. } = *self;
        let window = Window::of_image(kernel, stride, padding, dilation);
        Convolution { out, window, groups, bias, weight_norm }
    }
}

impl fmt::Debug for Conv2d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conv2d")
            .field("out", &self.out)
            .field("kernel", &Written(self.kernel))
            .field("stride", &Written(self.stride))
            .field("padding", &Written(self.padding))
            .field("dilation", &Written(self.dilation))
            .field("groups", &self.groups)
            .field("bias", &self.bias)
            .field("weight_norm", &self.weight_norm)
            .field("init", &self.init)
            .finish()
    }
}

impl Config for Conv2d {
    const NAME: &'static str = "conv2d";
    const DEFAULT: Self = Self {
        out: 0,
        kernel: 0,
        stride: 1,
        padding: 0,
        dilation: 1,
        groups: 1,
        bias: true,
        weight_norm: false,
        init: Initializer::Default,
    };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("out", "the number of output channels"), ("kernel", "the side of the square kernel")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Conv2d {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[
        ("weight", &[Axis::FirstOfOutput, Axis::Other, Axis::Other, Axis::FirstOfInput]),
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
            [input] if input.rank() == 3 => self.convolution().lowering(*input),
            _ => Lowering::Fallback,
        }
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        self.convolution().forward(one(inputs, self)?, pass)
    }
}

#[cfg(test)]
mod tests {
    use super::super::pair;
    use super::*;

    fn said(layer: &Conv2d, input: &[usize]) -> String {
        layer.output(Shape::of(input)).unwrap_err().as_str().to_owned()
    }

    #[test]
    fn kernel_larger_than_input_is_rejected() {
        let layer = Conv2d { out: 4, kernel: 5, ..Conv2d::DEFAULT };
        assert_eq!(
            said(&layer, &[1, 2, 2]),
            "a 5x5 kernel does not fit the input [1, 2, 2] with padding 0; use a `kernel` of at most 2, or more `padding`"
        );
        assert_eq!(
            said(&layer, &[1, 5, 4]),
            "a 5x5 kernel does not fit the input [1, 5, 4] with padding 0; use a `kernel` of at most 4, or more `padding`"
        );
        assert_eq!(layer.output(Shape::of(&[1, 5, 5])), Ok(Shape::of(&[4, 1, 1])));
        let wide = Conv2d { kernel: 3, dilation: 2, padding: 1, ..layer };
        assert_eq!(wide.output(Shape::of(&[1, 3, 3])), Ok(Shape::of(&[4, 1, 1])));
        assert_eq!(
            said(&wide, &[1, 2, 3]),
            "a 3x3 kernel does not fit the input [1, 2, 3] with padding 1 and dilation 2; use a `kernel` of at most 2, or more \
             `padding`"
        );
    }

    #[test]
    fn kernel_may_have_different_sides() {
        let layer = Conv2d { out: 4, kernel: pair(3, 5), padding: pair(1, 0), ..Conv2d::DEFAULT };
        assert_eq!(layer.output(Shape::of(&[2, 3, 7])), Ok(Shape::of(&[4, 3, 3])));
        assert_eq!(
            said(&layer, &[2, 3, 4]),
            "a 3x5 kernel does not fit the input [2, 3, 4] with padding pair(1, 0); use a `kernel` of at most pair(5, 4), or \
             more `padding`"
        );
        let layer = Conv2d { stride: pair(2, 1), dilation: pair(1, 2), ..layer };
        assert_eq!(layer.output(Shape::of(&[2, 6, 11])), Ok(Shape::of(&[4, 3, 3])));
        let json = serde_json::to_string(&layer).unwrap();
        assert!(
            json.starts_with(r#"{"out":4,"kernel":[3,5],"stride":[2,1],"padding":[1,0],"dilation":[1,2],"#)
        );
        assert_eq!(format!("{:?}", serde_json::from_str::<Conv2d>(&json).unwrap()), format!("{layer:?}"));
        assert!(Conv2d { kernel: pair(3, 0), ..layer }.check().is_err());
    }

    #[test]
    fn groups_must_divide_input_and_output_channels() {
        let layer = Conv2d { out: 6, kernel: 1, groups: 3, ..Conv2d::DEFAULT };
        assert!(layer.check().is_ok());
        assert_eq!(layer.output(Shape::of(&[9, 1, 1])), Ok(Shape::of(&[6, 1, 1])));
        assert_eq!(
            said(&layer, &[4, 1, 1]),
            "the 4 channels of the input [4, 1, 1] cannot be split into 3 groups; expected a divisor of 4"
        );
        let layer = Conv2d { out: 7, ..layer };
        let problem = layer.check().unwrap_err();
        assert_eq!(
            problem.as_str(),
            "7 output channels cannot be split into 3 groups; expected a divisor of 7"
        );
    }

    #[test]
    fn oversized_keys_are_rejected_without_panic() {
        let good = Conv2d { out: 4, kernel: 1, ..Conv2d::DEFAULT };
        let most = usize::MAX;
        for layer in [
            Conv2d { out: 0, ..good },
            Conv2d { out: most, ..good },
            Conv2d { kernel: 0, ..good },
            Conv2d { kernel: most, ..good },
            Conv2d { stride: 0, ..good },
            Conv2d { padding: most, ..good },
            Conv2d { dilation: 0, ..good },
            Conv2d { groups: 0, ..good },
            Conv2d { groups: most, ..good },
        ] {
            assert!(layer.check().is_err());
            assert!(layer.output(Shape::of(&[4, 8, 8])).is_err());
        }
        assert!(Conv2d { padding: u32::MAX as usize, ..good }.output(Shape::of(&[4, 8, 8])).is_err());
        assert!(good.output(Shape::of(&[most - 1, most - 1, most - 1])).is_err());
        assert!(good.output(Shape::of(&[4, 8])).is_err());
        assert!(good.output(Shape::of(&[4, 0, 8])).is_err());
        assert!(good.output(Shape::of(&[1, 1 << 17, 1 << 17])).is_err());
        // The input, weight and output are small; the padded image is not.
        let wide = Conv2d { kernel: 2, dilation: 1 << 20, padding: 1 << 19, ..good };
        let problem = wide.output(Shape::of(&[4, 8, 8])).unwrap_err();
        assert_eq!(
            problem.as_str(),
            "the input [4, 8, 8] with padding 524288 is too large; expected fewer than 2^31 elements including the padding"
        );
        // A stride beyond the image is not an error.
        assert_eq!(
            Conv2d { stride: u32::MAX as usize, ..good }.output(Shape::of(&[4, 8, 8])),
            Ok(Shape::of(&[4, 1, 1]))
        );
    }
}
