//! The largest value of each window of one plane.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::Pool;
use super::window::{runs, split};
use crate::product::Onto;
use crate::simd;

pub(super) fn forward(pool: &Pool, x: &[f32], y: &mut [f32], winners: Option<&mut [u32]>) {
    if !pool.is_halving() {
        return any_forward(pool, x, y, winners);
    }
    match pool.out_width() {
        0..4 => any_forward(pool, x, y, winners),
        4..8 => halve::<4>(pool, x, y, winners),
        8..16 => halve::<8>(pool, x, y, winners),
        16.. => halve::<16>(pool, x, y, winners),
    }
}

pub(super) fn backward(pool: &Pool, winners: &[u32], dy: &[f32], dx: &mut [f32], onto: Onto) {
    // Windows that touch write each place once.
    if pool.is_halving() {
        match pool.out_width() {
            0..4 => {}
            4..8 => return spread::<4>(pool, winners, dy, dx, onto),
            8..16 => return spread::<8>(pool, winners, dy, dx, onto),
            16.. => return spread::<16>(pool, winners, dy, dx, onto),
        }
    }
    if onto == Onto::Replace {
        dx.fill(0.0);
    }
    for (&winner, dy) in winners.iter().zip(dy) {
        dx[winner as usize] += dy;
    }
}

/// Whether `value` takes the place of the largest so far: NaN beats every number, and nothing beats NaN.
#[inline(always)]
fn beats(value: f32, largest: f32) -> bool {
    (value > largest) | (value.is_nan() & !largest.is_nan())
}

fn any_forward(pool: &Pool, x: &[f32], y: &mut [f32], mut winners: Option<&mut [u32]>) {
    let columns = pool.out_width();
    for (number, y) in y.iter_mut().enumerate() {
        let (mut largest, mut winner) = (f32::NEG_INFINITY, None);
        for row in pool.rows(number / columns) {
            for column in pool.columns(number % columns) {
                let place = row * pool.width + column;
                if winner.is_none() || beats(x[place], largest) {
                    (largest, winner) = (x[place], Some(place));
                }
            }
        }
        *y = largest;
        if let (Some(winners), Some(winner)) = (&mut winners, winner) {
            winners[number] = winner as u32;
        }
    }
}

simd! {
    /// Windows of 2x2 that touch, `N` at a time; a row has at least `N`.
    fn halve[const N: usize][N](pool: &Pool, x: &[f32], y: &mut [f32], winners: Option<&mut [u32]>) {
        let (width, columns) = (pool.width, pool.out_width());
        let mut winners = winners;
        for (row, y) in y.chunks_exact_mut(columns).enumerate() {
            let [upper, lower] = [0, 1].map(|half| &x[(2 * row + half) * width..][..width]);
            for start in runs(columns, N) {
                let [a, b] = split::<N>(&upper[2 * start..][..2 * N]);
                let [c, d] = split::<N>(&lower[2 * start..][..2 * N]);
                let first = (2 * row * width + 2 * start) as u32;
                let (mut largest, mut places) = ([0.0; N], [0; N]);
                for lane in 0..N {
                    let place = first + 2 * lane as u32;
                    let [mut value, mut winner] = [a[lane].to_bits(), place];
                    for (other, at) in [(b, 1), (c, width as u32), (d, width as u32 + 1)] {
                        let wins = beats(other[lane], f32::from_bits(value));
                        value = if wins { other[lane].to_bits() } else { value };
                        winner = if wins { place + at } else { winner };
                    }
                    largest[lane] = f32::from_bits(value);
                    places[lane] = winner;
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
    /// The gradient for windows of 2x2 that touch, `N` at a time; a row has at least `N`.
    fn spread[const N: usize][N](pool: &Pool, winners: &[u32], dy: &[f32], dx: &mut [f32], onto: Onto) {
        let (width, columns) = (pool.width, pool.out_width());
        let rows = winners.chunks_exact(columns).zip(dy.chunks_exact(columns));
        let pairs = dx.chunks_exact_mut(2 * width);
        for (row, ((winners, dy), dx)) in rows.zip(pairs).enumerate() {
            for (half, dx) in dx.chunks_exact_mut(width).enumerate() {
                // What is beyond the last window.
                if onto == Onto::Replace {
                    dx[2 * columns..].fill(0.0);
                }
                let mut next = 0;
                for start in runs(columns, N) {
                    let (winners, dy) = (&winners[start..][..N], &dy[start..][..N]);
                    let first = ((2 * row + half) * width + 2 * start) as u32;
                    let dx = &mut dx[2 * start..][..2 * N];
                    // Places that an earlier run has been to keep their sums.
                    let skip = if onto == Onto::Add { next - start } else { 0 };
                    next = start + N;
                    let pairs = dx.as_chunks_mut::<2>().0.iter_mut();
                    if skip == 0 {
                        for (lane, (pair, (winner, dy))) in pairs.zip(winners.iter().zip(dy)).enumerate() {
                            put(pair, *winner, first + 2 * lane as u32, *dy, onto);
                        }
                    } else {
                        for (lane, (pair, (winner, dy))) in pairs.zip(winners.iter().zip(dy)).enumerate().skip(skip) {
                            put(pair, *winner, first + 2 * lane as u32, *dy, onto);
                        }
                    }
                }
            }
        }
        // An odd last row belongs to no window.
        if onto == Onto::Replace {
            dx[pool.out_height() * 2 * width..].fill(0.0);
        }
    }
}

/// Gives `dy` to the place of the pair that won.
#[inline(always)]
fn put(pair: &mut [f32; 2], winner: u32, place: u32, dy: f32, onto: Onto) {
    let found = [place, place + 1].map(|place| if winner == place { dy } else { 0.0 });
    *pair = if onto == Onto::Add { [pair[0] + found[0], pair[1] + found[1]] } else { found };
}
