//! Transposed convolutions of images and of sequences, which are images of one row: what their layers share.

use candle_core::Tensor;
use trainspec_kernels::conv2d::{Conv2d, Transposed};

use super::convolution::{divides_inputs, divides_outputs};
use super::rule::{self, hold};
use super::window::Window;
use super::{Init, Initializer, Outputs, Parameter, Role};
use crate::error::Result;
use crate::layer::Pass;
use crate::shape::{CheckError, CheckResult, Shape};

/// A transposed convolution, without the sizes of its input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transposition {
    pub(super) out: usize,
    pub(super) window: Window,
    pub(super) output_padding: [usize; 2],
    pub(super) groups: usize,
    pub(super) bias: bool,
}

impl Transposition {
    /// Counts are at least 1, `groups` divides `out`, and `output_padding` is less than the stride.
    pub(super) const fn check(&self) -> CheckResult {
        hold!(rule::count("out", self.out));
        hold!(self.window.check());
        hold!(rule::count("groups", self.groups));
        let mut axis = 0;
        while axis < 2 {
            let (extra, stride) = (self.output_padding[axis], self.window.stride[axis]);
            if extra >= stride {
                return Err(CheckError::new("output_padding is ")
                    .number(extra)
                    .text("; expected less than the stride, ")
                    .number(stride));
            }
            axis += 1;
        }
        divides_outputs(self.out, self.groups)
    }

    /// The rows and columns of the output; for a sequence, one row.
    pub(super) const fn output(&self, input: Shape) -> CheckResult<(usize, usize)> {
        hold!(if self.window.is_flat { rule::signal(input) } else { rule::image(input) });
        hold!(self.check());
        hold!(divides_inputs(input, self.groups));
        let [height, width] = self.window.sides(input);
        let lengths = [self.length(0, height), self.length(1, width)];
        let mut axis = 0;
        while axis < 2 {
            if lengths[axis] == 0 {
                let padding = self.window.padding[axis][0];
                let full = self.unpadded(axis, if axis == 0 { height } else { width });
                return Err(CheckError::new("padding is ")
                    .number(padding)
                    .text(", which removes all of the output of ")
                    .number(full)
                    .text(" elements for the input ")
                    .shape(input)
                    .text("; use at most ")
                    .number((full - 1) / 2));
            }
            axis += 1;
        }
        hold!(rule::pixels(input, lengths[0], lengths[1]));
        let [rows, columns] = self.window.kernel;
        let weight = self.weight_shape([input.axis(0), self.out / self.groups, rows, columns]);
        hold!(rule::possible("weight", weight));
        if !self.sizes(input.axis(0), [height, width]).0.fits() {
            return Err(CheckError::new("the output for the input ")
                .shape(input)
                .text(" is too large; expected fewer than 2^31 elements including the padding"));
        }
        Ok((lengths[0], lengths[1]))
    }

    /// The length of the output along an axis before the padding is removed.
    const fn unpadded(&self, axis: usize, length: usize) -> usize {
        let Window { kernel, stride, dilation, .. } = self.window;
        (length - 1)
            .saturating_mul(stride[axis])
            .saturating_add(dilation[axis].saturating_mul(kernel[axis] - 1))
            .saturating_add(self.output_padding[axis])
            .saturating_add(1)
    }

    /// `(length - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1`, or 0 if that is negative.
    const fn length(&self, axis: usize, length: usize) -> usize {
        let [before, after] = self.window.padding[axis];
        self.unpadded(axis, length).saturating_sub(before.saturating_add(after))
    }

    const fn weight_shape(&self, axes: [usize; 4]) -> Shape {
        if self.window.is_flat { Shape::of(&[axes[0], axes[1], axes[3]]) } else { Shape::of(&axes) }
    }

    /// The kernel for one image.
    const fn sizes(&self, channels: usize, [height, width]: [usize; 2]) -> Transposed {
        let Window { kernel, mut stride, padding, dilation, .. } = self.window;
        let lengths = [self.length(0, height), self.length(1, width)];
        let mut axis = 0;
        while axis < 2 {
            // Of one element, a stride beyond its result does nothing.
            let padded = lengths[axis].saturating_add(padding[axis][0]).saturating_add(padding[axis][1]);
            if stride[axis] > padded {
                stride[axis] = padded;
            }
            axis += 1;
        }
        Transposed(Conv2d {
            batch: 1,
            channels: self.out,
            height: lengths[0],
            width: lengths[1],
            out: channels,
            kernel,
            stride,
            padding,
            dilation,
            groups: self.groups,
        })
    }

