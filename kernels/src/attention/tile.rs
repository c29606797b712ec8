//! The softmax of a tile of scores, between its two products.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::{KEYS, QUERIES};
use crate::epilogue::{self, Dropout};
use crate::math::{LANES, exp, fold};
use crate::philox::WORDS;
use crate::simd;

/// The factors of dropout for a row of a tile, which may start inside a block of words.
type Factors = epilogue::Factors<{ KEYS + WORDS }>;

/// Some queries and some keys; its scores and weights have rows of `KEYS` elements.
#[derive(Clone, Copy)]
pub(super) struct Tile<'a> {
    pub(super) first_query: usize,
    pub(super) rows: usize,
    pub(super) first_key: usize,
    pub(super) columns: usize,
    pub(super) causal: bool,
    pub(super) dropout: Option<Dropout>,
    /// The index of its first weight among all weights.
    pub(super) first_weight: u64,
    /// The distance from a row of all weights to the next.
    pub(super) length: usize,
    /// Its keys are attended to where this is above 0.
    pub(super) mask: Option<&'a [f32]>,
}

/// Memory for the scores of a tile.
pub(super) const SCORES: usize = QUERIES * KEYS;

/// The softmax of a row so far: the largest score, and the sum of the exponentials of the others less it.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    pub(super) largest: f32,
    pub(super) sum: f32,
}

impl Sums {
    /// Of no keys.
    pub(super) const NONE: Self = Self { largest: f32::NEG_INFINITY, sum: 0.0 };
}

impl Tile<'_> {
    /// The number of keys of the tile that a row attends to, its first ones.
    #[inline(always)]
    fn seen(&self, row: usize) -> usize {
        if self.causal { self.columns.min(self.first_query + row + 1 - self.first_key) } else { self.columns }
    }

    /// The factors of dropout for the seen keys of a row, followed by more.
    #[inline(always)]
    fn factors<'a>(&self, row: usize, seen: usize, room: &'a mut Factors) -> &'a [f32] {
        let Some(dropout) = &self.dropout else { return room.from(0) };
        let start = room.draw(dropout, self.first_weight + (row * self.length) as u64, seen);
        room.from(start)
    }

    /// Removes the scores of masked keys from a row.
    #[inline(always)]
    fn hide(&self, row: &mut [f32]) {
        let Some(mask) = self.mask else { return };
        for (score, &mask) in row.iter_mut().zip(mask) {
            *score = if mask > 0.0 { *score } else { f32::NEG_INFINITY };
        }
    }

    /// Turns scores into weights less their final divisor, with dropout, and updates `sums`; the
    /// rows of `y`, of `width` elements, which hold the results of earlier tiles, are scaled to the new largest score.
    pub(super) fn weigh(&self, scores: &mut [f32], sums: &mut [Sums], y: &mut [f32], width: usize) {
        weigh(self, scores, sums, y, width);
    }

    /// Turns scores into weights with dropout, and the gradient of the weights with dropout, in `d_weights`,
    /// into that of the scores.
    pub(super) fn differentiate(
        &self,
        scores: &mut [f32],
        d_weights: &mut [f32],
        log_sums: &[f32],
        means: &[f32],
    ) {
        differentiate(self, scores, d_weights, log_sums, means);
    }
}

simd! {
    fn weigh(tile: &Tile<'_>, scores: &mut [f32], sums: &mut [Sums], y: &mut [f32], width: usize) {
        let mut room = Factors::ONES;
        let rows = scores.as_chunks_mut::<KEYS>().0.iter_mut().zip(sums).take(tile.rows);
        for (number, (row, sums)) in rows.enumerate() {
            let seen = tile.seen(number);
            let wide = seen.next_multiple_of(LANES);
            tile.hide(&mut row[..seen]);
            row[seen..wide].fill(f32::NEG_INFINITY);
            let vectors = row[..wide].as_chunks_mut::<LANES>().0;

            let mut lanes = [sums.largest; LANES];
            for vector in &*vectors {
                for (lane, &score) in lanes.iter_mut().zip(vector) {
                    *lane = if *lane > score { *lane } else { score };
                }
            }
            let largest = fold(lanes, |a, b| if a > b { a } else { b });

            // Without a key that it may attend to, a row has only weights of 0, and not 0 / 0.
            let base = if largest == f32::NEG_INFINITY { 0.0 } else { largest };
            let factors = tile.factors(number, seen, &mut room).as_chunks::<LANES>().0;
            let mut lanes = [0.0; LANES];
            for (vector, factors) in vectors.iter_mut().zip(factors) {
                for ((lane, score), factor) in lanes.iter_mut().zip(vector).zip(factors) {
                    let weight = exp(*score - base);
                    *lane += weight;
                    *score = weight * factor;
                }
            }
            row[wide..tile.columns.max(wide)].fill(0.0);

            // The first tile of a row multiplies nothing: 0 by 0.
            let shrink = exp(sums.largest - base);
            *sums = Sums { largest, sum: sums.sum.mul_add(shrink, fold(lanes, |a, b| a + b)) };
            if tile.first_key > 0 {
                for y in &mut y[number * width..][..width] {
                    *y *= shrink;
                }
            }
        }
    }
}

simd! {
    fn differentiate(
        tile: &Tile<'_>,
        scores: &mut [f32],
        d_weights: &mut [f32],
        log_sums: &[f32],
        means: &[f32],
    ) {
        let mut room = Factors::ONES;
        let rows = scores.as_chunks_mut::<KEYS>().0.iter_mut().zip(d_weights.as_chunks_mut::<KEYS>().0);
        let rows = rows.zip(log_sums).zip(means).take(tile.rows);
        for (number, (((scores, d_weights), &log_sum), &mean)) in rows.enumerate() {
            let seen = tile.seen(number);
            let wide = seen.next_multiple_of(LANES);
            tile.hide(&mut scores[..seen]);
            let factors = tile.factors(number, seen, &mut room).as_chunks::<LANES>().0;
            let vectors = scores[..wide].as_chunks_mut::<LANES>().0.iter_mut();
            let vectors = vectors.zip(d_weights[..wide].as_chunks_mut::<LANES>().0).zip(factors);
            for ((scores, d_weights), factors) in vectors {
                for ((score, d_weight), factor) in scores.iter_mut().zip(d_weights).zip(factors) {
                    let weight = exp(*score - log_sum);
                    *score = weight * factor;
                    *d_weight = weight * factor.mul_add(*d_weight, -mean);
                }
            }
            let end = tile.columns.max(wide);
            scores[seen..end].fill(0.0);
            d_weights[seen..end].fill(0.0);
        }
    }
}
