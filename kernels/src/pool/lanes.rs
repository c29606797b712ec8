//! Windows side by side: those of an output row that lie inside of the plane, where neighboring windows begin 1 or 2 columns apart.
//!
//! Every window has its elements in the same order as in [`super::planes`], so the results have the same bits.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use std::ops::Range;

use super::Pool;
use super::max::beats;
use super::planes::Windows;
use super::window::runs;
use crate::simd;

/// The number of windows side by side.
const LANES: usize = 16;

impl Pool {
    /// The output columns whose windows do not extend beyond the plane.
    pub(super) fn inner_columns(&self) -> Range<usize> {
        let ([_, kernel], [_, stride], [_, padding]) = (self.kernel, self.stride, self.padding);
        let first = padding.div_ceil(stride).min(self.out_width());
        let room = (self.width + padding).checked_sub(kernel);
        let end = room.map_or(0, |room| room / stride + 1).min(self.out_width());
        first..end.max(first)
    }

    /// Whether there are enough of them for a vector, with a stride for which it is read in one piece.
    pub(super) fn fills_lanes(&self) -> bool {
        self.stride[1] <= 2 && self.inner_columns().len() >= LANES
    }
}

/// The sum of each window of a plane, times a factor.
pub(super) fn sums(pool: &Pool, factor: f32, x: &[f32], y: &mut [f32]) {
    let (inner, columns) = (pool.inner_columns(), pool.out_width());
    for (row, y) in y.chunks_exact_mut(columns).enumerate() {
        let rows = pool.rows(row);
        for column in (0..inner.start).chain(inner.end..columns) {
            let mut sum = 0.0;
            for row in rows.clone() {
                for x in &x[row * pool.width..][pool.columns(column)] {
                    sum += x;
                }
            }
            y[column] = sum * factor;
        }
        if pool.stride[1] == 1 {
            inner_sums::<1>(pool, factor, x, rows, &mut y[inner.clone()]);
        } else {
            inner_sums::<2>(pool, factor, x, rows, &mut y[inner.clone()]);
        }
    }
}

/// The largest value of each window of a plane, and the place of the first of equal ones.
pub(super) fn largest(pool: &Pool, x: &[f32], y: &mut [f32], mut winners: Option<&mut [u32]>) {
    let (inner, columns) = (pool.inner_columns(), pool.out_width());
    for (row, y) in y.chunks_exact_mut(columns).enumerate() {
        let (rows, start) = (pool.rows(row), row * columns);
        for column in (0..inner.start).chain(inner.end..columns) {
            let within = pool.columns(column);
            let mut winner = rows.start * pool.width + within.start;
            for row in rows.clone() {
                for place in row * pool.width + within.start..row * pool.width + within.end {
                    if beats(x[place], x[winner]) {
                        winner = place;
                    }
                }
            }
            y[column] = x[winner];
            if let Some(winners) = &mut winners {
                winners[start + column] = winner as u32;
            }
        }
        let part = start + inner.start..start + inner.end;
        let winners = winners.as_deref_mut().map(|winners| &mut winners[part]);
        if pool.stride[1] == 1 {
            inner_largest::<1>(pool, x, rows, &mut y[inner.clone()], winners);
        } else {
            inner_largest::<2>(pool, x, rows, &mut y[inner.clone()], winners);
        }
    }
}

/// The elements that lanes read: from `first` on, every `STRIDE`th.
#[inline(always)]
fn taken<const STRIDE: usize>(line: &[f32], first: usize) -> &[f32] {
    &line[first..][..=STRIDE * (LANES - 1)]
}

simd! {
    fn inner_sums[const STRIDE: usize][STRIDE](
        pool: &Pool,
        factor: f32,
        x: &[f32],
        rows: Range<usize>,
        y: &mut [f32],
    ) {
        let first = pool.inner_columns().start * STRIDE - pool.padding[1];
        for start in runs(y.len(), LANES) {
            let mut sums = [0.0; LANES];
            for row in rows.clone() {
                let line = &x[row * pool.width..][..pool.width];
                for tap in 0..pool.kernel[1] {
                    let values = taken::<STRIDE>(line, first + start * STRIDE + tap);
                    for lane in 0..LANES {
                        sums[lane] += values[STRIDE * lane];
                    }
                }
            }
            for (y, sum) in y[start..][..LANES].iter_mut().zip(sums) {
                *y = sum * factor;
            }
        }
    }
}

