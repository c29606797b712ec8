//! Samples in proportion to their weights.

use serde::{Deserialize, Serialize};

use super::{DataPass, Sampler, TrainingSamples};
use crate::config::Config;
use crate::shape::{CheckError, CheckResult};

/// Draws each training sample in proportion to its [weight](crate::Dataset::sample_weight). Of `n` samples with the weights `w`, sample `i` is
/// expected `n * w[i] / sum(w)` times in a pass, and it is drawn that many times, rounded down or up. With equal weights, each sample is drawn
/// once.
///
/// This is systematic sampling in a random order: its counts vary less than those of independent draws, such as of PyTorch's
/// `WeightedRandomSampler`, with the same mean.
///
/// # Errors
/// If a weight of a training sample is negative, infinite or NaN, or if all are 0.
///
/// # Source
/// Madow 1949, "On the Theory of Systematic Sampling, II".
///
/// # Example
/// ```
/// use trainspec::data::sampler::Weighted;
/// use trainspec::data::{PreparedDataset, Split};
/// use trainspec::prelude::*;
///
/// let data = InMemory::<Features<1>, Values<1>>::new(vec![0.0; 4], vec![0.0; 4])?
///     .with_sample_weights(vec![2.0, 0.0, 1.0, 1.0])
///     .with_split(Split::Fixed { train: 0..4, validation: 0..0, test: 0..0 });
/// let data = PreparedDataset::new(Box::new(data), 42)?;
/// let mut drawn = data.drawn(&Weighted, 42, 1)?;
/// drawn.sort_unstable();
/// assert_eq!(drawn, [0, 0, 2, 3]);
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighted {}

/// [`Weighted`](struct@Weighted), which has no keys.
#[allow(non_upper_case_globals)]
pub const Weighted: Weighted = Weighted::DEFAULT;

impl Weighted {
    /// There is nothing to check without data.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl Config for Weighted {
    const NAME: &'static str = "Weighted";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Sampler for Weighted {
    fn order(&self, pass: &DataPass<'_>) -> Vec<usize> {
        let (count, mut rng) = (pass.samples.len(), pass.rng());
        let mut places: Vec<usize> = (0..count).collect();
        rng.shuffle(&mut places);
        // In the order of the places, so that the last sum is the total.
        let sums: Vec<f64> = places
            .iter()
            .scan(0.0, |sum, &place| {
                *sum += f64::from(pass.samples.weight(place));
                Some(*sum)
            })
            .collect();
        let total = sums.last().copied().unwrap_or_default();
        let start = rng.uniform();
        let mut order = Vec::with_capacity(count);
        for (place, sum) in places.into_iter().zip(sums) {
            // The product comes first, so that it is exact for equal weights.
            let until = (sum * count as f64 / total - start).ceil() as usize;
            let times = until.min(count).saturating_sub(order.len());
            order.extend(std::iter::repeat_n(place, times));
        }
        rng.shuffle(&mut order);
        order
    }

    fn fits(&self, samples: &TrainingSamples<'_>) -> CheckResult {
        let mut is_positive = false;
        for place in 0..samples.len() {
            let weight = samples.weight(place);
            if !(weight >= 0.0 && weight.is_finite()) {
                return Err(CheckError::new("sample ")
                    .number(samples.index(place).unwrap_or(place))
                    .text(" (from 0) has the weight ")
                    .float(f64::from(weight))
                    .text("; expected a finite number of at least 0, one for each sample"));
            }
            is_positive |= weight > 0.0;
        }
        if is_positive {
            return Ok(());
        }
        Err(CheckError::new(
            "all training samples have the weight 0, so none can be drawn; expected one above 0",
        ))
    }
}
