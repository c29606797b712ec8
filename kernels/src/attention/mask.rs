//! Dropout's mask, drawn for a part of a row.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::KEYS;
use crate::epilogue::Dropout;

/// Multipliers, key increments and rounds of Philox4x32-10, as in [`crate::philox`].
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: u32 = 10;

/// Philox blocks that are drawn side by side.
const BLOCKS: usize = 8;
/// Their words.
const WORDS: usize = 4 * BLOCKS;

/// What the weights of a part of a row are multiplied by: 0 or dropout's scale.
pub(super) struct Factors([f32; KEYS + WORDS]);

impl Factors {
    /// The mask that drops nothing.
    pub(super) const ONES: Self = Self([1.0; KEYS + WORDS]);

    /// Draws the factors of `count` elements, at most `KEYS`, from number `first` of the stream on; gives
    /// where the first of them stands.
    #[inline(always)]
    pub(super) fn draw(&mut self, dropout: &Dropout, first: u64, count: usize) -> usize {
        let skipped = (first % 4) as usize;
        let first_block = (first / 4) as u32;
        let groups = self.0.as_chunks_mut::<WORDS>().0;
        for (group, factors) in groups.iter_mut().take((skipped + count).div_ceil(WORDS)).enumerate() {
            let words =
                draw_blocks(first_block.wrapping_add((group * BLOCKS) as u32), dropout.key, dropout.place);
            for (factor, word) in factors.iter_mut().zip(words) {
                *factor = if word < dropout.threshold { 0.0 } else { dropout.scale };
            }
        }
        skipped
    }

    /// The factors from `start` on.
    #[inline(always)]
    pub(super) fn from(&self, start: usize) -> &[f32] {
        &self.0[start..]
    }
}

/// The words of [`BLOCKS`] Philox blocks from number `first` on.
///
/// The same function as [`block`](crate::philox::block), with each word in the low half of a u64: nobody looks
/// at the upper halves, so that nothing need be masked between rounds.
#[allow(clippy::needless_range_loop, reason = "a lane is in four arrays")]
#[inline(always)]
fn draw_blocks(first: u32, mut key: [u32; 2], place: [u32; 3]) -> [u32; WORDS] {
    const LOW: u64 = u32::MAX as u64;
    let mut counters = [[0_u64; BLOCKS]; 4];
    for (counter, word) in counters[1..].iter_mut().zip(place) {
        counter.fill(u64::from(word));
    }
    for (lane, counter) in (0..).zip(&mut counters[0]) {
        *counter = u64::from(first.wrapping_add(lane));
    }
    for _ in 0..ROUNDS {
        for lane in 0..BLOCKS {
            let [c0, c1, c2, c3] =
                [counters[0][lane], counters[1][lane], counters[2][lane], counters[3][lane]];
            let product0 = (c0 & LOW) * u64::from(MULTIPLIERS[0]);
            let product1 = (c2 & LOW) * u64::from(MULTIPLIERS[1]);
            counters[0][lane] = (product1 >> 32) ^ c1 ^ u64::from(key[0]);
            counters[1][lane] = product1;
            counters[2][lane] = (product0 >> 32) ^ c3 ^ u64::from(key[1]);
            counters[3][lane] = product0;
        }
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    let mut words = [0; WORDS];
    for (lane, four) in words.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        for (word, counter) in four.iter_mut().zip(&counters) {
            *word = counter[lane] as u32;
        }
    }
    words
}
