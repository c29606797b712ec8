//! The area under the receiver operating characteristic.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{Direction, LabelScores, Metric, Outcomes, State, number};
use crate::config::Config;
use crate::shape::{CheckError, CheckResult, Class, Labels, Logits};

/// How likely a sample of a class gets a higher score for it than a sample of another: 0.5 by chance, 1 at best.
///
/// It is exact: over all pairs of one sample of the class and one of another, the share in which the first has the higher
/// score, equal scores counted half. A score is `log(p / (1 - p))` of the class's probability, which orders the samples as
/// the probability does but does not round to 1. Of two classes it is that of class 1; of more, the mean over the classes,
/// each against the rest (`multi_class="ovr"` in scikit-learn); of `Labels<N>`, the mean over the labels. With one logit, or for a
/// label, the score is the logit, and a target above 0.5 is the label. A class that no sample has, or that every sample has, gives
/// no pairs and is left out; without any pairs, and where a score is NaN, the value is NaN.
///
/// # Memory
/// It keeps the scores of every sample: 8 bytes for two classes, `8 * C` for more, and 4 for the class. For ten classes
/// and a million samples that is 84 MB, for the training part too, and a checkpoint within an epoch holds them as text.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auroc {}

super::keyless!(Auroc);

/// The scores of every sample, and its class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// Classes that a sample is scored for: 1 of two, else all.
    scored: usize,
    /// Sample after sample.
    odds: Vec<Score>,
    classes: Vec<u32>,
}

/// A number of any value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Score(#[serde(with = "number")] pub(super) f64);

/// Calls `take` with `log(p / (1 - p))` of each class: its logit less the log-sum-exp of the others.
fn log_odds(logits: &[f32], mut take: impl FnMut(f64)) {
    let (best, largest) = logits.iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (class, &logit)| {
        if logit > best.1 { (class, logit) } else { best }
    });
    let largest = f64::from(largest);
    let from_largest = |logit: f32| f64::from(logit) - largest;
    let sum: f64 = logits.iter().map(|&logit| from_largest(logit).exp()).sum();
    for (class, &logit) in logits.iter().enumerate() {
        let logit = from_largest(logit);
        take(if class == best {
            let others =
                || logits.iter().enumerate().filter(|(other, _)| *other != class).map(|(_, &other)| other);
            let second = f64::from(others().fold(f32::NEG_INFINITY, f32::max)) - largest;
            if second == f64::NEG_INFINITY && !sum.is_nan() {
                // No other class has a probability.
                take(f64::INFINITY);
                continue;
            }
            -(second + others().map(|other| (from_largest(other) - second).exp()).sum::<f64>().ln())
        } else {
            // The largest is among the others, so what remains is at least 1.
            logit - (sum - logit.exp()).ln()
        });
    }
}

/// The share of pairs, one of `is_positive` and one not, in which the first has the higher score; `None` without pairs.
fn area(samples: &mut [(f64, bool)]) -> Option<f64> {
    // A score that is NaN has no place in the order.
    if samples.iter().any(|(score, _)| score.is_nan()) {
        return Some(f64::NAN);
    }
    samples.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    // Pairs counted twice, so that half a pair is a whole number.
    let (mut wins, mut negatives, mut positives) = (0_u128, 0_u128, 0_u128);
    // 0 and -0 are one score, though the order has them apart; they are neighbours all the same.
    for equal in samples.chunk_by(|one, other| one.0.partial_cmp(&other.0) == Some(Ordering::Equal)) {
        let positive = equal.iter().filter(|(_, is_positive)| *is_positive).count() as u128;
        let negative = equal.len() as u128 - positive;
        wins += positive * (2 * negatives + negative);
        positives += positive;
        negatives += negative;
    }
    let pairs = positives * negatives;
    (pairs > 0).then(|| wins as f64 / (2 * pairs) as f64)
}

/// The mean of the areas of several classes or labels, without those that have no pairs; NaN if all have none.
pub(super) fn mean_area<S: Iterator<Item = (f64, bool)>>(each: impl Iterator<Item = S>) -> f64 {
    let mut samples = Vec::new();
    let (mut sum, mut count) = (0.0, 0_u32);
    for scores in each {
        samples.clear();
        samples.extend(scores);
        if let Some(area) = area(&mut samples) {
            sum += area;
            count += 1;
        }
    }
    sum / f64::from(count)
}

impl State for Scores {
    fn merge(&mut self, other: &Self) {
        if !other.classes.is_empty() {
            self.scored = other.scored;
            self.odds.extend_from_slice(&other.odds);
            self.classes.extend_from_slice(&other.classes);
        }
    }

    fn value(&self) -> f64 {
        mean_area((0..self.scored).map(|scored| {
            let class = if self.scored == 1 { 1 } else { scored as u32 };
            let scores = self.odds.iter().skip(scored).step_by(self.scored);
            scores.zip(&self.classes).map(move |(score, &right)| (score.0, right == class))
        }))
    }

