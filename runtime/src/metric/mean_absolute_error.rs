//! Mean absolute error.

use serde::{Deserialize, Serialize};

use super::{Direction, Mean, Metric, Outcomes};
use crate::config::Config;
use crate::shape::Values;

/// The distance between prediction and target, averaged over the values of a sample and over the samples.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanAbsoluteError {}

super::keyless!(MeanAbsoluteError);

impl<const N: usize> Metric<Values<N>, Values<N>> for MeanAbsoluteError {
    type State = Mean;
    const LABEL: &'static str = "mean_absolute_error";
    const DIRECTION: Direction = Direction::Lower;

    fn update(&self, mean: &mut Mean, outcomes: &Outcomes<'_, f32>) {
        for (&prediction, &target) in outcomes.predictions.iter().zip(outcomes.targets) {
            mean.add((f64::from(prediction) - f64::from(target)).abs());
        }
    }
}
