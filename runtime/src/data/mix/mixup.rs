//! Mixup: weighted sums of two samples.

use serde::{Deserialize, Serialize};
use trainspec_kernels::ema::lerp;

use super::{Mix, Samples};
use crate::config::Config;
use crate::data::SampleRng;
use crate::shape::{CheckError, CheckResult};

/// Trains on weighted sums of two samples: `x = share * x + (1 - share) * partner`. One share per micro-batch, as in the
/// authors' code, is drawn from the beta distribution of `(alpha, alpha)`.
///
/// For images and features.
///
/// # Source
/// Zhang et al. 2018, "mixup: Beyond empirical risk minimization": an alpha of 0.2 for `ImageNet`, 1 for CIFAR.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mixup {
    /// The parameter of the Beta(alpha, alpha) distribution of the mixing ratio, above 0; 0.2 by default. 1 makes all ratios
    /// equally likely.
    pub alpha: f64,
}

/// [`Mixup`](struct@Mixup) with all defaults.
#[allow(non_upper_case_globals)]
pub const Mixup: Mixup = Mixup::DEFAULT;

impl Mixup {
    /// Checks the range of the key.
    pub const fn check(&self) -> CheckResult {
        check_alpha(self.alpha)
    }
}

impl Config for Mixup {
    const NAME: &'static str = "Mixup";
    const DEFAULT: Self = Self { alpha: 0.2 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Mix for Mixup {
    fn mix(&self, samples: &mut Samples<'_>, draws: &mut SampleRng) -> f64 {
        let share = draws.beta(self.alpha, self.alpha);
        lerp(samples.inputs, samples.partners, (1.0 - share) as f32);
        share
    }
}

/// Checks the range of the beta distribution's parameter.
pub(super) const fn check_alpha(alpha: f64) -> CheckResult {
    if alpha > 0.0 && alpha.is_finite() {
        return Ok(());
    }
    Err(CheckError::new("alpha is ").float(alpha).text("; expected a number above 0, or leave `mix` out"))
}
