//! The weights of the steps in an average that an optimizer keeps.

use crate::schedule::Schedule;

/// The sum of the weights of the steps so far. Each is the square of the largest learning rate up to the step, so that the steps of a warmup
/// count less (Defazio et al. 2024).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct RateWeights {
    largest: f64,
    sum: f64,
}

impl RateWeights {
    /// The weights of the first `steps` steps of a schedule that does not depend on evaluations.
    pub(super) fn after(steps: u64, schedule: &Schedule) -> Self {
        (0..steps).fold(Self::default(), |weights, k| weights.with(schedule.rate(k)))
    }

    /// Adds a step.
    pub(super) fn with(self, lr: f64) -> Self {
        let largest = self.largest.max(lr);
        Self { largest, sum: self.sum + largest * largest }
    }

    /// The share of the last step in the sum.
    pub(super) fn share(self) -> f64 {
        if self.sum > 0.0 { self.largest * self.largest / self.sum } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_warmup_count_less() {
        let mut weights = RateWeights::default();
        assert_eq!(weights.share().to_bits(), 0.0_f64.to_bits());
        let mut shares = Vec::new();
        for lr in [0.5, 1.0, 0.25, 2.0] {
            weights = weights.with(lr);
            shares.push(weights.share());
        }
        let expected = [1.0, 1.0 / 1.25, 1.0 / 2.25, 4.0 / 6.25];
        assert_eq!(
            shares.iter().map(|share| share.to_bits()).collect::<Vec<_>>(),
            expected.map(f64::to_bits)
        );
    }
}
