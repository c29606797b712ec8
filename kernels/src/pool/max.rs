//! The largest value of each window of one plane.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::Pool;
use super::lanes;
use super::planes::{Windows, assign};
use super::window::{runs, split};
use crate::matmul::WriteMode;
use crate::simd;

pub(super) fn forward(pool: &Pool, x: &[f32], y: &mut [f32], winners: Option<&mut [u32]>) {
    if !pool.is_halving() {
        if pool.fills_lanes() {
            return lanes::largest(pool, x, y, winners);
        }
        return pool.largest(x, y, winners);
    }
    match pool.out_width() {
        0..4 => pool.largest(x, y, winners),
        4..8 => halve::<4>(pool, x, y, winners),
        8..16 => halve::<8>(pool, x, y, winners),
        16.. => halve::<16>(pool, x, y, winners),
    }
}

pub(super) fn backward(pool: &Pool, winners: &[u32], dy: &[f32], dx: &mut [f32], onto: WriteMode) {
    // Windows that do not overlap write each position once.
    if pool.is_halving() {
        return spread(pool, winners, dy, dx, onto);
    }
    assign(winners, dy, dx, onto);
}

/// Whether `value` replaces the largest so far: NaN beats every value, and nothing beats NaN.
#[inline(always)]
pub(super) fn beats(value: f32, largest: f32) -> bool {
    (value > largest) | (value.is_nan() & !largest.is_nan())
}

simd! {
    /// Windows of 2x2 with stride 2, `N` at a time; a row has at least `N`.
    fn halve[const N: usize][N](pool: &Pool, x: &[f32], y: &mut [f32], winners: Option<&mut [u32]>) {
        let (width, columns) = (pool.width, pool.out_width());
        let mut winners = winners;
        for (row, y) in y.chunks_exact_mut(columns).enumerate() {
            let [upper, lower] = [0, 1].map(|half| &x[(2 * row + half) * width..][..width]);
            for start in runs(columns, N) {
                let [a, b] = split::<N>(&upper[2 * start..][..2 * N]);
                let [c, d] = split::<N>(&lower[2 * start..][..2 * N]);
                let first = (2 * row * width + 2 * start) as u32;
                let (mut largest, mut places) = (a, [0; N]);
                for (lane, place) in places.iter_mut().enumerate() {
                    *place = first + 2 * lane as u32;
                }
                for (other, step) in [(b, 1), (c, width as u32), (d, width as u32 + 1)] {
                    for lane in 0..N {
                        let wins = beats(other[lane], largest[lane]);
                        let place = first + 2 * lane as u32 + step;
                        largest[lane] = if wins { other[lane] } else { largest[lane] };
                        places[lane] = if wins { place } else { places[lane] };
                    }
                }
                y[start..][..N].copy_from_slice(&largest);
                if let Some(winners) = &mut winners {
                    winners[row * columns + start..][..N].copy_from_slice(&places);
                }
            }
        }
    }
}

simd! {
    /// The gradient for windows of 2x2 with stride 2.
    fn spread(pool: &Pool, winners: &[u32], dy: &[f32], dx: &mut [f32], onto: WriteMode) {
        let (width, columns) = (pool.width, pool.out_width());
        let (pairs, odd_row) = dx.split_at_mut(pool.out_height() * 2 * width);
        if onto == WriteMode::Overwrite {
            odd_row.fill(0.0);
        }
        for (row, dx) in pairs.chunks_exact_mut(width.max(1)).enumerate() {
            let outputs = row / 2 * columns..(row / 2 + 1) * columns;
            let (winners, dy) = (&winners[outputs.clone()], &dy[outputs]);
            let (pairs, odd) = dx.split_at_mut(2 * columns);
            let pairs = pairs.as_chunks_mut::<2>().0.iter_mut().zip(winners.iter().zip(dy));
            let first = (row * width) as u32;
            match onto {
                WriteMode::Overwrite => {
                    odd.fill(0.0);
                    for (place, (pair, (winner, dy))) in (first..).step_by(2).zip(pairs) {
                        *pair = [place, place + 1].map(|place| if *winner == place { *dy } else { 0.0 });
                    }
                }
                WriteMode::Accumulate => {
                    for (place, (pair, (winner, dy))) in (first..).step_by(2).zip(pairs) {
                        pair[0] += if *winner == place { *dy } else { 0.0 };
                        pair[1] += if *winner == place + 1 { *dy } else { 0.0 };
                    }
                }
            }
        }
    }
}
