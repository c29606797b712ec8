//! The sum of each window of one plane, times a factor.

use super::Pool;
use super::lanes;
use super::planes::Windows;
use super::window::{runs, split};
use crate::matmul::WriteMode;
use crate::simd;

pub(super) fn forward(pool: &Pool, factor: f32, x: &[f32], y: &mut [f32]) {
    let columns = pool.out_width();
    if pool.is_halving() {
        match columns {
            0..4 => {}
            4..8 => return halve::<4>(pool, factor, x, y),
            8..16 => return halve::<8>(pool, factor, x, y),
            16.. => return halve::<16>(pool, factor, x, y),
        }
    }
    if pool.fills_lanes() {
        return lanes::sums(pool, factor, x, y);
    }
    pool.sums(x, y, |sum, _| sum * factor);
}

pub(super) fn backward(pool: &Pool, factor: f32, dy: &[f32], dx: &mut [f32], onto: WriteMode) {
    if pool.is_halving() {
        return double(pool, factor, dy, dx, onto);
    }
    pool.spread(dy, dx, onto, |dy, _| dy * factor);
}

simd! {
    /// Windows of 2x2 with stride 2, `N` at a time; a row has at least `N`.
    fn halve[const N: usize][N](pool: &Pool, factor: f32, x: &[f32], y: &mut [f32]) {
        let (width, columns) = (pool.width, pool.out_width());
        for (row, y) in y.chunks_exact_mut(columns).enumerate() {
            let [upper, lower] = [0, 1].map(|half| &x[(2 * row + half) * width..][..width]);
            for start in runs(columns, N) {
                let [a, b] = split::<N>(&upper[2 * start..][..2 * N]);
                let [c, d] = split::<N>(&lower[2 * start..][..2 * N]);
                for (lane, y) in y[start..][..N].iter_mut().enumerate() {
                    *y = (((a[lane] + b[lane]) + c[lane]) + d[lane]) * factor;
                }
            }
        }
    }
}

simd! {
    /// The gradient for windows of 2x2 with stride 2.
    fn double(pool: &Pool, factor: f32, dy: &[f32], dx: &mut [f32], onto: WriteMode) {
        let (width, columns) = (pool.width, pool.out_width());
        let (pairs, odd_row) = dx.split_at_mut(pool.out_height() * 2 * width);
        if onto == WriteMode::Overwrite {
            odd_row.fill(0.0);
        }
        for (row, dx) in pairs.chunks_exact_mut(width.max(1)).enumerate() {
            let dy = &dy[row / 2 * columns..][..columns];
            let (pairs, odd) = dx.split_at_mut(2 * columns);
            let pairs = pairs.as_chunks_mut::<2>().0.iter_mut().zip(dy);
            match onto {
                WriteMode::Overwrite => {
                    odd.fill(0.0);
                    pairs.for_each(|(pair, dy)| *pair = [dy * factor; 2]);
                }
                WriteMode::Accumulate => pairs.for_each(|(pair, dy)| *pair = [pair[0] + dy * factor, pair[1] + dy * factor]),
            }
        }
    }
}
