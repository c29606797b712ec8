//! The loss mean absolute error as a metric.

use super::{Direction, Mean, Metric, Outcomes};
use crate::loss::{MeanAbsoluteError, Reduction};
use crate::shape::Values;

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
