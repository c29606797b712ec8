//! A learned factor for each channel: `y = w x`, or only of the elements below 0.
//!
//! A value is `[outer, channels, inner]`: the channels of an image have an `inner` of its pixels, and the features of a vector
//! have an `inner` of 1.

#[cfg(test)]
mod tests;

use crate::matmul::WriteMode;
use crate::sizes::elements;
use crate::{scratch, simd, threads};

/// The sizes and the rule.
///
/// ```
/// use trainspec_kernels::channel_factor::ChannelFactor;
///
/// let factor = ChannelFactor { channels: 2, inner: 1, only_below: true };
/// let mut y = [0.0; 4];
/// factor.forward(&[3.0, -4.0, -1.0, 2.0], &[0.5, 0.25], &mut y);
/// assert_eq!(y, [3.0, -1.0, -0.5, 2.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ChannelFactor {
    /// The number of channels, each with its factor.
    pub channels: usize,
    /// The number of consecutive elements of a channel.
    pub inner: usize,
    /// Whether elements above 0 keep their value, as in a parametric `ReLU`; at 0 the derivative is the factor.
    pub only_below: bool,
}

impl ChannelFactor {
    /// Writes `y`, as long as `x`: a whole number of `[channels, inner]`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn forward(&self, x: &[f32], factors: &[f32], y: &mut [f32]) {
        self.check(x, factors);
        assert_eq!(x.len(), y.len(), "input and output");
        self.each(y, |first, factors_of, y| {
            let x = &x[first..first + y.len()];
            match factors_of {
                Span::Channel(channel) => one(x, factors[channel], self.only_below, y),
                Span::All => all(x, factors, self.only_below, y),
            }
        });
    }

    /// Computes the gradient of `x` from that of `y`, `dy`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn backward_input(
        &self,
        x: &[f32],
        factors: &[f32],
        dy: &[f32],
        (dx, onto): (&mut [f32], WriteMode),
    ) {
        self.check(x, factors);
        assert!(x.len() == dy.len() && x.len() == dx.len(), "input and gradients");
        let adds = onto == WriteMode::Accumulate;
        self.each(dx, |first, factors_of, dx| {
            let part = first..first + dx.len();
            let (x, dy) = (&x[part.clone()], &dy[part]);
            match factors_of {
                Span::Channel(channel) => one_back(x, factors[channel], dy, self.only_below, adds, dx),
                Span::All => all_back(x, factors, dy, self.only_below, adds, dx),
            }
        });
    }

    /// Computes the gradient of the factors, the sum of `x dy` over the elements that were multiplied, in their order.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn backward_factors(&self, x: &[f32], dy: &[f32], (d, onto): (&mut [f32], WriteMode)) {
        self.check(x, d);
        assert_eq!(x.len(), dy.len(), "input and gradient");
        let Self { channels, inner, only_below } = *self;
        let row = channels * inner;
        if row == 0 {
            return;
        }
        scratch::with(channels, |sums| {
            sums.fill(0.0);
            if inner == 1 {
                for (x, dy) in x.chunks_exact(row).zip(dy.chunks_exact(row)) {
                    add_products(x, dy, only_below, sums);
                }
            } else {
                threads::chunks(sums, 1, |channel, sum| {
                    for first in (channel * inner..x.len()).step_by(row) {
                        sum[0] += product(&x[first..first + inner], &dy[first..first + inner], only_below);
                    }
                });
            }
            for (d, sum) in d.iter_mut().zip(&*sums) {
                *d = if onto == WriteMode::Accumulate { *d + sum } else { *sum };
            }
        });
    }

    fn check(&self, x: &[f32], factors: &[f32]) {
        assert_eq!(factors.len(), self.channels, "a factor for each channel");
        let row = elements([self.channels, self.inner]);
        assert!(x.len().is_multiple_of(row.max(1)), "x is [outer, channels, inner]");
    }

    /// Calls `run` for the parts of a value, on all threads, with the index of the first element.
    fn each(&self, values: &mut [f32], run: impl Fn(usize, Span, &mut [f32]) + Sync + Send) {
        let Self { channels, inner, .. } = *self;
        let size = if inner == 1 { channels } else { inner };
        if size == 0 {
            return;
        }
        /// Elements per block, or more.
        const BLOCK: usize = 32 << 10;
        let parts = (BLOCK / size).max(1);
        threads::chunks(values, parts * size, |block, values| {
            for (part, values) in values.chunks_mut(size).enumerate() {
                let part = block * parts + part;
                let span = if inner == 1 { Span::All } else { Span::Channel(part % channels) };
                run(part * size, span, values);
            }
        });
    }
}

/// Which factors a part of a value has.
#[derive(Clone, Copy)]
enum Span {
    /// That of one channel.
    Channel(usize),
    /// One for each element.
    All,
}

simd! {
    fn one(x: &[f32], factor: f32, only_below: bool, y: &mut [f32]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = if only_below && x > 0.0 { x } else { x * factor };
        }
    }
}

simd! {
    fn all(x: &[f32], factors: &[f32], only_below: bool, y: &mut [f32]) {
        for ((y, &x), factor) in y.iter_mut().zip(x).zip(factors) {
            *y = if only_below && x > 0.0 { x } else { x * factor };
        }
    }
}

simd! {
    fn one_back(x: &[f32], factor: f32, dy: &[f32], only_below: bool, adds: bool, dx: &mut [f32]) {
        for ((dx, &x), dy) in dx.iter_mut().zip(x).zip(dy) {
            let d = if only_below && x > 0.0 { *dy } else { dy * factor };
            *dx = if adds { *dx + d } else { d };
        }
    }
}

simd! {
    fn all_back(x: &[f32], factors: &[f32], dy: &[f32], only_below: bool, adds: bool, dx: &mut [f32]) {
        for (((dx, &x), dy), factor) in dx.iter_mut().zip(x).zip(dy).zip(factors) {
            let d = if only_below && x > 0.0 { *dy } else { dy * factor };
            *dx = if adds { *dx + d } else { d };
        }
    }
}

simd! {
    fn add_products(x: &[f32], dy: &[f32], only_below: bool, sums: &mut [f32]) {
        for ((sum, &x), dy) in sums.iter_mut().zip(x).zip(dy) {
            *sum += if only_below && x > 0.0 { 0.0 } else { x * dy };
        }
    }
}

simd! {
    /// The sum of products, in 16 running sums.
    fn product(x: &[f32], dy: &[f32], only_below: bool) -> f32 {
        let mut lanes = [0.0_f32; 16];
        for (x, dy) in x.chunks(16).zip(dy.chunks(16)) {
            for ((lane, &x), dy) in lanes.iter_mut().zip(x).zip(dy) {
                *lane += if only_below && x > 0.0 { 0.0 } else { x * dy };
            }
        }
        lanes.iter().sum()
    }
}
