//! The passes over channels with contiguous positions: lanes are positions.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use std::ops::Range;

use super::{BatchNorm, Floors, Normal};
use crate::matmul::WriteMode;
use crate::reduce::{self, Shared, Sums, WIDE};
use crate::simd;

/// The maximum number of channels processed at once.
pub(super) const CHANNELS: usize = 8;

/// A value for each of the channels.
pub(super) type Each<T = f32> = [T; CHANNELS];

/// Some channels in some samples, each a run of positions.
#[derive(Clone)]
pub(super) struct Block {
    channels: usize,
    places: usize,
    /// At most [`CHANNELS`] of them.
    pub(super) range: Range<usize>,
    samples: Range<usize>,
}

impl Block {
    pub(super) fn new(norm: &BatchNorm, range: Range<usize>, samples: Range<usize>) -> Self {
        // Without positions the number of samples is 0.
        let samples = if norm.places > 0 { samples } else { 0..0 };
        Self { channels: norm.channels, places: norm.places, range, samples }
    }

    /// The best number of channels to process at once: adjacent short runs are read faster.
    pub(super) fn width(norm: &BatchNorm) -> usize {
        const NUMBERS: usize = 1024;
        (NUMBERS / norm.places.max(1)).clamp(1, CHANNELS)
    }

    /// The range of the channels in each sample.
    #[inline(always)]
    pub(super) fn parts(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let Self { channels, places, range, samples } = self.clone();
        samples.map(move |sample| {
            (sample * channels + range.start) * places..(sample * channels + range.end) * places
        })
    }
}

/// The means of the channels in the first sample, which are near enough; 0 without samples.
pub(super) fn shifts(x: &[f32], block: &Block) -> Each {
    let mut shifts = [0.0; CHANNELS];
    let first = block.range.start * block.places..block.range.end * block.places;
    let runs = x.get(first).unwrap_or_default().chunks_exact(block.places.max(1));
    for (shift, run) in shifts.iter_mut().zip(runs) {
        *shift = (sum(run) / run.len() as f64) as f32;
    }
    shifts
}

simd! {
    fn sum(run: &[f32]) -> f64 {
        let [sum] = reduce::sums([run], [0.0], |[x], [sum]| {
            for lane in 0..WIDE {
                sum[lane] += x[lane];
            }
        });
        sum
    }
}

/// The sums of each channel.
#[inline(always)]
fn finish(sums: &mut Each<Sums<2>>, count: usize) -> Each<[f64; 2]> {
    let mut finished = [[0.0; 2]; CHANNELS];
    for (finished, sums) in finished.iter_mut().zip(sums).take(count) {
        *finished = sums.finish();
    }
    finished
}

simd! {
    /// The sums and the sums of squares of the differences from `shifts`.
    pub(super) fn moments(x: &[f32], block: &Block, shifts: &Each) -> Each<[f64; 2]> {
        let mut sums = [Sums::ZERO; CHANNELS];
        for part in block.parts() {
            let runs = x[part].chunks_exact(block.places);
            for ((run, sums), &shift) in runs.zip(&mut sums).zip(shifts) {
                sums.add([run], [shift], |[x], [sum, squares]| {
                    for lane in 0..WIDE {
                        let difference = x[lane] - shift;
                        sum[lane] += difference;
                        squares[lane] = difference.mul_add(difference, squares[lane]);
                    }
                });
            }
        }
        finish(&mut sums, block.range.len())
    }
}

simd! {
    /// `pre` of some channels of one sample.
    pub(super) fn normalize(x: &[f32], places: usize, normals: &Each<Normal>, pre: &mut [f32]) {
        for ((x, pre), normal) in x.chunks_exact(places).zip(pre.chunks_exact_mut(places)).zip(normals) {
            for (pre, &x) in pre.iter_mut().zip(x) {
                *pre = normal.of(x);
            }
        }
    }
}

