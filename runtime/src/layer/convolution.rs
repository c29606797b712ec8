//! Convolutions of images and of sequences, which are images of one row: what their layers share.

use candle_core::Tensor;
use trainspec_kernels::conv2d::Conv2d;

use super::rule::{self, hold};
use super::window::Window;
use super::{Init, Initializer, Parameter, Role, weight_norm};
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// A convolution, without the sizes of its input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Convolution {
    pub(super) out: usize,
    pub(super) window: Window,
    pub(super) groups: usize,
    pub(super) bias: bool,
    pub(super) weight_norm: bool,
}

impl Convolution {
    /// Counts are at least 1, and `groups` divides `out`.
    pub(super) const fn check(&self) -> CheckResult {
        hold!(rule::count("out", self.out));
        hold!(self.window.check());
        hold!(rule::count("groups", self.groups));
        divides_outputs(self.out, self.groups)
    }

    /// The rows and columns of the output; for a sequence, one row.
    pub(super) const fn output(&self, input: Shape) -> CheckResult<(usize, usize)> {
        let (rows, columns) = hold!(self.window.places(input));
        hold!(self.check());
        let channels = input.axis(0);
        hold!(divides_inputs(input, self.groups));
        let [height, width] = self.window.kernel;
        let weight = [self.out, channels / self.groups, height, width];
        hold!(rule::possible("weight", self.weight_shape(weight)));
        if !self.sizes(channels, self.window.sides(input)).fits() {
            let padding = [self.window.padding[0][0], self.window.padding[1][0]];
            let problem = CheckError::new("the input ").shape(input).text(" with padding ");
            return Err(self
                .window
                .key(problem, padding)
                .text(" is too large; expected fewer than 2^31 elements including the padding"));
        }
        Ok((rows, columns))
    }

    /// The shape of a weight with these axes, without the height of a sequence.
    pub(super) const fn weight_shape(&self, axes: [usize; 4]) -> Shape {
        if self.window.is_flat { Shape::of(&[axes[0], axes[1], axes[3]]) } else { Shape::of(&axes) }
    }

    /// The kernel that convolves one image.
    pub(super) const fn sizes(&self, channels: usize, [height, width]: [usize; 2]) -> Conv2d {
        let Window { kernel, mut stride, padding, dilation, .. } = self.window;
        // All strides beyond the padded image are equivalent.
        let longer = if height > width { height } else { width };
        let mut axis = 0;
        while axis < 2 {
            let [before, after] = padding[axis];
            let padded = longer.saturating_add(before).saturating_add(after);
            if stride[axis] > padded {
                stride[axis] = padded;
            }
            axis += 1;
        }
        let Self { out, groups, .. } = *self;
        Conv2d { batch: 1, channels, height, width, out, kernel, stride, padding, dilation, groups }
    }

    /// The kernel for an input of this shape.
    pub(super) fn lowering(&self, input: Shape) -> Lowering {
        let channels = input.axis(0);
        let map = kernels::Conv2d(self.sizes(channels, self.window.sides(input)));
        weight_norm::lowering(map, self.weight_norm, [self.out, self.fan_in(channels)])
    }

    /// The number of input elements that each output element depends on.
    pub(super) fn fan_in(&self, channels: usize) -> usize {
        (channels / self.groups.max(1)).saturating_mul(self.window.area())
    }

    /// `weight [out, channels / groups, …]` or its two parts, and `bias [out]`, as PyTorch initializes them.
    pub(super) fn parameters(&self, inputs: &[Shape], init: Initializer) -> Vec<Parameter> {
        let Some(&[channels, ..]) = inputs.first().map(Shape::axes) else { return Vec::new() };
        let [height, width] = self.window.kernel;
        let axes = self.weight_shape([self.out, channels / self.groups.max(1), height, width]);
        let default = Init::fan_in(self.fan_in(channels));
        let weight = Parameter::new("weight", axes.axes(), Role::Matrix, default).with_init(init);
        let mut parameters = weight_norm::parameters(weight, self.weight_norm);
        if self.bias {
            parameters.push(Parameter::new("bias", &[self.out], Role::Bias, default));
        }
        parameters
    }

