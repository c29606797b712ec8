//! The transposed convolution: the map of the gradients of a convolution, used forward.

use super::{Conv2d, backward_input, backward_weight, forward};
use crate::epilogue::Epilogue;
use crate::matmul::WriteMode;
use crate::sizes::elements;
use crate::{scratch, simd, threads};

/// A transposed convolution, by the convolution that it transposes: that has the result's sizes as those of its image, and
/// yields an image of the input's sizes.
///
/// `pre[n, c, s i + d u - p, …] += bias[c] + weight[o, c, u, v] * x[n, o, i, j]`: each element of `x` adds a kernel
/// to the result. The output padding of PyTorch is the part of the image that the convolution's stride leaves out.
///
/// # Source
/// Zeiler et al., "Deconvolutional networks", 2010; sizes are PyTorch's.
///
/// ```
/// use trainspec_kernels::conv2d::{Conv2d, Transposed};
/// use trainspec_kernels::epilogue::Epilogue;
///
/// let transposed = Transposed(Conv2d {
///     batch: 1, channels: 1, height: 1, width: 5, out: 1,
///     kernel: [1, 3], stride: [1, 2], padding: [[0; 2]; 2], dilation: [1; 2], groups: 1,
/// });
/// let mut y = [0.0; 5];
/// transposed.forward(&[1.0, 2.0], &[1.0, 10.0, 100.0], Some(&[0.5]), &Epilogue::NONE, None, &mut y);
/// assert_eq!(y, [1.5, 10.5, 102.5, 20.5, 200.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Transposed(pub Conv2d);

impl Transposed {
    /// Writes the transposed convolution to `pre`, if that is passed, and the result of `epilogue` to `y`.
    ///
    /// # Shapes
    /// `x`: that of the convolution's result; `weight`: that of the convolution, `[out, channels / groups, kernel rows,
    /// kernel columns]`; `bias`: `[channels]`; `pre` and `y`: `[batch, channels, height, width]`.
    ///
    /// # Panics
    /// As [`Conv2d::forward`].
    pub fn forward(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        epilogue: &Epilogue<'_>,
        pre: Option<&mut [f32]>,
        y: &mut [f32],
    ) {
        let conv = &self.0;
        conv.check(y, weight, x);
        if let Some(bias) = bias {
            assert_eq!(bias.len(), conv.channels, "bias is [channels]");
        }
        if let Some(pre) = &pre {
            assert_eq!(pre.len(), y.len(), "pre is [batch, channels, height, width]");
        }
        if y.is_empty() {
            return;
        }
        let finish = |first: usize, pre: Option<&mut [f32]>, y: &mut [f32]| {
            if let Some(bias) = bias {
                add_bias(bias, first, conv.height * conv.width, y);
            }
            if let Some(pre) = pre {
                pre.copy_from_slice(y);
            }
            if !epilogue.is_identity() {
                epilogue.forward_in_place(first, y);
            }
        };
        backward_input::run(conv, x, weight, (y, WriteMode::Overwrite), pre, &finish);
    }

    /// Computes the gradient of `x`, into `dx`, from that of `pre`.
    ///
    /// # Panics
    /// As [`Conv2d::forward`].
    pub fn backward_input(&self, d_pre: &[f32], weight: &[f32], dx: (&mut [f32], WriteMode)) {
        self.0.check(d_pre, weight, dx.0);
        if !dx.0.is_empty() {
            forward::run(&self.0, d_pre, weight.into(), None, &Epilogue::NONE, None, dx);
        }
    }

    /// Computes the gradients of the weights, into `d_weight`, and of the bias, into `d_bias`, from that of `pre`.
    ///
    /// # Panics
    /// As [`Conv2d::forward`].
    pub fn backward_weight(
        &self,
        x: &[f32],
        d_pre: &[f32],
        d_weight: (&mut [f32], WriteMode),
        d_bias: Option<(&mut [f32], WriteMode)>,
    ) {
        self.0.check(d_pre, d_weight.0, x);
        if let Some((d_bias, onto)) = d_bias {
            assert_eq!(d_bias.len(), self.0.channels, "the gradient of bias is [channels]");
            self.totals(d_pre, d_bias, onto);
        }
        backward_weight::run(&self.0, d_pre, x, d_weight, None);
    }

    /// The sums over the planes of each channel: over fixed groups of images, then over the groups in their order.
    fn totals(&self, d_pre: &[f32], d_bias: &mut [f32], onto: WriteMode) {
        /// Elements per group of images.
        const ELEMENTS: usize = 1 << 16;
        let conv = &self.0;
        let (channels, image) = (conv.channels, conv.image());
        let images = (ELEMENTS / image.max(1)).clamp(1, conv.batch.max(1));
        scratch::with(elements([conv.batch.div_ceil(images).max(1), channels]), |partial| {
            partial.fill(0.0);
            if image > 0 {
                threads::chunks(partial, channels, |group, sums| {
                    let first = (group * images).min(conv.batch);
                    let last = (first + images).min(conv.batch);
                    let d_pre = &d_pre[first * image..last * image];
                    backward_weight::totals(d_pre, conv.height * conv.width, sums);
                });
            }
            if channels > 0 {
                backward_weight::add_up(partial, channels, 0, d_bias, onto);
            }
        });
    }
}

simd! {
    /// Adds its bias to each plane of `places` elements; the first element of `y` has index `first`.
    fn add_bias(bias: &[f32], first: usize, places: usize, y: &mut [f32]) {
        for (number, plane) in y.chunks_exact_mut(places.max(1)).enumerate() {
            let bias = bias[(first / places + number) % bias.len()];
            for y in plane {
                *y += bias;
            }
        }
    }
}
