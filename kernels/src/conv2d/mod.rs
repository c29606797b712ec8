//! Two-dimensional convolution, with any kernel, stride, padding, dilation and number of groups.
//!
//! `pre[n, o, i, j] = bias[o] + sum over c, u, v of weight[o, c, u, v] * x[n, g(o) + c, s i + d u - p, s j + d v - p]`
//! and `y = epilogue(pre)`, with stride `s`, dilation `d`, padding `p` and 0 outside of the image; `c` runs over
//! the channels of the group of `o`, of which `g(o)` is the first. `s`, `d` and `p` are separate for rows and
//! columns.
//!
//! The kernel does not build an im2col matrix. An image is copied once into scratch, zero-padded and split into
//! its phases (the positions with the same remainders modulo the strides), so that each tap `(c, u, v)` reads contiguous
//! elements: each tile of the result is then a sum of vectors at fixed offsets from the
//! tile, times a weight. The gradient of the image is the same sweep, once for each
//! phase of the image, over the padded gradient of the result. The gradient of the weights keeps a tile of
//! (outputs x taps) in registers while it runs over positions.
//!
//! Where it is faster (3 x 3 kernels with stride and dilation 1 and enough channels; this depends on the sizes of an image,
//! not on the batch), `pre` and the gradient of `x` use Winograd's minimal filtering instead: 2.25 times fewer
//! multiplications, and errors a few times larger. An infinite or NaN value then turns entire 2 x 2 tiles into NaN.
//! The gradient of the weights uses it too if there are enough images; NaN then reaches more taps of a kernel.
//!
//! Otherwise each element of `pre` and of the gradient of `x` is one sum in a fixed order, `(c, u, v)` or
//! `(o, u, v)`, with fused multiplications. The gradient of the weights is a sum over fixed groups of images, of sixteen
//! running sums each, or, with minimal filtering, of one for each of sixteen points.
//!
//! # Source
//! LeCun et al., "Gradient-based learning applied to document recognition", 1998; direct convolution in register
//! tiles: Georganas et al., "Anatomy of high-performance deep learning convolutions on SIMD architectures",
//! 2018; sizes are PyTorch's.

mod backward_input;
mod backward_weight;
mod correlate;
mod field;
mod forward;
mod interleave;
mod lanes;
mod phase;
mod sweep;
mod tiles;
mod transposed;
mod weights;
mod winograd;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use transposed::Transposed;
pub use weights::PackedWeight;

use crate::epilogue::Epilogue;
use crate::matmul::WriteMode;
use crate::sizes::elements;
use crate::weight::Weight;

/// The sizes of a convolution.
///
/// ```
/// use trainspec_kernels::conv2d::Conv2d;
/// use trainspec_kernels::epilogue::Epilogue;
///
/// let conv = Conv2d {
///     batch: 1, channels: 1, height: 1, width: 4, out: 1,
///     kernel: [3; 2], stride: [1; 2], padding: [[1; 2]; 2], dilation: [1; 2], groups: 1,
/// };
/// let weight = [0.0, 0.0, 0.0, 1.0, 10.0, 100.0, 0.0, 0.0, 0.0];
/// let mut y = [0.0; 4];
/// conv.forward(&[1.0, 2.0, 3.0, 4.0], &weight, Some(&[0.5]), &Epilogue::NONE, None, &mut y);
/// assert_eq!(y, [210.5, 321.5, 432.5, 43.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Conv2d {
    /// The number of images.
    pub batch: usize,
    /// The channels of an image, a multiple of `groups`.
    pub channels: usize,
    /// The rows of an image.
    pub height: usize,
    /// The columns of an image.
    pub width: usize,
    /// The channels of a result, a multiple of `groups`.
    pub out: usize,
    /// The rows and columns of the kernel, at least 1.
    pub kernel: [usize; 2],
    /// The stride along rows and columns, at least 1.
    pub stride: [usize; 2],
    /// The padding above and below an image, and left and right of it.
    pub padding: [[usize; 2]; 2],
    /// The dilation along rows and columns, at least 1.
    pub dilation: [usize; 2],
    /// The number of groups: the result's channels depend only on their group of the image's channels.
    pub groups: usize,
}

impl Conv2d {
    /// The rows of a result, `floor((height + padding of both sides - dilation (kernel - 1) - 1) / stride) + 1`; 0
    /// if the kernel does not fit.
    #[must_use]
    pub const fn out_height(&self) -> usize {
        self.places(0)
    }

    /// The columns of a result, as [`Conv2d::out_height`].
    #[must_use]
    pub const fn out_width(&self) -> usize {
        self.places(1)
    }

