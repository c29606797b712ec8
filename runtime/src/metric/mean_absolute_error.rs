//! Mean absolute error.

use serde::{Deserialize, Serialize};

use super::{Direction, Mean, Metric, Outcomes};
use crate::config::Config;
use crate::loss::Reduction;
use crate::shape::{Values, Verdict};

/// The distance between prediction and target, averaged over the values of a sample and over the samples: a metric,
/// and a [loss](crate::loss).
///
/// As a loss it has the slope 0 where prediction and target are equal (PyTorch's `L1Loss`).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanAbsoluteError {
    /// Of the loss, mean or sum; of the metric, whether the values of a sample are added up. The mean by default.
    pub reduction: Reduction,
}

/// [`MeanAbsoluteError`](struct@MeanAbsoluteError) with every key at its default.
#[allow(non_upper_case_globals)]
pub const MeanAbsoluteError: MeanAbsoluteError = MeanAbsoluteError::DEFAULT;

impl MeanAbsoluteError {
    /// There is nothing to check.
    pub const fn check(&self) -> Verdict {
        Ok(())
    }
}

impl Config for MeanAbsoluteError {
    const NAME: &'static str = "MeanAbsoluteError";
    const DEFAULT: Self = Self { reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> Verdict = Self::check;
}

impl<const N: usize> Metric<Values<N>, Values<N>> for MeanAbsoluteError {
    type State = Mean;
    const LABEL: &'static str = "mean_absolute_error";
    const DIRECTION: Direction = Direction::Lower;
    const DEFINED_BY_TARGETS: bool = true;

    fn update(&self, mean: &mut Mean, outcomes: &Outcomes<'_, f32>) {
        let distance =
            |(&prediction, &target): (&f32, &f32)| (f64::from(prediction) - f64::from(target)).abs();
        let distances = outcomes.predictions.iter().zip(outcomes.targets);
        if self.reduction == Reduction::Mean {
            distances.for_each(|pair| mean.add(distance(pair)));
            return;
        }
        let samples = outcomes.predictions.chunks(N.max(1)).zip(outcomes.targets.chunks(N.max(1)));
        for (predictions, targets) in samples {
            mean.add(predictions.iter().zip(targets).map(distance).sum());
        }
    }
}
