//! The square window that slides over an image, shared by convolution and pooling.

use trainspec_kernels::pool::Pool;

use super::rule::{self, hold};
use crate::shape::{CheckError, CheckResult, Shape};

/// A square window and how it moves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Its side length.
    pub(super) kernel: usize,
    /// The stride.
    pub(super) stride: usize,
    /// How far it extends beyond each edge of the image.
    pub(super) padding: usize,
    /// The distance between its elements.
    pub(super) dilation: usize,
}

impl Window {
    /// A window without dilation, for pooling; a stride of 0 means the kernel size.
    pub(super) const fn of_pool(kernel: usize, stride: usize, padding: usize) -> Self {
        Self { kernel, stride: if stride == 0 { kernel } else { stride }, padding, dilation: 1 }
    }

    pub(super) const fn check(&self) -> CheckResult {
        hold!(rule::count("kernel", self.kernel));
        hold!(rule::count("stride", self.stride));
        hold!(rule::count("dilation", self.dilation));
        rule::length("padding", self.padding)
    }

    /// PyTorch's rule for pooling, without which a window could lie entirely in the padding.
    pub(super) const fn check_pool(&self) -> CheckResult {
        hold!(self.check());
        if self.padding <= self.kernel / 2 {
            return Ok(());
        }
        Err(CheckError::new("padding is ")
            .number(self.padding)
            .text("; expected at most ")
            .number(self.kernel / 2)
            .text(", half of the kernel"))
    }

    /// The number of window positions along the height and the width of an image.
    pub(super) const fn places(&self, input: Shape) -> CheckResult<(usize, usize)> {
        hold!(rule::image(input));
        hold!(self.check());
        hold!(rule::plane(input));
        if let (Some(height), Some(width)) =
            (self.places_along(input.axis(1)), self.places_along(input.axis(2)))
        {
            return Ok((height, width));
        }
        let problem = CheckError::new("a ")
            .number(self.kernel)
            .text("x")
            .number(self.kernel)
            .text(" kernel does not fit the input ")
            .shape(input)
            .text(" with padding ")
            .number(self.padding);
        let problem =
            if self.dilation == 1 { problem } else { problem.text(" and dilation ").number(self.dilation) };
        let (height, width) = (input.axis(1), input.axis(2));
        let shorter = if height < width { height } else { width };
        let padded = shorter.saturating_add(self.padding.saturating_mul(2));
        // More padding always helps: at half of the kernel, the most that pooling accepts, every image is large enough.
        let largest = (padded - 1) / self.dilation + 1;
        Err(if largest == 1 {
            problem.text("; let the layers before it shrink the image less, or use more `padding`")
        } else {
            problem.text("; use a `kernel` of at most ").number(largest).text(", or more `padding`")
        })
    }

    /// `floor((length + 2 padding - dilation (kernel - 1) - 1) / stride) + 1`, if the window fits.
    const fn places_along(&self, length: usize) -> Option<usize> {
        let padded = length.saturating_add(self.padding.saturating_mul(2));
        let reach = self.dilation.saturating_mul(self.kernel - 1).saturating_add(1);
        if reach > padded { None } else { Some((padded - reach) / self.stride + 1) }
    }

    /// The pooling kernel for an image of this shape.
    pub(super) fn pool(&self, inputs: &[Shape]) -> Option<Pool> {
        let Some(&[planes, height, width]) = inputs.first().map(Shape::axes) else { return None };
        let Self { kernel, stride, padding, .. } = *self;
        Some(Pool { planes, height, width, kernel, stride, padding })
    }

    /// The index of the window's element `offset` at each of `places` positions, counted from the edge of the
    /// padding.
    pub(super) fn positions(&self, offset: usize, places: usize) -> impl Iterator<Item = usize> + use<> {
        let Self { stride, dilation, .. } = *self;
        (0..places).map(move |place| place * stride + offset * dilation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn along(length: usize, kernel: usize, stride: usize, padding: usize, dilation: usize) -> Option<usize> {
        Window { kernel, stride, padding, dilation }.places_along(length)
    }

    #[test]
    fn output_size_matches_pytorch() {
        assert_eq!(along(8, 3, 1, 1, 1), Some(8));
        assert_eq!(along(8, 3, 2, 1, 1), Some(4));
        assert_eq!(along(7, 3, 2, 0, 1), Some(3));
        assert_eq!(along(5, 5, 9, 0, 1), Some(1));
        assert_eq!(along(4, 5, 1, 0, 1), None);
        assert_eq!(along(5, 3, 1, 0, 2), Some(1));
        assert_eq!(along(4, 3, 1, 0, 2), None);
        assert_eq!(along(1, usize::MAX, 1, usize::MAX, usize::MAX), Some(1));
    }

    #[test]
    fn zero_window_keys_do_not_divide_by_zero() {
        let image = Shape::of(&[1, 4, 4]);
        for (kernel, stride, dilation) in [(0, 1, 1), (1, 0, 1), (1, 1, 0)] {
            assert!(Window { kernel, stride, padding: 0, dilation }.places(image).is_err());
        }
        assert!(Window::of_pool(0, 0, 0).places(image).is_err());
    }

    #[test]
    fn pool_padding_is_at_most_half_of_kernel() {
        assert!(Window::of_pool(3, 0, 1).check_pool().is_ok());
        let problem = Window::of_pool(3, 0, 2).check_pool().unwrap_err();
        assert_eq!(problem.as_str(), "padding is 2; expected at most 1, half of the kernel");
    }
}
