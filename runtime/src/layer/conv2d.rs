//! The 2D convolution: a learned filter that slides over height and width.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::window::Window;
use super::{Axis, Init, Initializer, Layer, LayerKind, OutputRule, Parameter, ParameterAxes, Role, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// A two-dimensional convolution (a cross-correlation, as everywhere in deep learning).
///
/// `y[o, i, j] = b[o] + sum over c, u, v of W[o, c, u, v] * x[c, s i + d u - p, s j + d v - p]` with stride
/// `s`, dilation `d`, padding `p`, and `x` 0 outside of the image. With `groups` above 1 the channels are
/// split, and each group of outputs sees its own group of inputs; `groups` = channels is the depthwise
/// convolution. `W` is `weight [out, channels / groups, kernel, kernel]`, `b` is `bias [out]`; both are
/// initialized uniform within `1 / sqrt(channels / groups * kernel^2)`; `init` selects another initializer of `W`.
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
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    /// The number of output channels, at least 1; required.
    pub out: usize,
    /// The side of the square kernel, at least 1; required.
    pub kernel: usize,
    /// How many pixels the kernel moves at a time, at least 1; 1 by default.
    pub stride: usize,
    /// How many rows and columns of zeros surround the image; 0 by default.
    pub padding: usize,
    /// The distance between the kernel's elements in pixels, at least 1; 1 by default.
    pub dilation: usize,
    /// The number of groups that the channels are split into, at least 1; divides both channel counts; 1 by
    /// default.
    pub groups: usize,
    /// Whether a learned bias is added to each output channel; `true` by default. A following
    /// `batch_norm` makes it redundant.
    pub bias: bool,
    /// Initializer of `weight`; [`Initializer::Default`], as in PyTorch, by default.
    pub init: Initializer,
}

impl Conv2d {
    /// Counts are at least 1, `groups` divides `out`, and `init` is valid.
    pub const fn check(&self) -> CheckResult {
        hold!(self.init.check());
        hold!(rule::count("out", self.out));
        hold!(self.window().check());
        hold!(rule::count("groups", self.groups));
        if self.out.is_multiple_of(self.groups) {
            return Ok(());
        }
        Err(CheckError::new("")
            .number(self.out)
            .text(" output channels cannot be split into ")
            .number(self.groups)
            .text(" groups; expected a divisor of ")
            .number(self.out))
    }