simd! {
    /// From `x` to `y`, where the epilogue is one of floors.
    ///
    /// No other thread may touch this block of `y`.
    pub(super) fn normalize_with_floors(
        x: &[f32],
        block: &Block,
        normals: &Each<Normal>,
        floors: Floors,
        residual: Option<&[f32]>,
        y: &Shared<'_>,
    ) {
        let places = block.places;
        for part in block.parts() {
            // SAFETY: the caller has exclusive access to this block.
            let y = unsafe { y.part(part.clone()) }.chunks_exact_mut(places);
            let x = x[part.clone()].chunks_exact(places);
            match residual {
                Some(residual) => {
                    let runs = y.zip(x).zip(residual[part].chunks_exact(places));
                    for (((y, x), residual), normal) in runs.zip(normals) {
                        for ((y, &x), &residual) in y.iter_mut().zip(x).zip(residual) {
                            *y = floors.apply(normal.of(x), Some(residual));
                        }
                    }
                }
                None => {
                    for ((y, x), normal) in y.zip(x).zip(normals) {
                        for (y, &x) in y.iter_mut().zip(x) {
                            *y = floors.apply(normal.of(x), None);
                        }
                    }
                }
            }
        }
    }
}

/// Where a gradient is cut to 0.
#[derive(Clone, Copy)]
pub(super) enum Cut<'a> {
    Not,
    /// Where the output is not above 0.
    Output(&'a [f32]),
    /// Where `pre` is not above 0.
    Pre,
}

simd! {
    /// Cuts `d`, and returns the sums of `d` and of `d (x - mean)`.
    ///
    /// No other thread may touch this block of `d`.
    pub(super) fn cut_and_sum(
        x: &[f32],
        block: &Block,
        normals: &Each<Normal>,
        cut: Cut<'_>,
        d: &Shared<'_>,
    ) -> Each<[f64; 2]> {
        let mut sums = [Sums::ZERO; CHANNELS];
        for part in block.parts() {
            for (number, (normal, sums)) in normals.iter().zip(&mut sums).take(block.range.len()).enumerate() {
                let start = part.start + number * block.places;
                let run = start..start + block.places;
                // SAFETY: the caller has exclusive access to this block.
                let d = unsafe { d.part(run.clone()) };
                let x = &x[run.clone()];
                match cut {
                    Cut::Not => {}
                    Cut::Output(y) => {
                        for (d, &y) in d.iter_mut().zip(&y[run]) {
                            *d = if y <= 0.0 { 0.0 } else { *d };
                        }
                    }
                    Cut::Pre => {
                        for (d, &x) in d.iter_mut().zip(x) {
                            *d = if normal.of(x) <= 0.0 { 0.0 } else { *d };
                        }
                    }
                }
                sums.add([x, d], [normal.mean, 0.0], |[x, d], [sum, products]| {
                    for lane in 0..WIDE {
                        sum[lane] += d[lane];
                        products[lane] = d[lane].mul_add(x[lane] - normal.mean, products[lane]);
                    }
                });
            }
        }
        finish(&mut sums, block.range.len())
    }
}

/// `dx = of_d * d + of_x * (x - mean) + constant`
#[derive(Clone, Copy)]
pub(super) struct Slope {
    pub(super) mean: f32,
    pub(super) of_d: f32,
    pub(super) of_x: f32,
    pub(super) constant: f32,
}

impl Slope {
    /// Of nothing.
    pub(super) const ZERO: Self = Self { mean: 0.0, of_d: 0.0, of_x: 0.0, constant: 0.0 };

    #[inline(always)]
    pub(super) fn of(self, d: f32, x: f32) -> f32 {
        self.of_d.mul_add(d, self.of_x.mul_add(x - self.mean, self.constant))
    }
}

simd! {
    /// `dx` from `d`.
    ///
    /// No other thread may touch this block of `d` and `dx`.
    pub(super) fn gradient(
        x: &[f32],
        block: &Block,
        slopes: &Each<Slope>,
        d: &Shared<'_>,
        dx: &Shared<'_>,
        onto: WriteMode,
    ) {
        let places = block.places;
        for part in block.parts() {
            // SAFETY: the caller has exclusive access to this block.
            let (d, dx) = unsafe { (d.part(part.clone()), dx.part(part.clone())) };
            let runs = x[part].chunks_exact(places).zip(d.chunks_exact(places)).zip(dx.chunks_exact_mut(places));
            for (((x, d), dx), slope) in runs.zip(slopes) {
                if onto == WriteMode::Accumulate {
                    for ((dx, &d), &x) in dx.iter_mut().zip(d).zip(x) {
                        *dx += slope.of(d, x);
                    }
                } else {
                    for ((dx, &d), &x) in dx.iter_mut().zip(d).zip(x) {
                        *dx = slope.of(d, x);
                    }
                }
            }
        }
    }
}