    fn clear(&mut self) {
        self.odds.clear();
        self.classes.clear();
    }
}

impl<const C: usize> Metric<Logits<C>, Class<C>> for Auroc {
    type State = Scores;
    const LABEL: &'static str = "auroc";
    const DIRECTION: Direction = Direction::Higher;
    const DEFINED_BY_TARGETS: bool = true;

    fn fits(&self) -> CheckResult {
        if C >= 2 {
            return Ok(());
        }
        Err(CheckError::new("the model has ").number(C).text(" classes; expected at least 2"))
    }

    fn update(&self, state: &mut Scores, outcomes: &Outcomes<'_, u32>) {
        state.scored = if C == 2 { 1 } else { C };
        for (logits, target) in outcomes.rows() {
            let mut is_skipped = C == 2;
            log_odds(logits, |score| {
                if !std::mem::take(&mut is_skipped) {
                    state.odds.push(Score(score));
                }
            });
            state.classes.push(target);
        }
    }
}

impl Metric<Logits<1>, Class<2>> for Auroc {
    type State = Scores;
    const LABEL: &'static str = "auroc";
    const DIRECTION: Direction = Direction::Higher;
    const DEFINED_BY_TARGETS: bool = true;

    fn update(&self, state: &mut Scores, outcomes: &Outcomes<'_, u32>) {
        state.scored = 1;
        for (logits, target) in outcomes.rows() {
            state.odds.extend(logits.iter().map(|&logit| Score(f64::from(logit))));
            state.classes.push(target);
        }
    }
}

impl<const N: usize> Metric<Logits<N>, Labels<N>> for Auroc {
    type State = LabelScores;
    const LABEL: &'static str = "auroc";
    const DIRECTION: Direction = Direction::Higher;
    const DEFINED_BY_TARGETS: bool = true;

    fn update(&self, state: &mut LabelScores, outcomes: &Outcomes<'_, f32>) {
        state.update(outcomes);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, over all pairs.
    fn by_pairs(samples: &[(f64, bool)]) -> Option<f64> {
        let (mut wins, mut pairs) = (0.0, 0.0);
        for (positive, _) in samples.iter().filter(|(_, is_positive)| *is_positive) {
            for (negative, _) in samples.iter().filter(|(_, is_positive)| !is_positive) {
                pairs += 1.0;
                wins += match positive.partial_cmp(negative) {
                    Some(Ordering::Greater) => 1.0,
                    Some(Ordering::Equal) => 0.5,
                    _ => 0.0,
                };
            }
        }
        (pairs > 0.0).then(|| wins / pairs)
    }

    proptest! {
        /// Few different scores, so that many are equal. Counts of halves below 2^53 are exact in f64, and both divide
        /// once, so the two are one number. Seen to fail with ties that count whole, and with ties that count nothing.
        #[test]
        fn the_area_is_the_share_of_pairs(samples in prop::collection::vec((-4_i8..4, any::<bool>()), 0..60)) {
            let mut samples: Vec<_> =
                samples.into_iter().map(|(score, class)| (f64::from(score) * 0.5 * if class { -1.0 } else { 1.0 }, class)).collect();
            let expected = by_pairs(&samples);
            prop_assert_eq!(area(&mut samples), expected);
        }

        /// In f64 by the formula, for logits whose probabilities do not round to 1. The sum is of at most 5 terms and
        /// each exponential is good to an ulp, so the relative error of the odds is below 1e-14.
        #[test]
        fn a_score_is_the_log_of_the_odds(logits in prop::collection::vec(-8.0_f32..8.0, 2..6)) {
            let exponentials: Vec<f64> = logits.iter().map(|&z| f64::from(z).exp()).collect();
            let mut class = 0;
            log_odds(&logits, |score| {
                let others: f64 = exponentials.iter().enumerate().filter(|(other, _)| *other != class).map(|(_, e)| e).sum();
                let expected = (exponentials[class] / others).ln();
                assert!((score - expected).abs() < 1e-13, "{logits:?}: {score}, {expected}");
                class += 1;
            });
        }
    }

    #[test]
    fn certain_predictions_stay_in_order() {
        let score = |logits: &[f32]| {
            let mut scores = Vec::new();
            log_odds(logits, |score| scores.push(score));
            scores[1]
        };
        // A class that cannot be.
        assert_eq!(score(&[f32::NEG_INFINITY, 0.0]).to_bits(), f64::INFINITY.to_bits());
        assert_eq!(score(&[0.0, f32::NEG_INFINITY]).to_bits(), f64::NEG_INFINITY.to_bits());
        assert!(score(&[0.0, f32::NAN]).is_nan() && score(&[f32::NAN, 0.0]).is_nan());
        // All three probabilities round to 1.
        assert!(score(&[0.0, 40.0]) < score(&[0.0, 50.0]) && score(&[0.0, 50.0]) < score(&[0.0, 1e4]));
    }
}
