//! The expected calibration error.

use serde::{Deserialize, Serialize};

use super::accuracy::{is_label, predicted_class};
use super::{Direction, Metric, Outcomes, State, number};
use crate::config::Config;
use crate::keys::Facts;
use crate::shape::{CheckError, CheckResult, Class, Labels, Logits, TokenLogits, Tokens};

/// Computes how far predicted probabilities are from how often they are right: the expected calibration error.
///
/// The range from 0 to 1 is divided into equal bins by the probability of the predicted class. The value is the difference between the mean
/// probability and the share of correct predictions in each bin, averaged over the bins with the number of their predictions as
/// weights. With one logit, and for each of `Labels<N>`, the probability is that of class 1 or the label, and it is
/// compared with how often that is true. A probability between two bins counts in the upper one, and 1 in the last.
/// NaN predictions make the value NaN.
///
/// # Source
/// Guo et al., "On calibration of modern neural networks", 2017; Naeini et al. 2015.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationError {
    /// The number of bins, from 1 to 10,000; 15 by default.
    pub bins: usize,
}

/// [`CalibrationError`](struct@CalibrationError) with every key at its default.
#[allow(non_upper_case_globals)]
pub const CalibrationError: CalibrationError = CalibrationError::DEFAULT;

impl CalibrationError {
    /// Checks the number of bins.
    pub const fn check(&self) -> CheckResult<Facts> {
        if self.bins >= 1 && self.bins <= 10_000 {
            return Ok(Facts::NOTHING);
        }
        Err(CheckError::new("bins is ").number(self.bins).text("; expected a number from 1 to 10000"))
    }
}

impl Config for CalibrationError {
    const NAME: &'static str = "CalibrationError";
    const DEFAULT: Self = Self { bins: 15 };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

/// The predictions of each bin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    bins: Vec<Bin>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bin {
    count: u64,
    right: u64,
    /// The sum of the probabilities.
    #[serde(with = "number")]
    sum: f64,
}

impl Calibration {
    fn add(&mut self, bins: usize, probability: f64, is_right: bool) {
        if self.bins.len() < bins {
            self.bins.resize(bins, Bin::default());
        }
        // NaN is in the first one.
        let place = ((probability * bins as f64) as usize).min(bins.saturating_sub(1));
        if let Some(bin) = self.bins.get_mut(place) {
            bin.count += 1;
            bin.right += u64::from(is_right);
            bin.sum += probability;
        }
    }
}

impl State for Calibration {
    fn merge(&mut self, other: &Self) {
        if self.bins.len() < other.bins.len() {
            self.bins.resize(other.bins.len(), Bin::default());
        }
        for (bin, other) in self.bins.iter_mut().zip(&other.bins) {
            bin.count += other.count;
            bin.right += other.right;
            bin.sum += other.sum;
        }
    }

    fn value(&self) -> f64 {
        let count: u64 = self.bins.iter().map(|bin| bin.count).sum();
        let gaps: f64 = self.bins.iter().map(|bin| (bin.right as f64 - bin.sum).abs()).sum();
        gaps / count as f64
    }

    fn clear(&mut self) {
        self.bins.fill(Bin::default());
    }
}

/// The probability of the largest of several logits.
fn largest(logits: &[f32]) -> f64 {
    let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    1.0 / logits.iter().map(|&logit| (f64::from(logit) - largest).exp()).sum::<f64>()
}

fn sigmoid(logit: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(logit)).exp())
}

macro_rules! calibrated {
    ($(<$($axis:ident),*> $output:ty, $target:ty;)*) => { $(
        impl<$(const $axis: usize),*> Metric<$output, $target> for CalibrationError {
            type State = Calibration;
            const LABEL: &'static str = "calibration_error";
            const DIRECTION: Direction = Direction::Lower;
            const DEFINED_BY_TARGETS: bool = true;

            fn update(&self, state: &mut Calibration, outcomes: &Outcomes<'_, u32>) {
                for (logits, target) in outcomes.rows() {
                    match logits {
                        [logit] => state.add(self.bins, sigmoid(*logit), target == 1),
                        logits => state.add(self.bins, largest(logits), predicted_class(logits) == Some(target)),
                    }
                }
            }
        }
    )* };
}

calibrated! {
    <C> Logits<C>, Class<C>;
    <V, T> TokenLogits<V>, Tokens<V, T>;
    <> Logits<1>, Class<2>;
}

impl<const N: usize> Metric<Logits<N>, Labels<N>> for CalibrationError {
    type State = Calibration;
    const LABEL: &'static str = "calibration_error";
    const DIRECTION: Direction = Direction::Lower;
    const DEFINED_BY_TARGETS: bool = true;

    fn update(&self, state: &mut Calibration, outcomes: &Outcomes<'_, f32>) {
        for (&logit, &target) in outcomes.predictions.iter().zip(outcomes.targets) {
            state.add(self.bins, sigmoid(logit), is_label(target));
        }
    }
}
