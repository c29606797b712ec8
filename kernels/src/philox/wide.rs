//! Blocks side by side.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::{MULTIPLIERS, ROUNDS, WEYL};

/// Blocks that are drawn side by side. What depends on one of them takes ten rounds of a product and little else; a
/// processor works on the next ones meanwhile.
pub(crate) const BLOCKS: usize = 8;
/// Their words.
pub(crate) const WORDS: usize = 4 * BLOCKS;

/// The words of [`BLOCKS`] blocks from number `first` on, after each other.
///
/// The same function as [`block`](super::block), with each word in the low half of a u64: nobody looks
/// at the upper halves, so that nothing need be masked between rounds.
#[inline(always)]
pub(crate) fn blocks(first: u32, mut key: [u32; 2], place: [u32; 3]) -> [u32; WORDS] {
    let mut c0: [u64; BLOCKS] = std::array::from_fn(|lane| u64::from(first.wrapping_add(lane as u32)));
    let [mut c1, mut c2, mut c3] = place.map(|word| [u64::from(word); BLOCKS]);
    for _ in 0..ROUNDS {
        let [product0, product1] = [products(c0, MULTIPLIERS[0]), products(c2, MULTIPLIERS[1])];
        c0 = mix(product1, c1, key[0]);
        c2 = mix(product0, c3, key[1]);
        [c1, c3] = [product1, product0];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    let mut words = [0; WORDS];
    for lane in 0..BLOCKS {
        for (word, counter) in [c0, c1, c2, c3].into_iter().enumerate() {
            words[4 * lane + word] = counter[lane] as u32;
        }
    }
    words
}

#[inline(always)]
fn products(words: [u64; BLOCKS], multiplier: u32) -> [u64; BLOCKS] {
    words.map(|word| u64::from(word as u32) * u64::from(multiplier))
}

#[inline(always)]
fn mix(product: [u64; BLOCKS], word: [u64; BLOCKS], key: u32) -> [u64; BLOCKS] {
    std::array::from_fn(|lane| (product[lane] >> 32) ^ word[lane] ^ u64::from(key))
}