    /// Writes the convolution to `pre`, if that is passed, and the result of `epilogue` to `y`. A packed weight gives the same
    /// bits, in less time for few images; it is not used at another SIMD level than that at which it was packed.
    ///
    /// # Shapes
    /// `x`: `[batch, channels, height, width]`; `weight`: `[out, channels / groups, kernel rows, kernel columns]`; `bias`:
    /// `[out]`; `pre` and `y`: `[batch, out, out_height, out_width]`, in which the epilogue counts elements.
    ///
    /// # Panics
    /// If a slice has the wrong length, the packed weight has other sizes, `kernel`, `stride`, `dilation` or `groups` is 0, `groups` does not divide
    /// `channels` and `out`, or an image with its padding has 2^31 elements or more.
    pub fn forward<'w>(
        &self,
        x: &[f32],
        weight: impl Into<Weight<'w, PackedWeight>>,
        bias: Option<&[f32]>,
        epilogue: &Epilogue<'_>,
        pre: Option<&mut [f32]>,
        y: &mut [f32],
    ) {
        let weight = weight.into();
        self.check(x, weight.values, y);
        if let Some(bias) = bias {
            assert_eq!(bias.len(), self.out, "bias is [out]");
        }
        if let Some(pre) = &pre {
            assert_eq!(pre.len(), y.len(), "pre is [batch, out, out height, out width]");
        }
        if !y.is_empty() {
            forward::run(self, x, weight, bias, epilogue, pre, (y, WriteMode::Overwrite));
        }
    }

    /// Packs a weight for any number of images.
    ///
    /// # Panics
    /// As [`Conv2d::forward`], about the weight and the sizes.
    #[must_use]
    pub fn pack(&self, weight: &[f32]) -> PackedWeight {
        self.check_weight(weight);
        match self.filter() {
            Some(filter) => PackedWeight::new(filter.room(), |packed| filter.pack(weight, packed)),
            None => PackedWeight::new(self.room(), |packed| self.pack_into(weight, packed)),
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
        self.check(x, d_weight.0, d_pre);
        if let Some((d_bias, _)) = &d_bias {
            assert_eq!(d_bias.len(), self.out, "the gradient of bias is [out]");
        }
        backward_weight::run(self, x, d_pre, d_weight, d_bias);
    }

    /// Computes the gradient of `x`, into `dx`, from that of `pre`.
    ///
    /// # Panics
    /// As [`Conv2d::forward`].
    pub fn backward_input(&self, d_pre: &[f32], weight: &[f32], dx: (&mut [f32], WriteMode)) {
        self.check(dx.0, weight, d_pre);
        if !dx.0.is_empty() {
            backward_input::run(self, d_pre, weight, dx, None, &|_, _, _| {});
        }
    }

    /// Whether a padded image and its gradient have fewer than 2^31 elements, so that 32 bits hold the index
    /// of each.
    #[must_use]
    pub const fn fits(&self) -> bool {
        self.image_field().fits() && self.gradient_field().fits()
    }

    /// The rows, axis 0, or columns, axis 1, of a result.
    const fn places(&self, axis: usize) -> usize {
        let [before, after] = self.padding[axis];
        let padded = self.length(axis).saturating_add(before).saturating_add(after);
        match padded.checked_sub(self.reach(axis).saturating_add(1)) {
            Some(room) => room / self.stride[axis] + 1,
            None => 0,
        }
    }

    /// The rows or columns of an image.
    const fn length(&self, axis: usize) -> usize {
        if axis == 0 { self.height } else { self.width }
    }

    /// The distance from the first tap of the kernel to the last along an axis.
    const fn reach(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1).saturating_mul(self.dilation[axis])
    }

    /// The padding above and left of an image.
    const fn corner(&self) -> [usize; 2] {
        [self.padding[0][0], self.padding[1][0]]
    }

    fn check_weight(&self, weight: &[f32]) {
        assert!(
            [self.kernel, self.stride, self.dilation].as_flattened().iter().all(|&count| count > 0)
                && self.groups > 0,
            "kernel, stride, dilation and groups are at least 1"
        );
        assert!(
            self.channels.is_multiple_of(self.groups) && self.out.is_multiple_of(self.groups),
            "groups divides channels and out"
        );
        assert!(self.fits(), "an image with its padding has fewer than 2^31 elements");
        assert_eq!(
            weight.len(),
            elements([self.out, self.taps()]),
            "weight is [out, channels / groups, kernel rows, kernel columns]"
        );
    }

    fn check(&self, x: &[f32], weight: &[f32], y: &[f32]) {
        self.check_weight(weight);
        assert_eq!(x.len(), elements([self.batch, self.image()]), "x is [batch, channels, height, width]");
        assert_eq!(
            y.len(),
            elements([self.batch, self.result()]),
            "y and pre are [batch, out, out height, out width]"
        );
    }

    /// The number of elements of an image.
    fn image(&self) -> usize {
        elements([self.channels, self.height, self.width])
    }

    /// The number of elements of the result of an image.
    fn result(&self) -> usize {
        elements([self.out, self.out_height(), self.out_width()])
    }

    /// The number of weights per channel of the result.
    fn taps(&self) -> usize {
        elements([self.channels / self.groups, self.kernel[0], self.kernel[1]])
    }

    /// The convolution of one group, with the groups of all images as its images: those of an image are consecutive, and so
    /// are those of its result. So each group is copied to scratch when it is read, and stays in cache.
    const fn by_group(&self) -> Self {
        Self {
            batch: self.batch.saturating_mul(self.groups),
            channels: self.channels / self.groups,
            out: self.out / self.groups,
            groups: 1,
            ..*self
        }
    }

    /// The number of images per block: sixteen blocks, unless that is too little work or too much.
    fn images(&self) -> usize {
        /// The number of multiplications that makes another thread worthwhile, and the number beyond which more gain nothing.
        const MULTIPLICATIONS: [usize; 2] = [1 << 20, 1 << 23];
        let each = self.result().saturating_mul(self.taps()).max(1);
        let [least, most] = MULTIPLICATIONS.map(|all| all / each);
        (self.batch / 16).max(least).min(most).clamp(1, self.batch.max(1))
    }
}
