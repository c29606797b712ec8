//! Blocks in parallel, each word in the low half of a u64: the upper halves are not read, so that nothing need be
//! masked between rounds.

use super::{MULTIPLIERS, ROUNDS, WEYL};
use crate::simd;

/// The number of blocks computed in parallel.
pub(crate) const BLOCKS: usize = 8;
/// Their words.
pub(crate) const WORDS: usize = 4 * BLOCKS;

/// Fills groups of [`BLOCKS`] blocks each, the first of which has index `first`.
pub(crate) fn draw(groups: &mut [[u32; WORDS]], first: u32, key: [u32; 2], place: [u32; 3]) {
    match simd::level() {
        // SAFETY: `level` returns this level only if the processor was detected to have its features.
        #[cfg(target_arch = "x86_64")]
        simd::Level::Avx512 => unsafe { avx512::draw(groups, first, key, place) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        simd::Level::Avx2 => unsafe { avx2::draw(groups, first, key, place) },
        _ => portable(groups, first, key, place),
    }
}

fn portable(groups: &mut [[u32; WORDS]], first: u32, key: [u32; 2], place: [u32; 3]) {
    let mut first = first;
    for group in groups {
        let mut key = key;
        let mut counters = [[0_u64; BLOCKS]; 4];
        for (lane, counter) in (0..).zip(&mut counters[0]) {
            *counter = u64::from(first.wrapping_add(lane));
        }
        for (counter, word) in counters[1..].iter_mut().zip(place) {
            counter.fill(u64::from(word));
        }
        for _ in 0..ROUNDS {
            let [c0, c1, c2, c3] = &mut counters;
            for (((c0, c1), c2), c3) in c0.iter_mut().zip(c1).zip(c2).zip(c3) {
                let product0 = u64::from(*c0 as u32) * u64::from(MULTIPLIERS[0]);
                let product1 = u64::from(*c2 as u32) * u64::from(MULTIPLIERS[1]);
                [*c0, *c1] = [(product1 >> 32) ^ *c1 ^ u64::from(key[0]), product1];
                [*c2, *c3] = [(product0 >> 32) ^ *c3 ^ u64::from(key[1]), product0];
            }
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        for (lane, block) in group.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            *block = counters.map(|counter| counter[lane] as u32);
        }
        first = first.wrapping_add(BLOCKS as u32);
    }
}

/// 8 blocks in a vector.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        __m512i, _MM_PERM_CCAA, _mm512_add_epi64, _mm512_mask_shuffle_epi32, _mm512_mul_epu32,
        _mm512_set1_epi64, _mm512_setr_epi64, _mm512_srli_epi64, _mm512_storeu_si512,
        _mm512_ternarylogic_epi64, _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
    };

    use super::{BLOCKS, MULTIPLIERS, ROUNDS, WEYL, WORDS};

    #[target_feature(enable = "avx512f")]
    pub(super) fn draw(groups: &mut [[u32; WORDS]], first: u32, key: [u32; 2], place: [u32; 3]) {
        let (pairs, rest) = groups.as_chunks_mut::<2>();
        let mut first = first;
        for pair in pairs {
            // Two chains of rounds, since one leaves the processor idle.
            some(pair, first, key, place);
            first = first.wrapping_add(2 * BLOCKS as u32);
        }
        if let [last] = rest {
            some(std::array::from_mut(last), first, key, place);
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn some<const N: usize>(groups: &mut [[u32; WORDS]; N], first: u32, key: [u32; 2], place: [u32; 3]) {
        // In this order, the even numbers are the first half of the blocks and the odd ones the second.
        let order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
        let [one, two, three] = place.map(|word| _mm512_set1_epi64(i64::from(word)));
        let mut counters = [[order, one, two, three]; N];
        for (number, counter) in counters.iter_mut().enumerate() {
            let first = first.wrapping_add((number * BLOCKS) as u32);
            counter[0] = _mm512_add_epi64(order, _mm512_set1_epi64(i64::from(first)));
        }
        let multipliers = MULTIPLIERS.map(|multiplier| _mm512_set1_epi64(i64::from(multiplier)));
        let mut key = key;
        for _ in 0..ROUNDS {
            let keys = key.map(|word| _mm512_set1_epi64(i64::from(word)));
            for counter in &mut counters {
                let [c0, c1, c2, c3] = *counter;
                let [product0, product1] =
                    [_mm512_mul_epu32(c0, multipliers[0]), _mm512_mul_epu32(c2, multipliers[1])];
                *counter = [mix(product1, c1, keys[0]), product1, mix(product0, c3, keys[1]), product0];
            }
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        for (group, [c0, c1, c2, c3]) in groups.iter_mut().zip(counters) {
            let first = _mm512_mask_shuffle_epi32::<_MM_PERM_CCAA>(c0, 0xaaaa, c1);
            let second = _mm512_mask_shuffle_epi32::<_MM_PERM_CCAA>(c2, 0xaaaa, c3);
            let [low, high] = [_mm512_unpacklo_epi64(first, second), _mm512_unpackhi_epi64(first, second)];
            for (half, words) in group.as_chunks_mut::<16>().0.iter_mut().zip([low, high]) {
                // SAFETY: the half has the 16 words that are stored.
                unsafe { _mm512_storeu_si512(std::ptr::from_mut(half).cast(), words) };
            }
        }
    }

    /// The upper half of `product`, `word` and `key` by exclusive or.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn mix(product: __m512i, word: __m512i, key: __m512i) -> __m512i {
        _mm512_ternarylogic_epi64::<0x96>(_mm512_srli_epi64::<32>(product), word, key)
    }
}

/// 4 blocks in a vector.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi64, _mm256_blend_epi32, _mm256_mul_epu32, _mm256_set1_epi64x,
        _mm256_setr_epi64x, _mm256_slli_epi64, _mm256_srli_epi64, _mm256_storeu_si256, _mm256_unpackhi_epi64,
        _mm256_unpacklo_epi64, _mm256_xor_si256,
    };

    use super::{BLOCKS, MULTIPLIERS, ROUNDS, WEYL, WORDS};

    #[target_feature(enable = "avx2")]
    pub(super) fn draw(groups: &mut [[u32; WORDS]], first: u32, key: [u32; 2], place: [u32; 3]) {
        let order = _mm256_setr_epi64x(0, 2, 1, 3);
        let [one, two, three] = place.map(|word| _mm256_set1_epi64x(i64::from(word)));
        let multipliers = MULTIPLIERS.map(|multiplier| _mm256_set1_epi64x(i64::from(multiplier)));
        let mut first = first;
        for group in groups {
            let halves = [first, first.wrapping_add(BLOCKS as u32 / 2)];
            let mut counters = halves.map(|_| [order, one, two, three]);
            for (counter, first) in counters.iter_mut().zip(halves) {
                counter[0] = _mm256_add_epi64(order, _mm256_set1_epi64x(i64::from(first)));
            }
            let mut key = key;
            for _ in 0..ROUNDS {
                let keys = key.map(|word| _mm256_set1_epi64x(i64::from(word)));
                for counter in &mut counters {
                    let [c0, c1, c2, c3] = *counter;
                    let [product0, product1] =
                        [_mm256_mul_epu32(c0, multipliers[0]), _mm256_mul_epu32(c2, multipliers[1])];
                    *counter = [mix(product1, c1, keys[0]), product1, mix(product0, c3, keys[1]), product0];
                }
                key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
            }
            for (half, [c0, c1, c2, c3]) in group.as_chunks_mut::<16>().0.iter_mut().zip(counters) {
                let first = _mm256_blend_epi32::<0xaa>(c0, _mm256_slli_epi64::<32>(c1));
                let second = _mm256_blend_epi32::<0xaa>(c2, _mm256_slli_epi64::<32>(c3));
                let parts = [_mm256_unpacklo_epi64(first, second), _mm256_unpackhi_epi64(first, second)];
                for (part, words) in half.as_chunks_mut::<8>().0.iter_mut().zip(parts) {
                    // SAFETY: the part has the 8 words that are stored.
                    unsafe { _mm256_storeu_si256(std::ptr::from_mut(part).cast(), words) };
                }
            }
            first = first.wrapping_add(BLOCKS as u32);
        }
    }

    /// The upper half of `product`, `word` and `key` by exclusive or.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn mix(product: __m256i, word: __m256i, key: __m256i) -> __m256i {
        _mm256_xor_si256(_mm256_srli_epi64::<32>(product), _mm256_xor_si256(word, key))
    }
}
