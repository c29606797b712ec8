//! The area under the receiver operating characteristic.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{Direction, LabelScores, Metric, Outcomes, State, number};
use crate::config::Config;
use crate::shape::{CheckError, CheckResult, Class, Labels, Logits};

/// Computes the area under the ROC curve: the probability that a sample of a class scores higher for it than a sample of another
/// class. 0.5 is chance level, 1 is perfect.
///
/// The value is exact: over all pairs of one sample of the class and one of another, the share in which the first has the
/// higher score, where equal scores count half. A score is `log(p / (1 - p))` of the class's probability, which orders the
/// samples as the probability does but does not round to 1. For two classes it is the area of class 1; for more, the mean over
/// the classes, one against the rest (`multi_class="ovr"` in scikit-learn); for `Labels<N>`, the mean over the labels. With one
/// logit, or for a label, the score is the logit, and a target above 0.5 counts as the label. A class that no
/// sample or every sample has is left out, because it has no pairs. The value is NaN without any pairs, or if a score is NaN.
///
/// # Memory
/// The metric keeps the scores of every sample: 8 bytes for two classes, `8 * C` for more, and 4 for the class. For ten classes
/// and a million samples that is 84 MB, for the training part too, and a checkpoint within an epoch stores them as text.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auroc {}

super::keyless!(Auroc);

/// The scores and the class of every sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// The number of scores of a sample: 1 for two classes, otherwise one per class.
    scored: usize,
    /// The scores, sample by sample.
    odds: Vec<Score>,
    classes: Vec<u32>,
}

/// A score, which may be infinite or NaN.
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
                // All other classes have probability 0.
                take(f64::INFINITY);
                continue;
            }
            -(second + others().map(|other| (from_largest(other) - second).exp()).sum::<f64>().ln())
        } else {
            // The largest logit is among the others, so the remaining sum is at least 1.
            logit - (sum - logit.exp()).ln()
        });
    }
}

/// A value of one class: from the score of each sample, and whether it is of that class. `None` if it is undefined.
pub(super) type OfScores = fn(&mut [(f64, bool)]) -> Option<f64>;

/// Returns the share of pairs of a positive and a negative sample in which the positive one has the higher score; `None`
/// without pairs.
pub(super) fn area(samples: &mut [(f64, bool)]) -> Option<f64> {
    // NaN cannot be ordered.
    if samples.iter().any(|(score, _)| score.is_nan()) {
        return Some(f64::NAN);
    }
    samples.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    // Pairs are counted twice, so that half a pair is an integer.
    let (mut wins, mut negatives, mut positives) = (0_u128, 0_u128, 0_u128);
    // 0 and -0 are equal scores, although `total_cmp` orders them; they are still adjacent.
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

/// Returns the mean of `value` over several classes or labels, without those for which it is undefined; NaN if it is for all.
pub(super) fn mean_over<S: Iterator<Item = (f64, bool)>>(
    each: impl Iterator<Item = S>,
    value: OfScores,
) -> f64 {
    let mut samples = Vec::new();
    let (mut sum, mut count) = (0.0, 0_u32);
    for scores in each {
        samples.clear();
        samples.extend(scores);
        if let Some(value) = value(&mut samples) {
            sum += value;
            count += 1;
        }
    }
    sum / f64::from(count)
}

impl Scores {
    /// Returns the mean of `value` over the classes.
    pub(super) fn mean(&self, value: OfScores) -> f64 {
        let each = (0..self.scored).map(|scored| {
            let class = if self.scored == 1 { 1 } else { scored as u32 };
            let scores = self.odds.iter().skip(scored).step_by(self.scored);
            scores.zip(&self.classes).map(move |(score, &right)| (score.0, right == class))
        });
        mean_over(each, value)
    }
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
        self.mean(area)
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

    /// Computes the area by its definition, over all pairs.
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
        /// Uses few distinct scores, so that many are equal. Counts of halves below 2^53 are exact in f64, and both divide
        /// once, so the results are identical. The test fails if ties count fully or not at all.
        #[test]
        fn auroc_equals_share_of_ordered_pairs(samples in prop::collection::vec((-4_i8..4, any::<bool>()), 0..60)) {
            let mut samples: Vec<_> =
                samples.into_iter().map(|(score, class)| (f64::from(score) * 0.5 * if class { -1.0 } else { 1.0 }, class)).collect();
            let expected = by_pairs(&samples);
            prop_assert_eq!(area(&mut samples), expected);
        }

        /// Compares with the formula in f64, for logits whose probabilities do not round to 1. The sum has at most 5 terms and
        /// each exponential is accurate to an ulp, so the relative error of the odds is below 1e-14.
        #[test]
        fn score_equals_log_odds(logits in prop::collection::vec(-8.0_f32..8.0, 2..6)) {
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
    fn saturated_predictions_keep_their_order() {
        let score = |logits: &[f32]| {
            let mut scores = Vec::new();
            log_odds(logits, |score| scores.push(score));
            scores[1]
        };
        // A class with probability 0.
        assert_eq!(score(&[f32::NEG_INFINITY, 0.0]).to_bits(), f64::INFINITY.to_bits());
        assert_eq!(score(&[0.0, f32::NEG_INFINITY]).to_bits(), f64::NEG_INFINITY.to_bits());
        assert!(score(&[0.0, f32::NAN]).is_nan() && score(&[f32::NAN, 0.0]).is_nan());
        // All three probabilities round to 1.
        assert!(score(&[0.0, 40.0]) < score(&[0.0, 50.0]) && score(&[0.0, 50.0]) < score(&[0.0, 1e4]));
    }
}
