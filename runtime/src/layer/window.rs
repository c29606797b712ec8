//! The window that slides over an image or a sequence, shared by convolution and pooling.

use trainspec_kernels::pool::Pool;

use super::pair::both;
use super::rule::{self, hold};
use crate::shape::{CheckError, CheckResult, Shape};

/// A window and how it moves: along the height and the width of an image, or along a sequence, which is an image of one
/// row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Its sides.
    pub(super) kernel: [usize; 2],
    /// The strides.
    pub(super) stride: [usize; 2],
    /// How far it extends beyond the edges: above and below, left and right.
    pub(super) padding: [[usize; 2]; 2],
    /// The distances between its elements.
    pub(super) dilation: [usize; 2],
    /// Whether it slides along a sequence.
    pub(super) is_flat: bool,
}

impl Window {
    /// The window of a layer on images, by its keys, each of which may be a [`pair`](super::pair()).
    pub(super) const fn of_image(kernel: usize, stride: usize, padding: usize, dilation: usize) -> Self {
        let [above, left] = both(padding);
        Self {
            kernel: both(kernel),
            stride: both(stride),
            padding: [[above; 2], [left; 2]],
            dilation: both(dilation),
            is_flat: false,
        }
    }

    /// The window of a layer on sequences, with its padding before and after the sequence.
    pub(super) const fn of_sequence(
        kernel: usize,
        stride: usize,
        padding: [usize; 2],
        dilation: usize,
    ) -> Self {
        Self {
            kernel: [1, kernel],
            stride: [1, stride],
            padding: [[0; 2], padding],
            dilation: [1, dilation],
            is_flat: true,
        }
    }

    /// A window without dilation, for pooling; a stride of 0 means the kernel size.
    pub(super) const fn of_pool(kernel: usize, stride: usize, padding: usize) -> Self {
        Self::of_image(kernel, stride, padding, 1).non_overlapping()
    }

    /// As [`Window::of_pool`], on sequences.
    pub(super) const fn of_sequence_pool(kernel: usize, stride: usize, padding: usize) -> Self {
        Self::of_sequence(kernel, stride, [padding; 2], 1).non_overlapping()
    }

    const fn non_overlapping(mut self) -> Self {
        let mut axis = 0;
        while axis < 2 {
            if self.stride[axis] == 0 {
                self.stride[axis] = self.kernel[axis];
            }
            axis += 1;
        }
        self
    }

    /// Counts are at least 1.
    pub(super) const fn check(&self) -> CheckResult {
        let mut axis = if self.is_flat { 1 } else { 0 };
        while axis < 2 {
            hold!(rule::count("kernel", self.kernel[axis]));
            hold!(rule::count("stride", self.stride[axis]));
            hold!(rule::count("dilation", self.dilation[axis]));
            hold!(rule::length("padding", self.padding[axis][0]));
            axis += 1;
        }
        Ok(())
    }

    /// PyTorch's rule for pooling, without which a window could lie entirely in the padding.
    pub(super) const fn check_pool(&self) -> CheckResult {
        hold!(self.check());
        let mut axis = 0;
        while axis < 2 {
            let (padding, half) = (self.padding[axis][0], self.kernel[axis] / 2);
            if padding > half {
                let problem = CheckError::new("padding is ")
                    .number(padding)
                    .text("; expected at most ")
                    .number(half)
                    .text(", half of the kernel");
                return Err(match (self.is_square(), axis) {
                    (true, _) => problem,
                    (false, 0) => problem.text("'s height"),
                    (false, _) => problem.text("'s width"),
                });
            }
            axis += 1;
        }
        Ok(())
    }

    /// The number of window positions along the height and the width of an image, or along a sequence.
    pub(super) const fn places(&self, input: Shape) -> CheckResult<(usize, usize)> {
        hold!(if self.is_flat { rule::signal(input) } else { rule::image(input) });
        hold!(self.check());
        let [height, width] = self.sides(input);
        hold!(rule::pixels(input, height, width));
        if let (Some(rows), Some(columns)) = (self.places_along(0, height), self.places_along(1, width)) {
            return Ok((rows, columns));
        }
        // More padding always helps: at half of the kernel, the most that pooling accepts, every image is large enough.
        let largest = [self.largest(0, height), self.largest(1, width)];
        let problem = self.kernel_text(CheckError::new("a "), self.kernel);
        let problem = problem.text(" does not fit the input ").shape(input).text(" with padding ");
        let problem = self.key(problem, [self.padding[0][0], self.padding[1][0]]);
        let problem = match self.dilation {
            [1, 1] => problem,
            dilation => self.key(problem.text(" and dilation "), dilation),
        };
        let shorter = if largest[0] < largest[1] { largest[0] } else { largest[1] };
        let (one, most) = if self.is_flat {
            (largest[1] == 1, largest)
        } else if self.is_square() {
            (shorter == 1, [shorter; 2])
        } else {
            (largest[0] == 1 && largest[1] == 1, largest)
        };
        if one {
            let what = if self.is_flat { "sequence" } else { "image" };
            let problem = problem.text("; let the layers before it shrink the ").text(what);
            return Err(problem.text(" less, or use more `padding`"));
        }
        let problem = problem.text("; use a `kernel` of at most ");
        let problem =
            if self.is_flat || self.is_square() { problem.number(most[1]) } else { self.key(problem, most) };
        Err(problem.text(", or more `padding`"))
    }

