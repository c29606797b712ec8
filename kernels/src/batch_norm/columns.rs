//! The passes over some channels of vectors, with one position each: lanes are channels.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use std::ops::Range;

use super::places::Slope;
use super::{Floors, Normal};
use crate::matmul::WriteMode;
use crate::reduce::Shared;
use crate::simd;

/// The maximum number of channels processed at once.
pub(super) const WIDTH: usize = 256;
/// Samples that are summed in f32 before the sum goes to f64.
const SAMPLES: usize = 32;

/// A value for each of the channels.
pub(super) type Each<T = f32> = [T; WIDTH];

/// Some channels of some samples.
pub(super) struct Columns {
    pub(super) samples: Range<usize>,
    pub(super) channels: usize,
    /// At most [`WIDTH`] of them.
    pub(super) range: Range<usize>,
}

impl Columns {
    /// The range of the channels in each sample.
    #[inline(always)]
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> + use<'_> {
        self.samples.clone().map(|sample| self.of(sample))
    }

    #[inline(always)]
    fn of(&self, sample: usize) -> Range<usize> {
        sample * self.channels + self.range.start..sample * self.channels + self.range.end
    }

    /// Two sums for each channel over the samples, of which `add` adds those of one to the sums so far.
    #[inline(always)]
    fn sums(&self, add: impl Fn(Range<usize>, &mut [f32], &mut [f32])) -> [Each<f64>; 2] {
        let width = self.range.len();
        let mut totals = [[0.0; WIDTH]; 2];
        for block in self.samples.clone().step_by(SAMPLES) {
            let mut sums = [[0.0; WIDTH]; 2];
            let [first, second] = &mut sums;
            for sample in block..self.samples.end.min(block + SAMPLES) {
                add(self.of(sample), &mut first[..width], &mut second[..width]);
            }
            for (totals, sums) in totals.iter_mut().zip(sums) {
                for (total, sum) in totals.iter_mut().zip(sums) {
                    *total += f64::from(sum);
                }
            }
        }
        totals
    }
}

simd! {
    /// The sums and the sums of squares of the differences from `shifts`.
    pub(super) fn moments(x: &[f32], columns: &Columns, shifts: &Each) -> [Each<f64>; 2] {
        columns.sums(|range, sums, squares| {
            for (((x, shift), sum), square) in x[range].iter().zip(shifts).zip(sums).zip(squares) {
                let difference = x - shift;
                *sum += difference;
                *square = difference.mul_add(difference, *square);
            }
        })
    }
}

simd! {
    /// The sums of `d` and of `d (x - mean)`.
    pub(super) fn products(x: &[f32], columns: &Columns, means: &Each, d: &Shared<'_>) -> [Each<f64>; 2] {
        columns.sums(|range, sums, products| {
            // SAFETY: the caller has these columns to itself.
            let d = unsafe { d.part(range.clone()) };
            let numbers = x[range].iter().zip(means).zip(&*d);
            for (((( x, mean), d), sum), product) in numbers.zip(sums).zip(products) {
                *sum += d;
                *product = d.mul_add(x - mean, *product);
            }
        })
    }
}

/// [`Normal`] for each channel.
pub(super) struct Normals {
    pub(super) mean: Each,
    pub(super) scale: Each,
    pub(super) bias: Each,
}

impl Normals {
    #[inline(always)]
    fn apply(&self, x: &[f32], y: &mut [f32], end: impl Fn(f32, usize) -> f32) {
        let width = y.len();
        let [x, mean, scale, bias] =
            [x, &self.mean, &self.scale, &self.bias].map(|numbers| &numbers[..width]);
        for (column, y) in y.iter_mut().enumerate() {
            let normal = Normal { mean: mean[column], scale: scale[column], bias: bias[column] };
            *y = end(normal.of(x[column]), column);
        }
    }
}

simd! {
    /// `pre` of a part of a sample.
    pub(super) fn normalize(x: &[f32], normals: &Normals, pre: &mut [f32]) {
        normals.apply(x, pre, |pre, _| pre);
    }
}

simd! {
    /// From `x` to `y`, where the epilogue is one of floors.
    ///
    /// No other thread may touch these columns of `y`.
    pub(super) fn normalize_with_floors(
        x: &[f32],
        columns: &Columns,
        normals: &Normals,
        floors: Floors,
        residual: Option<&[f32]>,
        y: &Shared<'_>,
    ) {
        for range in columns.ranges() {
            // SAFETY: the caller has these columns to itself.
            let y = unsafe { y.part(range.clone()) };
            let x = &x[range.clone()];
            match residual {
                Some(residual) => {
                    let residual = &residual[range];
                    normals.apply(x, y, |pre, column| floors.apply(pre, Some(residual[column])));
                }
                None => normals.apply(x, y, |pre, _| floors.apply(pre, None)),
            }
        }
    }
}

/// [`Slope`] for each channel.
pub(super) struct Slopes {
    pub(super) mean: Each,
    pub(super) of_d: Each,
    pub(super) of_x: Each,
    pub(super) constant: Each,
}

simd! {
    /// `dx` from `d`.
    ///
    /// No other thread may touch these columns of `d` and `dx`.
    pub(super) fn gradient(
        x: &[f32],
        columns: &Columns,
        slopes: &Slopes,
        d: &Shared<'_>,
        dx: &Shared<'_>,
        onto: WriteMode,
    ) {
        let width = columns.range.len();
        let [mean, of_d, of_x, constant] =
            [&slopes.mean, &slopes.of_d, &slopes.of_x, &slopes.constant].map(|each| &each[..width]);
        for range in columns.ranges() {
            // SAFETY: the caller has these columns to itself.
            let (d, dx) = unsafe { (d.part(range.clone()), dx.part(range.clone())) };
            let x = &x[range];
            for column in 0..width {
                let (mean, of_d) = (mean[column], of_d[column]);
                let slope = Slope { mean, of_d, of_x: of_x[column], constant: constant[column] };
                let value = slope.of(d[column], x[column]);
                dx[column] = if onto == WriteMode::Accumulate { dx[column] + value } else { value };
            }
        }
    }
}
