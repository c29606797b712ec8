//! The passes over a channel whose places lie side by side: lanes are places.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use std::ops::Range;

use super::{BatchNorm, Floors, Normal};
use crate::product::Onto;
use crate::runs::{LANES, Shared, accumulate, total};
use crate::simd;

/// The runs of a channel in some samples.
#[derive(Clone)]
pub(super) struct Runs {
    first: usize,
    stride: usize,
    length: usize,
    samples: Range<usize>,
}

impl Runs {
    pub(super) fn new(norm: &BatchNorm, channel: usize, samples: Range<usize>) -> Self {
        let BatchNorm { channels, places, .. } = *norm;
        Self { first: channel * places, stride: channels * places, length: places, samples }
    }

    /// Where each run lies.
    #[inline(always)]
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let Self { first, stride, length, .. } = *self;
        self.samples.clone().map(move |sample| {
            let start = first + sample * stride;
            start..start + length
        })
    }
}

/// The mean of the first run of a channel, or something near it.
pub(super) fn shift(x: &[f32], norm: &BatchNorm, channel: usize) -> f32 {
    let Some(run) = Runs::new(norm, channel, 0..norm.batch.min(1)).ranges().next() else { return 0.0 };
    let [sum] = sum(&x[run.clone()]);
    (sum / run.len().max(1) as f64) as f32
}

simd! {
    fn sum(run: &[f32]) -> [f64; 1] {
        let mut totals = [[0.0; LANES]];
        accumulate([run], [0.0], &mut totals, |[x], [sum]| {
for lane in 0..LANES { sum[lane] += x[lane]; }
});
        totals.map(total)
    }
}

simd! {
    /// The sum and the sum of squares of the differences from `shift`.
    pub(super) fn moments(x: &[f32], runs: &Runs, shift: f32) -> [f64; 2] {
        let mut totals = [[0.0; LANES]; 2];
        for run in runs.ranges() {
            accumulate([&x[run]], [shift], &mut totals, |[x], [sum, squares]| {
                for lane in 0..LANES {
                    let difference = x[lane] - shift;
                    sum[lane] += difference;
                    squares[lane] = difference.mul_add(difference, squares[lane]);
                }
            });
        }
        totals.map(total)
    }
}

simd! {
    /// `pre` of a run.
    pub(super) fn normalize(x: &[f32], normal: Normal, pre: &mut [f32]) {
        for (pre, &x) in pre.iter_mut().zip(x) {
            *pre = normal.of(x);
        }
    }
}

simd! {
    /// From `x` to `y`, where the epilogue is one of floors.
    ///
    /// No other thread may touch these runs of `y`.
    pub(super) fn normalize_with_floors(
        x: &[f32],
        runs: &Runs,
        normal: Normal,
        floors: Floors,
        residual: Option<&[f32]>,
        y: &Shared<'_>,
    ) {
        for run in runs.ranges() {
            // SAFETY: the caller has these runs to itself.
            let y = unsafe { y.part(run.clone()) };
            floor_run(&x[run.clone()], normal, floors, residual.map(|residual| &residual[run]), y);
        }
    }
}

/// [`normalize_with_floors`] of one run.
#[inline(always)]
pub(super) fn floor_run(x: &[f32], normal: Normal, floors: Floors, residual: Option<&[f32]>, y: &mut [f32]) {
    match residual {
        Some(residual) => {
            for ((y, &x), &residual) in y.iter_mut().zip(x).zip(residual) {
                *y = floors.apply(normal.of(x), Some(residual));
            }
        }
        None => {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = floors.apply(normal.of(x), None);
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
    Pre(Normal),
}

simd! {
    /// Cuts `d`, and gives the sums of `d` and of `d (x - mean)`.
    ///
    /// No other thread may touch these runs of `d`.
    pub(super) fn cut_and_sum(x: &[f32], runs: &Runs, mean: f32, cut: Cut<'_>, d: &Shared<'_>) -> [f64; 2] {
        let mut totals = [[0.0; LANES]; 2];
        for run in runs.ranges() {
            // SAFETY: the caller has these runs to itself.
            let d = unsafe { d.part(run.clone()) };
            let x = &x[run.clone()];
            match cut {
                Cut::Not => {}
                Cut::Output(y) => {
                    for (d, &y) in d.iter_mut().zip(&y[run]) {
                        *d = if y <= 0.0 { 0.0 } else { *d };
                    }
                }
                Cut::Pre(normal) => {
                    for (d, &x) in d.iter_mut().zip(x) {
                        *d = if normal.of(x) <= 0.0 { 0.0 } else { *d };
                    }
                }
            }
            accumulate([x, d], [mean, 0.0], &mut totals, |[x, d], [sum, products]| {
                for lane in 0..LANES {
                    sum[lane] += d[lane];
                    products[lane] = d[lane].mul_add(x[lane] - mean, products[lane]);
                }
            });
        }
        totals.map(total)
    }
}

/// `dx = of_d * d + of_x * (x - mean) + rest`
#[derive(Clone, Copy)]
pub(super) struct Slope {
    pub(super) mean: f32,
    pub(super) of_d: f32,
    pub(super) of_x: f32,
    pub(super) rest: f32,
}

impl Slope {
    #[inline(always)]
    pub(super) fn of(self, d: f32, x: f32) -> f32 {
        self.of_d.mul_add(d, self.of_x.mul_add(x - self.mean, self.rest))
    }
}

simd! {
    /// `dx` from `d`.
    ///
    /// No other thread may touch these runs of `d` and `dx`.
    pub(super) fn gradient(x: &[f32], runs: &Runs, slope: Slope, d: &Shared<'_>, dx: &Shared<'_>, onto: Onto) {
        for run in runs.ranges() {
            // SAFETY: the caller has these runs to itself.
            let (d, dx) = unsafe { (d.part(run.clone()), dx.part(run.clone())) };
            let numbers = dx.iter_mut().zip(&*d).zip(&x[run]);
            match onto {
                Onto::Replace => numbers.for_each(|((dx, &d), &x)| *dx = slope.of(d, x)),
                Onto::Add => numbers.for_each(|((dx, &d), &x)| *dx += slope.of(d, x)),
            }
        }
    }
}