    /// The height and the width of an input.
    pub(super) const fn sides(&self, input: Shape) -> [usize; 2] {
        if self.is_flat { [1, input.axis(1)] } else { [input.axis(1), input.axis(2)] }
    }

    /// Whether both axes have the same keys.
    const fn is_square(&self) -> bool {
        self.kernel[0] == self.kernel[1]
            && self.padding[0][0] == self.padding[1][0]
            && self.dilation[0] == self.dilation[1]
    }

    const fn kernel_text(&self, problem: CheckError, [rows, columns]: [usize; 2]) -> CheckError {
        if self.is_flat {
            problem.text("kernel of ").number(columns)
        } else {
            problem.number(rows).text("x").number(columns).text(" kernel")
        }
    }

    /// The value of a key, as one number if that is enough.
    pub(super) const fn key(&self, problem: CheckError, [height, width]: [usize; 2]) -> CheckError {
        if self.is_flat || height == width {
            return problem.number(width);
        }
        problem.text("pair(").number(height).text(", ").number(width).text(")")
    }

    /// The largest kernel that fits along an axis.
    const fn largest(&self, axis: usize, length: usize) -> usize {
        (self.padded(axis, length) - 1) / self.dilation[axis] + 1
    }

    const fn padded(&self, axis: usize, length: usize) -> usize {
        let [before, after] = self.padding[axis];
        length.saturating_add(before).saturating_add(after)
    }

    /// `floor((length + 2 padding - dilation (kernel - 1) - 1) / stride) + 1`, if the window fits.
    const fn places_along(&self, axis: usize, length: usize) -> Option<usize> {
        let padded = self.padded(axis, length);
        let reach = self.dilation[axis].saturating_mul(self.kernel[axis] - 1).saturating_add(1);
        if reach > padded { None } else { Some((padded - reach) / self.stride[axis] + 1) }
    }

    /// The number of elements of the window.
    pub(super) const fn area(&self) -> usize {
        self.kernel[0].saturating_mul(self.kernel[1])
    }

    /// The pooling kernel for an input of this shape.
    pub(super) fn pool(&self, inputs: &[Shape]) -> Option<Pool> {
        let input = inputs.first().filter(|input| input.rank() == if self.is_flat { 2 } else { 3 })?;
        let [height, width] = self.sides(*input);
        let Self { kernel, stride, padding, .. } = *self;
        Some(Pool {
            planes: input.axis(0),
            height,
            width,
            kernel,
            stride,
            padding: padding.map(|[before, _]| before),
        })
    }

    /// The index of the window's element `offset` along an axis at each of `places` positions, counted from the edge of
    /// the padding.
    pub(super) fn positions(
        &self,
        axis: usize,
        offset: usize,
        places: usize,
    ) -> impl Iterator<Item = usize> + use<> {
        let (stride, dilation) = (self.stride[axis], self.dilation[axis]);
        (0..places).map(move |place| place * stride + offset * dilation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::pair;

    fn along(length: usize, kernel: usize, stride: usize, padding: usize, dilation: usize) -> Option<usize> {
        Window::of_image(kernel, stride, padding, dilation).places_along(0, length)
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
        let most = usize::MAX;
        let window = Window { kernel: [most; 2], padding: [[most; 2]; 2], ..Window::of_pool(1, 1, 0) };
        assert_eq!(window.places_along(0, 1), Some(1));
    }

    #[test]
    fn zero_window_keys_do_not_divide_by_zero() {
        let image = Shape::of(&[1, 4, 4]);
        for (kernel, stride, dilation) in [(0, 1, 1), (1, 0, 1), (1, 1, 0), (pair(1, 0), 1, 1)] {
            assert!(Window::of_image(kernel, stride, 0, dilation).places(image).is_err());
        }
        assert!(Window::of_pool(0, 0, 0).places(image).is_err());
        assert!(Window::of_sequence_pool(0, 0, 0).places(Shape::of(&[1, 4])).is_err());
    }

    #[test]
    fn pool_padding_is_at_most_half_of_kernel() {
        assert!(Window::of_pool(3, 0, 1).check_pool().is_ok());
        let problem = Window::of_pool(3, 0, 2).check_pool().unwrap_err();
        assert_eq!(problem.as_str(), "padding is 2; expected at most 1, half of the kernel");
        let problem = Window::of_pool(pair(2, 3), 0, pair(1, 2)).check_pool().unwrap_err();
        assert_eq!(problem.as_str(), "padding is 2; expected at most 1, half of the kernel's width");
    }

    #[test]
    fn window_larger_than_input_is_described_by_its_sides() {
        let said = |window: Window, input: &[usize]| {
            window.places(Shape::of(input)).unwrap_err().as_str().to_owned()
        };
        assert_eq!(
            said(Window::of_image(pair(3, 5), 1, pair(0, 1), 1), &[1, 8, 2]),
            "a 3x5 kernel does not fit the input [1, 8, 2] with padding pair(0, 1); use a `kernel` of at most pair(8, 4), or \
             more `padding`"
        );
        assert_eq!(
            said(Window::of_sequence(5, 1, [0; 2], 2), &[4, 7]),
            "a kernel of 5 does not fit the input [4, 7] with padding 0 and dilation 2; use a `kernel` of at most 4, or more \
             `padding`"
        );
    }
}
