//! Counter-based random numbers: Philox4x32-10.
//!
//! The key is derived from (seed, purpose, path), the counter from (step, micro-batch, element). So draws are
//! independent of each other: they do not depend on the number of threads, the order of layers or a resume.

use trainspec_kernels::epilogue::Dropout;
use trainspec_kernels::philox;

/// The purpose of random numbers; each purpose has its own streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Initial parameters.
    Init = 1,
    /// The order of the samples.
    Shuffle = 2,
    /// Dropout masks.
    Dropout = 3,
    /// Augmentation of the data.
    Augment = 4,
    /// The split into training, validation and test.
    Split = 5,
    /// Noise on gradients.
    GradientNoise = 6,
    /// Which training samples a pass draws.
    Sampler = 7,
}

/// The time of a draw: the optimizer step, and the micro-batch within it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepIndex {
    /// Optimizer steps applied so far.
    pub step: u64,
    /// The micro-batch within the step, from 0.
    pub micro_batch: u32,
}

impl StepIndex {
    /// The upper words of a counter.
    pub(crate) fn place(self) -> [u32; 3] {
        [self.micro_batch, self.step as u32, (self.step >> 32) as u32]
    }
}

/// A stream of random numbers, identified by seed, purpose and path.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    key: [u32; 2],
}

impl Stream {
    /// The stream for `purpose` at `path` with a run's seed.
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose, path: &str) -> Self {
        let key = mix(mix(mix(seed) ^ purpose as u64) ^ hash(path));
        Self { key: [key as u32, (key >> 32) as u32] }
    }

    /// The Philox key of the stream.
    pub(crate) fn key(self) -> [u32; 2] {
        self.key
    }

    /// Inverted dropout drawn from this stream: each element is dropped with probability `p`, exact to 2^-32.
    #[must_use]
    pub fn dropout(self, p: f64, at: StepIndex) -> Dropout {
        self.dropout_of_runs(p, 1, at)
    }

    /// Inverted dropout of groups of `each` consecutive elements, which are dropped or kept together; group `i` uses word `i` of
    /// the stream.
    #[must_use]
    pub fn dropout_of_runs(self, p: f64, each: usize, at: StepIndex) -> Dropout {
        Dropout {
            key: self.key,
            place: at.place(),
            threshold: (p * 4_294_967_296.0) as u32,
            scale: (1.0 / (1.0 - p)) as f32,
            each: each.max(1),
        }
    }

    /// Draws `count` words, uniform over all of u32.
    #[must_use]
    pub fn words(self, at: StepIndex, count: usize) -> Vec<u32> {
        let mut words = vec![0; count];
        philox::fill(&mut words, self.key, at.place());
        words
    }

    /// Draws `count` values, uniform in [0, 1), on a grid of 2^-24 that f32 holds exactly.
    #[must_use]
    pub fn uniform(self, at: StepIndex, count: usize) -> Vec<f32> {
        self.words(at, count).into_iter().map(unit).collect()
    }

    /// Draws `count` values, normal with mean 0 and standard deviation 1 (Box and Muller 1958).
    #[must_use]
    pub fn normal(self, at: StepIndex, count: usize) -> Vec<f32> {
        let words = self.words(at, count.next_multiple_of(2));
        let (pairs, _) = words.as_chunks::<2>();
        let mut numbers: Vec<f32> = pairs
            .iter()
            .flat_map(|&[a, b]| {
                // 1 - u is in (0, 1], so its logarithm is finite.
                let radius = (-2.0 * (1.0 - f64::from(unit(a))).ln()).sqrt();
                let (sine, cosine) = (std::f64::consts::TAU * f64::from(unit(b))).sin_cos();
                [(radius * cosine) as f32, (radius * sine) as f32]
            })
            .collect();
        numbers.truncate(count);
        numbers
    }

    /// A random permutation of 0 to `count` - 1. All orders are equally likely up to a bias of
    /// `count / 2^64` (Fisher and Yates, in Durstenfeld's form).
    #[must_use]
    pub fn permutation(self, at: StepIndex, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        let words = self.words(at, 2 * count);
        let (pairs, _) = words.as_chunks::<2>();
        for (&[low, high], last) in pairs.iter().zip((1..count).rev()) {
            let word = u128::from(low) | u128::from(high) << 32;
            // `word / 2^64` of `last + 1`, which is below `last + 1`.
            order.swap(last, ((word * (last as u128 + 1)) >> 64) as usize);
        }
        order
    }
}

/// Converts the upper 24 bits of a word to a value in [0, 1).
fn unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// The finalizer of `SplitMix64` (Steele et al. 2014): every input bit changes every output bit.
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// FNV-1a, 64 bits: the same on every platform and in every version, unlike the standard library's hash.
fn hash(path: &str) -> u64 {
    path.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_depend_on_seed_purpose_path_step_and_micro_batch() {
        let at = StepIndex { step: 7, micro_batch: 1 };
        let first = Stream::new(1, Purpose::Init, "a").words(at, 4);
        for other in [
            Stream::new(2, Purpose::Init, "a").words(at, 4),
            Stream::new(1, Purpose::Dropout, "a").words(at, 4),
            Stream::new(1, Purpose::Init, "b").words(at, 4),
            Stream::new(1, Purpose::Init, "a").words(StepIndex { step: 8, ..at }, 4),
            Stream::new(1, Purpose::Init, "a").words(StepIndex { micro_batch: 0, ..at }, 4),
        ] {
            assert_ne!(first, other);
        }
        assert_eq!(first, Stream::new(1, Purpose::Init, "a").words(at, 4));
    }

    #[test]
    fn permutation_contains_every_index_once() {
        for count in [0, 1, 2, 3, 100] {
            let mut order = Stream::new(1, Purpose::Shuffle, "").permutation(StepIndex::default(), count);
            if count == 100 {
                assert_ne!(order, (0..count).collect::<Vec<_>>());
            }
            order.sort_unstable();
            assert_eq!(order, (0..count).collect::<Vec<_>>());
        }
    }

    /// The mean of n draws has deviation s / sqrt(n), so a bound of five of them fails for one in 2 million seeds;
    /// the standard deviation of the variance is s^2 * sqrt(2 / n) for the normal.
    #[test]
    fn draws_match_distribution_moments() {
        const COUNT: usize = 100_000;
        let stream = Stream::new(3, Purpose::Init, "weight");
        let moments = |values: Vec<f32>| {
            let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / COUNT as f64;
            let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / COUNT as f64;
            (mean, variance)
        };
        let root = (COUNT as f64).sqrt();
        let (mean, variance) = moments(stream.normal(StepIndex::default(), COUNT));
        assert!(mean.abs() < 5.0 / root);
        assert!((variance - 1.0).abs() < 5.0 * 2_f64.sqrt() / root);
        let (mean, variance) = moments(stream.uniform(StepIndex::default(), COUNT));
        assert!((mean - 0.5).abs() < 5.0 / 12_f64.sqrt() / root);
        assert!((variance - 1.0 / 12.0).abs() < 5.0 / 12.0 / root);
    }
}
