//! Normal noise added to many values (Box and Muller 1958): `value += std * sqrt(-2 ln(u)) * cos(2 pi v)`, and the
//! sine for another value.
//!
//! The noise comes from a Philox stream, by index: of each 32 words the first 16 yield `u` and the last 16 `v`, and
//! the two values of a pair have the indices of its words. So a value depends only on key, counter and its own
//! index: not on threads, the SIMD level, or the number of values.
//!
//! `u` is on a grid of 2^-24 from 2^-24 to 1, so that the noise is at most 5.77 standard deviations; `v` on one of 2^-24.

use crate::math::ln;
use crate::philox::{WORDS, draw};
use crate::simd;
use crate::threads;

/// The number of words drawn at once.
const GROUPS: usize = 32;
/// Elements per block.
const BLOCK: usize = 16 * GROUPS * WORDS;
const HALF: usize = WORDS / 2;

/// Adds noise of mean 0 and standard deviation `std` from the stream of `key` whose upper three counter words are `place`. A
/// stream has 2^34 values.
///
/// ```
/// let mut values = [1.0; 3];
/// trainspec_kernels::noise::add_normal(&mut values, 0.1, [1, 2], [0; 3]);
/// assert!(values.iter().all(|value| (value - 1.0_f32).abs() < 0.58));
/// ```
pub fn add_normal(values: &mut [f32], std: f32, key: [u32; 2], place: [u32; 3]) {
    threads::chunks(values, BLOCK, |number, values| {
        let mut words = [[0; WORDS]; GROUPS];
        for (part, values) in values.chunks_mut(GROUPS * WORDS).enumerate() {
            let words = &mut words[..values.len().div_ceil(WORDS)];
            // Four words share one block index of the stream.
            let first = (number * BLOCK + part * GROUPS * WORDS) / 4;
            draw(words, first as u32, key, place);
            add(values, words, std);
        }
    });
}

simd! {
    fn add(values: &mut [f32], words: &[[u32; WORDS]], std: f32) {
        for (values, words) in values.chunks_mut(WORDS).zip(words) {
            let (u, v) = words.split_at(HALF);
            let mut noise = [0.0_f32; WORDS];
            let (cosines, sines) = noise.split_at_mut(HALF);
            for (((&u, &v), cosine), sine) in u.iter().zip(v).zip(cosines).zip(sines) {
                let radius = std * (-2.0 * ln(((u >> 8) + 1) as f32 * (1.0 / 16_777_216.0))).sqrt();
                let direction = direction(v);
                *cosine = radius * direction[0];
                *sine = radius * direction[1];
            }
            for (value, noise) in values.iter_mut().zip(noise) {
                *value += noise;
            }
        }
    }
}

/// Cosine and sine of a word's upper 24 bits of a full turn.
#[inline(always)]
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loop around it")]
fn direction(word: u32) -> [f32; 2] {
    // The nearest quarter of a turn, and what is beyond it, from -1/2 to 1/2 of a quarter: exact in f32.
    let turned = (word >> 8) + (1 << 21);
    let quarter = (turned >> 22) & 3;
    let beyond = ((turned & 0x003f_ffff) as f32 - 2_097_152.0) * (1.0 / 4_194_304.0);
    let x = beyond * std::f32::consts::FRAC_PI_2;
    // The first terms of both series; the next are below 2e-9 for an eighth of a turn.
    let y = x * x;
    let sine = [1.0 / 362_880.0, -1.0 / 5040.0, 1.0 / 120.0, -1.0 / 6.0]
        .into_iter()
        .fold(0.0_f32, |sum, factor| sum.mul_add(y, factor));
    let sine = (x * y).mul_add(sine, x);
    let cosine = [-1.0 / 3_628_800.0, 1.0 / 40_320.0, -1.0 / 720.0, 1.0 / 24.0, -0.5, 1.0]
        .into_iter()
        .fold(0.0_f32, |sum, factor| sum.mul_add(y, factor));
    let (along, across) = if quarter & 1 == 0 { (cosine, sine) } else { (sine, cosine) };
    let flip = |number: f32, is_flipped: bool| if is_flipped { -number } else { number };
    [flip(along, quarter == 1 || quarter == 2), flip(across, quarter >= 2)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    const KEY: [u32; 2] = [5, 6];

    fn noise(count: usize) -> Vec<f32> {
        let mut values = vec![0.0; count];
        add_normal(&mut values, 1.0, KEY, [1, 2, 3]);
        values
    }

    /// By the words of the stream and the formula in f64. The angle is off by a rounding of its factor of pi/2, one
    /// of the product and those of the series, half an ulp of at most 1 each; the radius by a few of its own ulps.
    #[test]
    fn noise_value_depends_on_its_index() {
        const COUNT: usize = 3 * BLOCK + 45;
        let found = noise(COUNT);
        let mut words = vec![0; COUNT.next_multiple_of(WORDS)];
        crate::philox::fill(&mut words, KEY, [1, 2, 3]);
        for (place, &found) in found.iter().enumerate() {
            let (group, lane) = (place / WORDS * WORDS, place % WORDS % HALF);
            let unit = |word: u32| f64::from(word >> 8) / 16_777_216.0;
            let radius = (-2.0 * (unit(words[group + lane]) + 1.0 / 16_777_216.0).ln()).sqrt();
            let (sine, cosine) = (std::f64::consts::TAU * unit(words[group + HALF + lane])).sin_cos();
            let expected = radius * if place % WORDS < HALF { cosine } else { sine };
            let error = (f64::from(found) - expected).abs();
            assert!(error <= radius * 4.0 * f64::from(f32::EPSILON), "{place}: {found}, not {expected}");
        }
    }

    /// The mean of n draws has deviation 1 / sqrt(n), their mean square sqrt(2 / n), their mean fourth power
    /// sqrt(96 / n), and so has the product of neighbors; five deviations are missed once in 2 million keys.
    #[test]
    fn noise_matches_normal_distribution_moments() {
        let values: Vec<f64> = noise(1 << 20).into_iter().map(f64::from).collect();
        let root = (values.len() as f64).sqrt();
        let mean = |power| values.iter().map(|value| value.powi(power)).sum::<f64>() / values.len() as f64;
        assert!(mean(1).abs() < 5.0 / root);
        assert!((mean(2) - 1.0).abs() < 5.0 * 2_f64.sqrt() / root);
        assert!(mean(3).abs() < 5.0 * 15_f64.sqrt() / root);
        assert!((mean(4) - 3.0).abs() < 5.0 * 96_f64.sqrt() / root);
        for apart in [1, HALF, WORDS] {
            let products: f64 = values.iter().zip(&values[apart..]).map(|(a, b)| a * b).sum();
            assert!(products.abs() / (values.len() as f64) < 5.0 / root, "{apart}");
        }
    }

    #[test]
    fn results_do_not_depend_on_threads_simd_level_or_count() {
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let expected = bits(noise(3 * BLOCK + 77));
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            assert!(pool.install(|| bits(noise(expected.len()))) == expected, "{threads} threads");
        }
        for &level in Level::available() {
            assert!(simd::at_level(level, || bits(noise(expected.len()))) == expected, "{level:?}");
        }
        for count in [0, 1, HALF, WORDS + 1, BLOCK, BLOCK + 1] {
            assert!(bits(noise(count)) == expected[..count], "{count}");
        }
    }
}
