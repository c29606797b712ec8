//! Gradient noise.

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::shape::{CheckError, CheckResult};

/// Adds normal noise to every element of the gradients, with a variance that decreases from step to step.
///
/// The variance is `eta / (1 + k)^gamma` after `k` steps, so `eta` at the first step. The noise is added to the
/// average gradient of the window after clipping and before penalties. Every trained parameter has its own random stream,
/// determined by the seed of the run, its path, the step and the element. The row of a padding token, `embedding(padding = 0)`, has no
/// noise, so that it stays 0.
///
/// # Source
/// Neelakantan et al. 2015, "Adding gradient noise improves learning for very deep networks", who use `eta` of 0.01, 0.3
/// and 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradientNoise {
    /// The variance at the first step, 0 or more; required. 0 disables the noise.
    pub eta: f64,
    /// How fast the variance falls, 0 or more; 0.55 by default.
    pub gamma: f64,
}

impl GradientNoise {
    /// Disables the noise.
    pub const NONE: Self = Self::DEFAULT;

    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult {
        // Checked as f32 too, the type of the computation.
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

    /// Returns the standard deviation of the noise after `k` steps.
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
    fn variance_decays_from_eta() {
        let noise = GradientNoise { eta: 0.3, ..GradientNoise::DEFAULT };
        for (k, variance) in [(0, 0.3), (1, 0.3 / 2.0_f64.powf(0.55)), (999, 0.3 / 10.0_f64.powf(1.65))] {
            // The square of a correctly rounded root.
            assert!((noise.std(k).powi(2) / variance - 1.0).abs() < 4.0 * f64::EPSILON, "{k}");
        }
        assert_eq!(GradientNoise::NONE.std(5).to_bits(), 0);
    }

    #[test]
    fn keys_are_range_checked() {
        let check = |eta, gamma| GradientNoise { eta, gamma }.check();
        assert!(check(0.0, 0.0).is_ok() && check(1.0, 0.55).is_ok());
        for (eta, gamma) in [(-0.1, 0.5), (f64::NAN, 0.5), (f64::INFINITY, 0.5), (0.1, -1.0), (0.1, f64::NAN)]
        {
            assert!(check(eta, gamma).is_err(), "{eta}, {gamma}");
        }
    }
}
