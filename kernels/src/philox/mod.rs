//! Philox4x32-10: counter-based random numbers (Salmon et al., "Parallel random numbers: as easy as
//! 1, 2, 3", 2011).
//!
//! A block of four words is a function of only a key and a counter, so any element of
//! any stream can be computed at any time, in any order, on any number of threads.

mod wide;

pub(crate) use wide::{BLOCKS, WORDS, draw};

/// Multipliers of the round function, from the paper's table 2.
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// Key increments, the golden ratio and the square root of 3 less 1, from the paper.
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
/// The number of rounds: the paper's recommendation, the least that passes its tests with a margin.
const ROUNDS: u32 = 10;

/// The four words of counter `counter` under `key`.
///
/// ```
/// use trainspec_kernels::philox::block;
///
/// assert_eq!(block([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
/// ```
#[must_use]
pub fn block(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..ROUNDS {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let (high0, low0) = multiply(MULTIPLIERS[0], counter[0]);
        let (high1, low1) = multiply(MULTIPLIERS[1], counter[2]);
        counter = [high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0];
    }
    counter
}

/// Fills `words` with the stream of `key` whose upper three counter words are `place`; element `i` is
/// word `i % 4` of block `i / 4`. A stream has 2^34 words.
pub fn fill(words: &mut [u32], key: [u32; 2], place: [u32; 3]) {
    let (groups, rest) = words.as_chunks_mut::<WORDS>();
    draw(groups, 0, key, place);
    if !rest.is_empty() {
        let mut group = [0; WORDS];
        draw(std::array::from_mut(&mut group), (groups.len() * BLOCKS) as u32, key, place);
        rest.copy_from_slice(&group[..rest.len()]);
    }
}

fn multiply(a: u32, b: u32) -> (u32, u32) {
    let product = u64::from(a) * u64::from(b);
    ((product >> 32) as u32, product as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd;

    /// The known answers that come with the authors' Random123 (`kat_vectors`, philox4x32 10).
    #[test]
    fn known_answers() {
        for (counter, key, expected) in [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ] {
            assert_eq!(block(counter, key), expected);
        }
    }

    #[test]
    fn stream_values_do_not_depend_on_draw_count() {
        let mut long = [0; 103];
        fill(&mut long, [1, 2], [3, 4, 5]);
        for (index, word) in (0_u32..).zip(long) {
            assert_eq!(word, block([index / 4, 3, 4, 5], [1, 2])[index as usize % 4]);
        }
        for length in 0..long.len() {
            let mut short = vec![0; length];
            fill(&mut short, [1, 2], [3, 4, 5]);
            assert_eq!(short, long[..length]);
        }
    }

    #[test]
    fn every_simd_level_draws_equal_blocks() {
        let (key, place) = ([u32::MAX, 0x1234_5678], [7, u32::MAX, 0]);
        // The counter wraps around.
        for first in [0, 5, u32::MAX - 20] {
            let numbers = (0..5 * BLOCKS as u32).map(|number| first.wrapping_add(number));
            let expected: Vec<u32> =
                numbers.flat_map(|n| block([n, place[0], place[1], place[2]], key)).collect();
            for &level in simd::Level::available() {
                for count in 0..5 {
                    let mut groups = vec![[0; WORDS]; count];
                    simd::at_level(level, || draw(&mut groups, first, key, place));
                    assert_eq!(groups.as_flattened(), &expected[..count * WORDS], "{level:?}");
                }
            }
        }
    }
}
