//! Noise on the gradients.

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::shape::{CheckError, CheckResult};

/// Adds normal noise to every element of the gradients, less from step to step.
///
/// Its variance is `eta / (1 + k)^gamma` with `k` the steps taken before, so `eta` at the first. It is added to the
/// average over the window after clipping, which so cannot take it away; penalties come after it. Every trained parameter
/// draws from its own stream, by the run's seed, its path, the step and the element.
///
/// # Source
/// Neelakantan et al. 2015, "Adding gradient noise improves learning for very deep networks", who try `eta` of 0.01, 0.3
/// and 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradientNoise {
    /// The variance at the first step, 0 or more; required. 0 is no noise.
    pub eta: f64,
    /// How fast the variance falls, 0 or more; 0.55 by default.
    pub gamma: f64,
}

impl GradientNoise {
    /// No noise.
    pub const NONE: Self = Self::DEFAULT;

    /// The ranges of the keys.
    pub const fn check(&self) -> CheckResult {
        // Also as f32, the type of the arithmetic.
        if !(self.eta >= 0.0 && (self.eta as f32).is_finite()) {
            return Err(CheckError::new("eta is ").float(self.eta).text("; expected a variance, 0 or more"));
        }
        if !(self.gamma >= 0.0 && self.gamma.is_finite()) {
            return Err(CheckError::new("gamma is ")
                .float(self.gamma)
                .text("; expected an exponent, 0 or more"));
        }
        Ok(())
    }

    /// The noise's deviation after `k` steps.
    #[must_use]
    pub fn std(&self, k: u64) -> f64 {
        (self.eta / (1.0 + k as f64).powf(self.gamma)).sqrt()
    }
}

impl Config for GradientNoise {
    const NAME: &'static str = "GradientNoise";
    const DEFAULT: Self = Self { eta: 0.0, gamma: 0.55 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("eta", "the variance of the noise at the first step")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variance_falls_from_eta() {
        let noise = GradientNoise { eta: 0.3, ..GradientNoise::DEFAULT };
        for (k, variance) in [(0, 0.3), (1, 0.3 / 2.0_f64.powf(0.55)), (999, 0.3 / 10.0_f64.powf(1.65))] {
            // The square of a correctly rounded root.
            assert!((noise.std(k).powi(2) / variance - 1.0).abs() < 4.0 * f64::EPSILON, "{k}");
        }
        assert_eq!(GradientNoise::NONE.std(5).to_bits(), 0);
    }

    #[test]
    fn ranges() {
        let check = |eta, gamma| GradientNoise { eta, gamma }.check();
        assert!(check(0.0, 0.0).is_ok() && check(1.0, 0.55).is_ok());
        for (eta, gamma) in [(-0.1, 0.5), (f64::NAN, 0.5), (f64::INFINITY, 0.5), (0.1, -1.0), (0.1, f64::NAN)]
        {
            assert!(check(eta, gamma).is_err(), "{eta}, {gamma}");
        }
    }
}
