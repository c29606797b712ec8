//! Pooling along one axis: the mean, the largest value or the last of all elements.

use super::max::beats;
use crate::matmul::WriteMode;
use crate::sizes::elements;
use crate::threads;

/// The sizes of a pooling of `[outer, length, inner]` along its second axis.
///
/// ```
/// use trainspec_kernels::pool::AxisPool;
///
/// let pool = AxisPool { outer: 1, length: 2, inner: 3 };
/// let mut y = [0.0; 3];
/// pool.mean_forward(&[1.0, 2.0, 3.0, 3.0, 0.0, 9.0], &mut y);
/// assert_eq!(y, [2.0, 1.0, 6.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AxisPool {
    /// The product of the axes before the one that is pooled.
    pub outer: usize,
    /// The length of the axis, at least 1.
    pub length: usize,
    /// The product of the axes after it.
    pub inner: usize,
}

impl AxisPool {
    /// Writes the mean along the axis to `y`: the sum in order, divided by the length.
    ///
    /// # Shapes
    /// `x`: `[outer, length, inner]`; `y`: `[outer, inner]`.
    ///
    /// # Panics
    /// If a slice has the wrong length or `length` is 0.
    pub fn mean_forward(&self, x: &[f32], y: &mut [f32]) {
        self.check(x, y);
        self.each(y, |x_start, y| {
            y.fill(0.0);
            for x in x[x_start..][..self.length * self.inner].chunks_exact(self.inner) {
                for (y, x) in y.iter_mut().zip(x) {
                    *y += x;
                }
            }
            for y in y {
                *y /= self.length as f32;
            }
        });
    }

    /// Writes the gradient of `x` to `dx`, from that of the means.
    ///
    /// # Panics
    /// As [`AxisPool::mean_forward`].
    pub fn mean_backward(&self, dy: &[f32], dx: (&mut [f32], WriteMode)) {
        self.check(dx.0, dy);
        let length = self.length as f32;
        self.each_gradient(dx, |_, outer, inner| dy[outer * self.inner + inner] / length);
    }

    /// Writes the largest value along the axis to `y`, and the index of the first of equal ones to `winners`; NaN is larger
    /// than every value.
    ///
    /// # Panics
    /// As [`AxisPool::mean_forward`], or if the axis is longer than 2^32.
    pub fn max_forward(&self, x: &[f32], y: &mut [f32], winners: Option<&mut [u32]>) {
        self.check(x, y);
        assert!(self.length <= 1 << 32, "an index along the axis is a u32");
        let find = |x: &[f32], y: &mut [f32], mut winners: Option<&mut [u32]>| {
            for (place, x) in x.chunks_exact(self.inner).enumerate() {
                for (inner, (y, &x)) in y.iter_mut().zip(x).enumerate() {
                    if place == 0 || beats(x, *y) {
                        *y = x;
                        if let Some(winners) = &mut winners {
                            winners[inner] = place as u32;
                        }
                    }
                }
            }
        };
        let all = self.length * self.inner;
        match winners {
            None => self.each(y, |start, y| find(&x[start..][..all], y, None)),
            Some(winners) => {
                assert_eq!(winners.len(), y.len(), "winners is [outer, inner]");
                let (inner, block) = (self.inner.max(1), self.block());
                threads::chunks2((y, block * inner), (winners, block * inner), |number, y, winners| {
                    let results = y.chunks_exact_mut(inner).zip(winners.chunks_exact_mut(inner));
                    for (outer, (y, winners)) in (number * block..).zip(results) {
                        find(&x[outer * all..][..all], y, Some(winners));
                    }
                });
            }
        }
    }

    /// Writes the gradient of `x` to `dx`, from that of the maxima and the `winners` of [`AxisPool::max_forward`].
    ///
    /// # Panics
    /// As [`AxisPool::max_forward`].
    pub fn max_backward(&self, winners: &[u32], dy: &[f32], dx: (&mut [f32], WriteMode)) {
        self.check(dx.0, dy);
        assert_eq!(winners.len(), dy.len(), "winners is [outer, inner]");
        self.each_gradient(dx, |place, outer, inner| {
            let at = outer * self.inner + inner;
            if winners[at] as usize == place { dy[at] } else { 0.0 }
        });
    }

    /// Writes the last elements along the axis to `y`.
    ///
    /// # Panics
    /// As [`AxisPool::mean_forward`].
    pub fn last_forward(&self, x: &[f32], y: &mut [f32]) {
        self.check(x, y);
        let before = (self.length - 1) * self.inner;
        self.each(y, |start, y| y.copy_from_slice(&x[start + before..][..self.inner]));
    }

    /// Writes the gradient of `x` to `dx`, from that of the last elements.
    ///
    /// # Panics
    /// As [`AxisPool::mean_forward`].
    pub fn last_backward(&self, dy: &[f32], dx: (&mut [f32], WriteMode)) {
        self.check(dx.0, dy);
        self.each_gradient(
            dx,
            |place, outer, inner| {
                if place + 1 == self.length { dy[outer * self.inner + inner] } else { 0.0 }
            },
        );
    }