simd! {
    fn inner_largest[const STRIDE: usize][STRIDE](
        pool: &Pool,
        x: &[f32],
        rows: Range<usize>,
        y: &mut [f32],
        winners: Option<&mut [u32]>,
    ) {
        let first = pool.inner_columns().start * STRIDE - pool.padding[1];
        let mut winners = winners;
        for start in runs(y.len(), LANES) {
            let (mut largest, mut places) = ([f32::NEG_INFINITY; LANES], [0_u32; LANES]);
            let left = first + start * STRIDE;
            for (lane, place) in places.iter_mut().enumerate() {
                *place = (rows.start * pool.width + left + STRIDE * lane) as u32;
            }
            for row in rows.clone() {
                let line = &x[row * pool.width..][..pool.width];
                for tap in 0..pool.kernel[1] {
                    let values = taken::<STRIDE>(line, left + tap);
                    let place = (row * pool.width + left + tap) as u32;
                    for lane in 0..LANES {
                        let value = values[STRIDE * lane];
                        let wins = beats(value, largest[lane]);
                        largest[lane] = if wins { value } else { largest[lane] };
                        places[lane] = if wins { place + (STRIDE * lane) as u32 } else { places[lane] };
                    }
                }
            }
            y[start..][..LANES].copy_from_slice(&largest);
            if let Some(winners) = &mut winners {
                winners[start..][..LANES].copy_from_slice(&places);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::tests::numbers;

    /// Kernels, strides and paddings of which the lanes are full.
    fn pools() -> impl Iterator<Item = Pool> {
        let sizes = [
            ([1, 3], [1, 1], [0, 1]),
            ([3, 3], [2, 2], [1, 1]),
            ([2, 5], [1, 2], [1, 2]),
            ([3, 2], [3, 1], [0, 0]),
        ];
        let widths = [35, 36, 40, 49];
        widths.into_iter().flat_map(move |width| {
            sizes.map(|(kernel, stride, padding)| Pool {
                planes: 1,
                height: 7,
                width,
                kernel,
                stride,
                padding,
            })
        })
    }

    #[test]
    fn windows_side_by_side_have_the_bits_of_single_ones() {
        for pool in pools() {
            assert!(pool.fills_lanes(), "{pool:?}");
            let mut x = numbers(pool.height * pool.width, 1);
            // A sum of these depends on its order.
            x.iter_mut().enumerate().for_each(|(place, x)| *x *= 1.0 + place as f32 / 7.0);
            for nan in [None, Some(0), Some(pool.width + 3), Some(3 * pool.width - 1)] {
                if let Some(nan) = nan {
                    x[nan] = f32::NAN;
                }
                x[pool.width..][5..20].fill(f32::NEG_INFINITY);
                let outputs = pool.out_height() * pool.out_width();
                let [mut y, mut expected] = [(); 2].map(|()| vec![0.0; outputs]);
                let [mut winners, mut expected_winners] = [(); 2].map(|()| vec![u32::MAX; outputs]);
                let bits = |y: &[f32]| y.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
                largest(&pool, &x, &mut y, Some(&mut winners));
                pool.largest(&x, &mut expected, Some(&mut expected_winners));
                assert_eq!((bits(&y), &winners), (bits(&expected), &expected_winners), "{pool:?}");
                largest(&pool, &x, &mut y, None);
                assert_eq!(bits(&y), bits(&expected));
                sums(&pool, 0.3, &x, &mut y);
                pool.sums(&x, &mut expected, |sum, _| sum * 0.3);
                assert_eq!(bits(&y), bits(&expected), "{pool:?}");
            }
        }
    }
}
