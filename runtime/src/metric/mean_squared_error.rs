//! The loss mean squared error as a metric.

use super::{Direction, Mean, Metric, Outcomes};
use crate::loss::MeanSquaredError;
use crate::shape::Values;

impl<const N: usize> Metric<Values<N>, Values<N>> for MeanSquaredError {
    type State = Mean;
    const LABEL: &'static str = "mean_squared_error";
    const DIRECTION: Direction = Direction::Lower;
    const DEFINED_BY_TARGETS: bool = true;

    fn update(&self, mean: &mut Mean, outcomes: &Outcomes<'_, f32>) {
        for (&prediction, &target) in outcomes.predictions.iter().zip(outcomes.targets) {
            mean.add((f64::from(prediction) - f64::from(target)).powi(2));
        }
    }
}