    /// The operations for an input with this number of channels.
    pub(super) fn flops(&self, inputs: &[Shape], output: Shape) -> u64 {
        let channels = inputs.first().and_then(|input| input.axes().first()).map_or(1, |&channels| channels);
        rule::operations(&[2, self.fan_in(channels), output.elements()])
    }

    /// One matrix product: each window is a row, the weight's filters are the columns (Chellapilla et al.
    /// 2006). The backward pass of candle's own convolution fails where the stride leaves another remainder of the
    /// height than of the width, and is slower.
    pub(super) fn forward(&self, x: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = if self.window.is_flat { x.unsqueeze(2)? } else { x.clone() };
        let (batch, channels, height, width) = x.dims4()?;
        let image = if self.window.is_flat { vec![channels, width] } else { vec![channels, height, width] };
        let (rows, columns) = self.window.places(Shape::of(&image))?;
        let (groups, each) = (self.groups, channels / self.groups.max(1));
        let (windows, area) = (batch * rows * columns, self.window.area());

        // [groups, windows, elements of the window * channels of the group], so that channels are adjacent
        let patches = patches(&self.window, &x, rows, columns)?
            .reshape((windows, area, groups, each))?
            .permute((2, 0, 1, 3))?
            .reshape((groups, windows, area * each))?;
        let filters = weight_norm::weight(pass, self.weight_norm)?
            .reshape((groups, self.out / groups, each, area))?
            .permute((0, 3, 2, 1))?
            .reshape((groups, area * each, self.out / groups))?;
        let y = patches.matmul(&filters)?.transpose(0, 1)?.reshape((windows, self.out))?;
        let y = if self.bias { y.broadcast_add(pass.parameter("bias")?)? } else { y };
        let y = y.reshape((batch, rows * columns, self.out))?.transpose(1, 2)?;
        Ok(if self.window.is_flat {
            y.reshape((batch, self.out, columns))?
        } else {
            y.reshape((batch, self.out, rows, columns))?
        })
    }
}

/// The pixels of all windows in order, `[batch, windows * elements of a window, channels]`.
fn patches(window: &Window, x: &Tensor, rows: usize, columns: usize) -> Result<Tensor> {
    let (batch, channels, ..) = x.dims4()?;
    let Window { kernel, stride, padding: [[above, below], [left, right]], dilation, .. } = *window;
    let padded = x.pad_with_zeros(2, above, below)?.pad_with_zeros(3, left, right)?;
    let (_, _, height, width) = padded.dims4()?;
    let pixels = padded.permute((0, 2, 3, 1))?.reshape((batch, height * width, channels))?;
    if kernel == [1; 2] && stride == [1; 2] {
        return Ok(pixels);
    }
    let mut places = Vec::with_capacity(rows * columns * window.area());
    for row in 0..rows {
        for column in 0..columns {
            for u in 0..kernel[0] {
                let start = (row * stride[0] + u * dilation[0]) * width + column * stride[1];
                places.extend((0..kernel[1]).map(|v| (start + v * dilation[1]) as u32));
            }
        }
    }
    Ok(pixels.index_select(&Tensor::new(places, x.device())?, 1)?)
}

/// Checks that `groups` divides the output channels.
pub(super) const fn divides_outputs(out: usize, groups: usize) -> CheckResult {
    if out.is_multiple_of(groups) {
        return Ok(());
    }
    Err(CheckError::new("")
        .number(out)
        .text(" output channels cannot be split into ")
        .number(groups)
        .text(" groups; expected a divisor of ")
        .number(out))
}

/// Checks that `groups` divides the channels of the input.
pub(super) const fn divides_inputs(input: Shape, groups: usize) -> CheckResult {
    let channels = input.axis(0);
    if channels.is_multiple_of(groups) {
        return Ok(());
    }
    Err(CheckError::new("the ")
        .number(channels)
        .text(" channels of the input ")
        .shape(input)
        .text(" cannot be split into ")
        .number(groups)
        .text(" groups; expected a divisor of ")
        .number(channels))
}
