//! The coefficient of determination.

use serde::{Deserialize, Serialize};

use super::{Direction, Metric, Outcomes, State, number};
use crate::config::Config;
use crate::shape::Values;

/// Computes the coefficient of determination, `1 - sum (t - p)^2 / sum (t - mean t)^2`, with the mean over all samples;
/// averaged over the values of a sample.
///
/// 1 is perfect, 0 is as good as predicting the mean, and there is no lower bound. As in scikit-learn, a value with constant
/// targets counts 1 if every prediction is exact and otherwise 0, and with fewer than two samples the result is NaN.
/// It is also NaN if a prediction is NaN.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct R2 {}

super::keyless!(R2);

/// The variation of the targets and the squared errors, for each value of a sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residuals {
    samples: u64,
    values: Vec<Residual>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Residual {
    /// The mean of the targets.
    #[serde(with = "number")]
    mean: f64,
    /// `sum (t - mean)^2`, updated with Welford's algorithm (1962): sums of squares would cancel if the mean is large.
    #[serde(with = "number")]
    variation: f64,
    /// `sum (t - p)^2`
    #[serde(with = "number")]
    error: f64,
}

impl Residual {
    fn add(&mut self, prediction: f64, target: f64, samples: f64) {
        let from_mean = target - self.mean;
        self.mean += from_mean / samples;
        self.variation += from_mean * (target - self.mean);
        self.error += (target - prediction).powi(2);
    }

    /// Merges as in Chan et al. (1979): the distance of the means adds to the variation.
    fn merge(&mut self, other: &Self, samples: f64, others: f64) {
        let (between, total) = (other.mean - self.mean, samples + others);
        self.mean += between * (others / total);
        self.variation += other.variation + between.powi(2) * (samples * others / total);
        self.error += other.error;
    }

    fn r2(self) -> f64 {
        if self.variation == 0.0 && !self.error.is_nan() {
            return if self.error == 0.0 { 1.0 } else { 0.0 };
        }
        1.0 - self.error / self.variation
    }
}

impl State for Residuals {
    fn merge(&mut self, other: &Self) {
        if other.samples == 0 {
            return;
        }
        if self.samples == 0 {
            self.clone_from(other);
            return;
        }
        for (value, others) in self.values.iter_mut().zip(&other.values) {
            value.merge(others, self.samples as f64, other.samples as f64);
        }
        self.samples += other.samples;
    }

    fn value(&self) -> f64 {
        if self.samples < 2 {
            return f64::NAN;
        }
        self.values.iter().map(|value| value.r2()).sum::<f64>() / self.values.len() as f64
    }

    fn clear(&mut self) {
        self.samples = 0;
        self.values.fill(Residual::default());
    }
}

impl<const N: usize> Metric<Values<N>, Values<N>> for R2 {
    type State = Residuals;
    const LABEL: &'static str = "r2";
    const DIRECTION: Direction = Direction::Higher;
    const DEFINED_BY_TARGETS: bool = true;

    fn update(&self, state: &mut Residuals, outcomes: &Outcomes<'_, f32>) {
        state.values.resize(N, Residual::default());
        for (predictions, targets) in outcomes.samples() {
            state.samples += 1;
            for (value, (&prediction, &target)) in
                state.values.iter_mut().zip(predictions.iter().zip(targets))
            {
                value.add(f64::from(prediction), f64::from(target), state.samples as f64);
            }
        }
    }
}