    /// The kernel for an input of this shape.
    pub(super) fn planned(&self, input: Shape) -> Transposed {
        self.sizes(input.axis(0), self.window.sides(input))
    }

    /// What PyTorch takes as the fan: the number of output elements, per group, that each input element reaches.
    fn fan(&self) -> usize {
        (self.out / self.groups.max(1)).saturating_mul(self.window.area())
    }

    /// `weight [channels, out / groups, …]` and `bias [out]`, as PyTorch initializes them.
    pub(super) fn parameters(&self, inputs: &[Shape], init: Initializer) -> Vec<Parameter> {
        let Some(&[channels, ..]) = inputs.first().map(Shape::axes) else { return Vec::new() };
        let [rows, columns] = self.window.kernel;
        let axes = self.weight_shape([channels, self.out / self.groups.max(1), rows, columns]);
        let default = Init::fan_in(self.fan());
        let outputs = Outputs::Second { groups: self.groups };
        let mut parameters = vec![
            Parameter::new("weight", axes.axes(), Role::Matrix, default)
                .with_init(init)
                .with_outputs(outputs),
        ];
        if self.bias {
            parameters.push(Parameter::new("bias", &[self.out], Role::Bias, default));
        }
        parameters
    }

    /// The operations for an input of this shape: each of its elements reaches `fan` outputs.
    pub(super) fn flops(&self, inputs: &[Shape]) -> u64 {
        let elements = inputs.first().map_or(0, |input| input.elements());
        rule::operations(&[2, self.fan(), elements])
    }

    /// The products of each pixel with the filters, added at their places, tap by tap.
    pub(super) fn forward(&self, x: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = if self.window.is_flat { x.unsqueeze(2)? } else { x.clone() };
        let (batch, channels, height, width) = x.dims4()?;
        let Window { kernel, stride, padding, dilation, .. } = self.window;
        let (groups, area) = (self.groups, self.window.area());
        let (ins, outs) = (channels / groups, self.out / groups);
        let filters = pass
            .parameter("weight")?
            .reshape((groups, ins, outs, area))?
            .permute((0, 3, 2, 1))?
            .reshape((1, groups, area * outs, ins))?;
        // [batch, groups, taps * outputs of the group, pixels]
        let products =
            filters.contiguous()?.broadcast_matmul(&x.reshape((batch, groups, ins, height * width))?)?;
        let products = products.reshape((batch, groups, area, outs, height * width))?;
        // The result with its padding.
        let full = [0, 1].map(|axis| self.unpadded(axis, [height, width][axis]));
        let mut sum: Option<Tensor> = None;
        for u in 0..kernel[0] {
            for v in 0..kernel[1] {
                let image =
                    products.narrow(2, u * kernel[1] + v, 1)?.reshape((batch, self.out, height, width))?;
                let image = spread(&image, 2, stride[0], u * dilation[0], full[0])?;
                let image = spread(&image, 3, stride[1], v * dilation[1], full[1])?;
                sum = Some(match sum {
                    None => image,
                    Some(sum) => (sum + image)?,
                });
            }
        }
        let y = match sum {
            None => x.zeros_like()?,
            Some(sum) => sum.narrow(2, padding[0][0], self.length(0, height))?.narrow(
                3,
                padding[1][0],
                self.length(1, width),
            )?,
        };
        let y = if self.bias {
            y.broadcast_add(&pass.parameter("bias")?.reshape((1, self.out, 1, 1))?)?
        } else {
            y
        };
        Ok(if self.window.is_flat { y.squeeze(2)? } else { y.contiguous()? })
    }
}

/// Places the elements of an axis `stride` apart, from index `first` on, in an axis of `length` zeros.
fn spread(x: &Tensor, axis: usize, stride: usize, first: usize, length: usize) -> Result<Tensor> {
    let count = x.dim(axis)?;
    // Index `count` is that of a zero.
    let mut places = vec![count as u32; length];
    for (number, place) in places.iter_mut().skip(first).step_by(stride.max(1)).take(count).enumerate() {
        *place = number as u32;
    }
    let padded = x.pad_with_zeros(axis, 0, 1)?;
    Ok(padded.contiguous()?.index_select(&Tensor::new(places, x.device())?, axis)?)
}