    /// `[out, h, w]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        let (height, width) = hold!(self.window().places(input));
        hold!(self.check());
        let channels = input.axis(0);
        if !channels.is_multiple_of(self.groups) {
            return Err(CheckError::new("the ")
                .number(channels)
                .text(" channels of the input ")
                .shape(input)
                .text(" cannot be split into ")
                .number(self.groups)
                .text(" groups; expected a divisor of ")
                .number(channels));
        }
        let weight = Shape::of(&[self.out, channels / self.groups, self.kernel, self.kernel]);
        hold!(rule::possible("weight", weight));
        if !self.sizes(channels, input.axis(1), input.axis(2)).fits() {
            return Err(CheckError::new("the input ")
                .shape(input)
                .text(" with padding ")
                .number(self.padding)
                .text(" is too large; expected fewer than 2^31 elements including the padding"));
        }
        rule::given(Shape::of(&[self.out, height, width]))
    }

    const fn window(&self) -> Window {
        let Self { kernel, stride, padding, dilation, .. } = *self;
        Window { kernel, stride, padding, dilation }
    }

    /// The kernel that convolves one image.
    const fn sizes(&self, channels: usize, height: usize, width: usize) -> trainspec_kernels::conv2d::Conv2d {
        let Self { out, kernel, stride, padding, dilation, groups, .. } = *self;
        // All strides beyond the padded image are equivalent.
        let longer = if height > width { height } else { width };
        let padded = longer.saturating_add(padding.saturating_mul(2));
        let stride = if stride < padded { stride } else { padded };
        trainspec_kernels::conv2d::Conv2d {
            batch: 1,
            channels,
            height,
            width,
            out,
            kernel,
            stride,
            padding,
            dilation,
            groups,
        }
    }

    /// The number of input elements that each output element depends on.
    fn fan_in(&self, input: Option<&Shape>) -> usize {
        let channels = input.and_then(|input| input.axes().first()).map_or(1, |&channels| channels);
        (channels / self.groups.max(1)).saturating_mul(self.kernel).saturating_mul(self.kernel)
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
        let Some(&[channels, ..]) = inputs.first().map(Shape::axes) else { return Vec::new() };
        let init = Init::fan_in(self.fan_in(inputs.first()));
        let axes = [self.out, channels / self.groups.max(1), self.kernel, self.kernel];
        let mut parameters = vec![Parameter::new("weight", &axes, Role::Matrix, init).with_init(self.init)];
        if self.bias {
            parameters.push(Parameter::new("bias", &[self.out], Role::Bias, init));
        }
        parameters
    }

    fn flops(&self, inputs: &[Shape], output: Shape) -> u64 {
        rule::operations(&[2, self.fan_in(inputs.first()), output.elements()])
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Affine
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&[channels, height, width]) = inputs.first().map(Shape::axes) else {
            return Lowering::Fallback;
        };
        Lowering::kernel(kernels::Conv2d(self.sizes(channels, height, width)))
    }

    /// One matrix product: each window is a row, the weight's filters are the columns (Chellapilla et al.
    /// 2006). The backward pass of candle's own convolution fails where the stride leaves another remainder of the
    /// height than of the width, and is slower.
    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let (batch, channels, height, width) = x.dims4()?;
        let (rows, columns) = self.window().places(Shape::of(&[channels, height, width]))?;
        let (groups, each) = (self.groups, channels / self.groups.max(1));
        let (windows, area) = (batch * rows * columns, self.kernel * self.kernel);

        // [groups, windows, kernel * kernel * channels of the group], so that channels are adjacent
        let patches = self
            .patches(x, rows, columns)?
            .reshape((windows, area, groups, each))?
            .permute((2, 0, 1, 3))?
            .reshape((groups, windows, area * each))?;
        let filters = pass
            .parameter("weight")?
            .reshape((groups, self.out / groups, each, area))?
            .permute((0, 3, 2, 1))?
            .reshape((groups, area * each, self.out / groups))?;
        let y = patches.matmul(&filters)?.transpose(0, 1)?.reshape((windows, self.out))?;
        let y = if self.bias { y.broadcast_add(pass.parameter("bias")?)? } else { y };
        let y = y.reshape((batch, rows * columns, self.out))?.transpose(1, 2)?;
        Ok(y.reshape((batch, self.out, rows, columns))?)
    }
}

impl Conv2d {
    /// The pixels of all windows in order, `[batch, windows * kernel * kernel, channels]`.
    fn patches(&self, x: &Tensor, rows: usize, columns: usize) -> Result<Tensor> {
        let (batch, channels, ..) = x.dims4()?;
        let padded =
            x.pad_with_zeros(2, self.padding, self.padding)?.pad_with_zeros(3, self.padding, self.padding)?;
        let (_, _, height, width) = padded.dims4()?;
        let pixels = padded.permute((0, 2, 3, 1))?.reshape((batch, height * width, channels))?;
        if self.kernel == 1 && self.stride == 1 {
            return Ok(pixels);
        }
        let mut places = Vec::with_capacity(rows * columns * self.kernel * self.kernel);
        for row in 0..rows {
            for column in 0..columns {
                for u in 0..self.kernel {
                    let start = (row * self.stride + u * self.dilation) * width + column * self.stride;
                    places.extend((0..self.kernel).map(|v| (start + v * self.dilation) as u32));
                }
            }
        }
        Ok(pixels.index_select(&Tensor::new(places, x.device())?, 1)?)
    }
}

#[cfg(test)]
mod tests {
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
