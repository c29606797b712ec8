//! Average precision.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::auroc::Auroc;
use super::{Direction, LabelScores, Metric, Outcomes, Scores};
use crate::config::Config;
use crate::shape::{CheckResult, Class, Labels, Logits};

/// Computes the area under the precision-recall curve of each class, averaged over the classes: the mean average precision.
///
/// With the samples in the order of their scores, `sum_n (R_n - R_(n-1)) P_n`, where `P_n` and `R_n` are precision and recall if all
/// samples with the score `n` or a higher one are predicted as the class. The scores are those of [`Auroc`](struct@super::Auroc). For two
/// classes it is the value of class 1; for more, the mean over the classes, one against the rest; for `Labels<N>`, the mean
/// over the labels. A class without samples is left out. The value is NaN if no class has samples, or if a score is NaN.
///
/// The memory is that of [`Auroc`](struct@super::Auroc): the scores of every sample are kept.
///
/// # Source
/// scikit-learn's `average_precision_score`, which does not interpolate.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AveragePrecision {}

super::keyless!(AveragePrecision);

/// The average precision of a class, from its scores and whether each sample has the class; `None` if none has.
fn precision(samples: &mut [(f64, bool)]) -> Option<f64> {
    if samples.iter().any(|(score, _)| score.is_nan()) {
        return Some(f64::NAN);
    }
    samples.sort_unstable_by(|one, other| other.0.total_cmp(&one.0));
    let (mut above, mut right, mut sum) = (0_u64, 0_u64, 0.0);
    for equal in samples.chunk_by(|one, other| one.0.partial_cmp(&other.0) == Some(Ordering::Equal)) {
        let positive = equal.iter().filter(|(_, is_positive)| *is_positive).count() as u64;
        above += equal.len() as u64;
        right += positive;
        sum += positive as f64 * (right as f64 / above as f64);
    }
    (right > 0).then(|| sum / right as f64)
}

impl<const C: usize> Metric<Logits<C>, Class<C>> for AveragePrecision {
    type State = Scores;
    const LABEL: &'static str = "average_precision";
    const DIRECTION: Direction = Direction::Higher;
    const DEFINED_BY_TARGETS: bool = true;

    fn fits(&self) -> CheckResult {
        Metric::<Logits<C>, Class<C>>::fits(&Auroc)
    }

    fn update(&self, state: &mut Scores, outcomes: &Outcomes<'_, u32>) {
        Metric::<Logits<C>, Class<C>>::update(&Auroc, state, outcomes);
    }

    fn value(&self, state: &Scores) -> f64 {
        state.mean(precision)
    }
}

impl Metric<Logits<1>, Class<2>> for AveragePrecision {
    type State = Scores;
    const LABEL: &'static str = "average_precision";
    const DIRECTION: Direction = Direction::Higher;
    const DEFINED_BY_TARGETS: bool = true;

    fn update(&self, state: &mut Scores, outcomes: &Outcomes<'_, u32>) {
        Metric::<Logits<1>, Class<2>>::update(&Auroc, state, outcomes);
    }

    fn value(&self, state: &Scores) -> f64 {
        state.mean(precision)
    }
}

impl<const N: usize> Metric<Logits<N>, Labels<N>> for AveragePrecision {
    type State = LabelScores;
    const LABEL: &'static str = "average_precision";
    const DIRECTION: Direction = Direction::Higher;
    const DEFINED_BY_TARGETS: bool = true;

    fn update(&self, state: &mut LabelScores, outcomes: &Outcomes<'_, f32>) {
        state.update(outcomes);
    }

    fn value(&self, state: &LabelScores) -> f64 {
        state.mean(precision)
    }
}
