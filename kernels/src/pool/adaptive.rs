//! Pooling to a fixed size: windows that divide a plane as evenly as possible.

use std::ops::Range;

use super::planes::{Windows, assign};
use crate::matmul::WriteMode;
use crate::sizes::elements;

/// The sizes of an adaptive pooling.
///
/// The window of output `(i, j)` has the rows from `floor(i height / rows)` up to `ceil((i + 1) height / rows)`, and the
/// columns likewise: adjacent windows overlap by one where the size is not divisible.
///
/// # Source
/// PyTorch's `adaptive_avg_pool2d` and `adaptive_max_pool2d`; He et al., "Spatial pyramid pooling in deep convolutional
/// networks", 2014.
///
/// ```
/// use trainspec_kernels::pool::AdaptivePool;
///
/// let pool = AdaptivePool { planes: 1, height: 1, width: 5, rows: 1, columns: 2 };
/// let mut y = [0.0; 2];
/// pool.average_forward(&[1.0, 2.0, 3.0, 4.0, 8.0], &mut y);
/// assert_eq!(y, [2.0, 5.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AdaptivePool {
    /// The number of planes: images times channels.
    pub planes: usize,
    /// The rows of a plane, at least 1.
    pub height: usize,
    /// The columns of a plane, at least 1.
    pub width: usize,
    /// The rows of a plane of the result, at least 1.
    pub rows: usize,
    /// The columns of a plane of the result, at least 1.
    pub columns: usize,
}

impl AdaptivePool {
    /// Writes the largest value of each window to `y`, and the position of the first of equal ones in its plane to `winners`;
    /// NaN is larger than every value.
    ///
    /// # Shapes
    /// `x`: `[planes, height, width]`; `y` and `winners`: `[planes, rows, columns]`.
    ///
    /// # Panics
    /// If a slice has the wrong length, a size is 0, or a plane has more than 2^32 positions.
    pub fn max_forward(&self, x: &[f32], y: &mut [f32], winners: Option<&mut [u32]>) {
        self.check(x, y);
        self.each_search(x, y, winners, |x, y, winners| self.largest(x, y, winners));
    }

    /// Writes the gradient of `x` to `dx`, from that of `y`, `dy`, and the `winners` of [`AdaptivePool::max_forward`].
    ///
    /// # Panics
    /// As [`AdaptivePool::max_forward`], or if a winner is not a position of the plane.
    pub fn max_backward(&self, winners: &[u32], dy: &[f32], (dx, onto): (&mut [f32], WriteMode)) {
        self.check(dx, dy);
        assert_eq!(winners.len(), dy.len(), "winners are as many as the results");
        self.each_gradient(dx, |outputs, dx| assign(&winners[outputs.clone()], &dy[outputs], dx, onto));
    }

    /// Writes the mean of each window to `y`.
    ///
    /// # Panics
    /// As [`AdaptivePool::max_forward`].
    pub fn average_forward(&self, x: &[f32], y: &mut [f32]) {
        self.check(x, y);
        self.each_plane(x, y, |x, y| self.sums(x, y, |sum, count| sum / count as f32));
    }

    /// Writes the gradient of `x` to `dx`, from that of the means, `dy`.
    ///
    /// # Panics
    /// As [`AdaptivePool::max_forward`].
    pub fn average_backward(&self, dy: &[f32], (dx, onto): (&mut [f32], WriteMode)) {
        self.check(dx, dy);
        self.each_gradient(dx, |outputs, dx| {
            self.spread(&dy[outputs], dx, onto, |dy, count| dy / count as f32);
        });
    }

    fn check(&self, x: &[f32], y: &[f32]) {
        let Self { planes, height, width, rows, columns } = *self;
        assert!([height, width, rows, columns].iter().all(|&size| size > 0), "sizes are at least 1");
        assert!(elements([height, width]) <= 1 << 32, "a place of a plane is a u32");
        assert_eq!(x.len(), elements([planes, height, width]), "x is [planes, height, width]");
        assert_eq!(y.len(), elements([planes, rows, columns]), "y is [planes, rows, columns]");
    }
}

/// The part of an axis that belongs to one of `places` outputs.
fn along(place: usize, length: usize, places: usize) -> Range<usize> {
    place * length / places..((place + 1) * length).div_ceil(places)
}

impl Windows for AdaptivePool {
    fn planes(&self) -> usize {
        self.planes
    }