    fn check(&self, x: &[f32], y: &[f32]) {
        assert!(self.length > 0, "the axis is not empty");
        assert_eq!(x.len(), elements([self.outer, self.length, self.inner]), "x is [outer, length, inner]");
        assert_eq!(y.len(), elements([self.outer, self.inner]), "y is [outer, inner]");
    }

    /// The number of outer indices per block.
    fn block(&self) -> usize {
        let all = (self.length * self.inner).max(1);
        (threads::block(self.outer * all, all) / all).max(1)
    }

    /// Runs `run` for each outer index, with the start of its elements in `x` and its results.
    fn each(&self, y: &mut [f32], run: impl Fn(usize, &mut [f32]) + Sync + Send) {
        let (inner, block) = (self.inner.max(1), self.block());
        threads::chunks(y, block * inner, |number, y| {
            for (outer, y) in (number * block..).zip(y.chunks_exact_mut(inner)) {
                run(outer * self.length * self.inner, y);
            }
        });
    }

    /// Sets each element of a gradient to `value` of its index along the axis and of its outer and inner index.
    fn each_gradient(
        &self,
        (dx, onto): (&mut [f32], WriteMode),
        value: impl Fn(usize, usize, usize) -> f32 + Sync + Send,
    ) {
        let (all, block) = ((self.length * self.inner).max(1), self.block());
        threads::chunks(dx, block * all, |number, dx| {
            for (outer, dx) in (number * block..).zip(dx.chunks_exact_mut(all)) {
                for (place, dx) in dx.chunks_exact_mut(self.inner.max(1)).enumerate() {
                    for (inner, dx) in dx.iter_mut().enumerate() {
                        let value = value(place, outer, inner);
                        *dx = if onto == WriteMode::Accumulate { *dx + value } else { value };
                    }
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::tests::numbers;

    #[test]
    fn axis_pools_match_plain_loops() {
        for (outer, length, inner) in [(2, 3, 4), (5, 1, 1), (1, 9, 1), (400, 7, 12), (0, 2, 3)] {
            let pool = AxisPool { outer, length, inner };
            let (x, dy) = (numbers(outer * length * inner, 1), numbers(outer * inner, 2));
            let [mut mean, mut max, mut alone, mut last] = [(); 4].map(|()| vec![f32::NAN; dy.len()]);
            let mut winners = vec![u32::MAX; dy.len()];
            pool.mean_forward(&x, &mut mean);
            pool.max_forward(&x, &mut max, Some(&mut winners));
            pool.max_forward(&x, &mut alone, None);
            pool.last_forward(&x, &mut last);
            assert_eq!(max, alone);
            let mut gradients = Vec::new();
            for (onto, there) in [(WriteMode::Overwrite, f32::NAN), (WriteMode::Accumulate, 1.0)] {
                let [mut of_mean, mut of_max, mut of_last] = [(); 3].map(|()| vec![there; x.len()]);
                pool.mean_backward(&dy, (&mut of_mean, onto));
                pool.max_backward(&winners, &dy, (&mut of_max, onto));
                pool.last_backward(&dy, (&mut of_last, onto));
                gradients.push([of_mean, of_max, of_last]);
            }
            for at in 0..dy.len() {
                let (o, i) = (at / inner, at % inner);
                let place = |l: usize| (o * length + l) * inner + i;
                let values: Vec<f32> = (0..length).map(|l| x[place(l)]).collect();
                let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let first = values.iter().position(|&value| value >= largest).expect("a largest value");
                let sum: f32 = values.iter().sum();
                assert_eq!((mean[at], max[at], last[at]), (sum / length as f32, largest, values[length - 1]));
                assert_eq!(winners[at] as usize, first);
                for l in 0..length {
                    let share = dy[at] / length as f32;
                    let of = |is: bool| if is { dy[at] } else { 0.0 };
                    let expected = [share, of(l == first), of(l + 1 == length)];
                    let [replaced, added] = [0, 1]
                        .map(|mode: usize| gradients[mode].each_ref().map(|gradient| gradient[place(l)]));
                    assert_eq!(replaced.map(f32::to_bits), expected.map(f32::to_bits));
                    assert_eq!(added.map(f32::to_bits), expected.map(|value| (1.0 + value).to_bits()));
                }
            }
            for threads in [1, 2, 3] {
                let threads = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
                let mut again = vec![f32::NAN; dy.len()];
                threads.install(|| pool.mean_forward(&x, &mut again));
                assert_eq!(again, mean);
            }
        }
    }

    #[test]
    fn largest_value_is_first_nan() {
        let pool = AxisPool { outer: 1, length: 4, inner: 1 };
        let (mut y, mut winners) = ([0.0], [0]);
        pool.max_forward(&[1.0, f32::NAN, f32::INFINITY, f32::NAN], &mut y, Some(&mut winners));
        assert!(y[0].is_nan() && winners == [1]);
    }
}
