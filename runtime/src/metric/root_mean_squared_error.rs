//! Root mean squared error.

use serde::{Deserialize, Serialize};

use super::{Direction, Mean, Metric, Outcomes, State};
use crate::config::Config;
use crate::shape::Values;

/// Computes the square root of the mean squared difference of prediction and target over all values and samples, in the units
/// of the target.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootMeanSquaredError {}

super::keyless!(RootMeanSquaredError);

/// The mean of squares; the value is its square root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SquaredDistance(Mean);

impl State for SquaredDistance {
    fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }

    fn value(&self) -> f64 {
        self.0.value().sqrt()
    }
}

impl<const N: usize> Metric<Values<N>, Values<N>> for RootMeanSquaredError {
    type State = SquaredDistance;
    const LABEL: &'static str = "root_mean_squared_error";
    const DIRECTION: Direction = Direction::Lower;
    const DEFINED_BY_TARGETS: bool = true;

    fn update(&self, squares: &mut SquaredDistance, outcomes: &Outcomes<'_, f32>) {
        for (&prediction, &target) in outcomes.predictions.iter().zip(outcomes.targets) {
            squares.0.add((f64::from(prediction) - f64::from(target)).powi(2));
        }
    }
}