    fn sides(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    fn out_sides(&self) -> [usize; 2] {
        [self.rows, self.columns]
    }

    fn rows(&self, row: usize) -> Range<usize> {
        along(row, self.height, self.rows)
    }

    fn columns(&self, column: usize) -> Range<usize> {
        along(column, self.width, self.columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::tests::numbers;
    use crate::pool::{Pool, global_average};

    #[test]
    fn divisible_sizes_equal_plain_windows() {
        let pool = AdaptivePool { planes: 70, height: 12, width: 8, rows: 4, columns: 2 };
        let plain =
            Pool { planes: 70, height: 12, width: 8, kernel: [3, 4], stride: [3, 4], padding: [0; 2] };
        let (x, dy) = (numbers(70 * 96, 1), numbers(70 * 8, 2));
        let [mut y, mut expected] = [(); 2].map(|()| vec![f32::NAN; dy.len()]);
        let [mut winners, mut expected_winners] = [(); 2].map(|()| vec![u32::MAX; dy.len()]);
        pool.max_forward(&x, &mut y, Some(&mut winners));
        plain.max_forward(&x, &mut expected, Some(&mut expected_winners));
        assert_eq!((&y, &winners), (&expected, &expected_winners));
        pool.max_forward(&x, &mut y, None);
        assert_eq!(y, expected);
        let [mut dx, mut expected_dx] = [(); 2].map(|()| vec![1.0; x.len()]);
        pool.max_backward(&winners, &dy, (&mut dx, WriteMode::Accumulate));
        plain.max_backward(&winners, &dy, (&mut expected_dx, WriteMode::Accumulate));
        assert_eq!(dx, expected_dx);
        pool.average_forward(&x, &mut y);
        plain.average_forward(&x, &mut expected);
        assert!(y.iter().zip(&expected).all(|(y, expected)| (y - expected).abs() < 1e-6));
    }

    #[test]
    fn one_output_is_mean_of_plane_and_gradient_is_shared() {
        let pool = AdaptivePool { planes: 3, height: 5, width: 7, rows: 1, columns: 1 };
        let x = numbers(105, 1);
        let [mut y, mut expected] = [[0.0; 3]; 2];
        pool.average_forward(&x, &mut y);
        global_average(&x, 3, 35, &mut expected);
        assert_eq!(y.map(f32::to_bits), expected.map(f32::to_bits), "sums of eighths are exact");
        let mut dx = vec![f32::NAN; 105];
        pool.average_backward(&[35.0, 70.0, 0.0], (&mut dx, WriteMode::Overwrite));
        assert_eq!(dx, [[1.0; 35], [2.0; 35], [0.0; 35]].concat());
    }

    #[test]
    fn windows_cover_plane_and_overlap_where_sizes_do_not_divide() {
        let pool = AdaptivePool { planes: 1, height: 7, width: 5, rows: 3, columns: 8 };
        assert_eq!(pool.window(0), (0..3, 0..1));
        assert_eq!(pool.window(8), (2..5, 0..1));
        assert_eq!(pool.window(23), (4..7, 4..5));
        let mut dx = vec![0.0; 35];
        pool.average_backward(&[1.0; 24], (&mut dx, WriteMode::Accumulate));
        assert!((dx.iter().sum::<f32>() - 24.0).abs() < 1e-5, "each gradient is shared among its window");
    }

    #[test]
    fn adaptive_results_do_not_depend_on_threads() {
        let pool = AdaptivePool { planes: 200, height: 15, width: 13, rows: 7, columns: 7 };
        let (x, dy) = (numbers(200 * 195, 1), numbers(200 * 49, 2));
        let run = || {
            let (mut max, mut winners, mut mean) =
                (vec![f32::NAN; dy.len()], vec![0; dy.len()], vec![f32::NAN; dy.len()]);
            let [mut of_max, mut of_mean] = [(); 2].map(|()| vec![f32::NAN; x.len()]);
            pool.max_forward(&x, &mut max, Some(&mut winners));
            pool.average_forward(&x, &mut mean);
            pool.max_backward(&winners, &dy, (&mut of_max, WriteMode::Overwrite));
            pool.average_backward(&dy, (&mut of_mean, WriteMode::Overwrite));
            [max, mean, of_max, of_mean].concat().into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        let expected = run();
        for threads in [1, 2, 3] {
            let threads = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            assert!(threads.install(run) == expected);
        }
    }
}
