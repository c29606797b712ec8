//! An exponential moving average of the weights.

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::shape::{CheckError, CheckResult};

/// Keeps an exponential moving average of the weights and uses it for evaluation.
///
/// The average starts as a copy of the initial weights. After each applied step, regardless of its number of micro-batches:
/// `average = d * average + (1 - d) * weight`, in f32; running statistics are copied. Training continues with the
/// weights themselves, but evaluations, early stopping, the best weights and the final model use the average. Checkpoints
/// store both.
///
/// With `warmup`, `d = min(decay, (1 + t) / (10 + t))` at step `t`, counted from 1, so that the initial weights decay
/// faster (as in TensorFlow's `ExponentialMovingAverage`). (PyTorch's `AveragedModel` copies the weights at its first
/// update; updating it once before the first step gives the same values.)
///
/// # Source
/// Polyak & Juditsky 1992; as used by Tarvainen & Valpola 2017.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ema {
    /// The decay rate of the average, `0 <= decay < 1`; 0.999 by default. 0 disables averaging.
    pub decay: f64,
    /// An alternative to `decay`: the steps after which half of the average has decayed, `decay = 2^(-1 / half_life)`. Above 0;
    /// 0, the default, means unset.
    pub half_life: f64,
    /// Whether the decay rate rises to its value over the first steps; false by default.
    pub warmup: bool,
}

/// [`Ema`](struct@Ema) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Ema: Ema = Ema::DEFAULT;

impl Ema {
    /// Disables averaging.
    pub const NONE: Self = Self { decay: 0.0, ..Self::DEFAULT };

    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult {
        if !(self.decay >= 0.0 && self.decay < 1.0) {
            return Err(CheckError::new("decay is ").float(self.decay).text("; expected 0 <= decay < 1"));
        }
        if !(self.half_life >= 0.0 && self.half_life.is_finite()) {
            return Err(CheckError::new("half_life is ")
                .float(self.half_life)
                .text("; expected a number of steps above 0, or 0 if `decay` is set"));
        }
        // The default cannot be distinguished from the same value written out, which does no harm.
        #[allow(clippy::float_cmp, reason = "whether it is the default")]
        let both = self.half_life > 0.0 && self.decay != Self::DEFAULT.decay;
        if both {
            return Err(CheckError::new("`decay` and `half_life` are both set; remove one of them"));
        }
        Ok(())
    }

    /// Returns the decay rate at step `t`, counted from 1.
    #[must_use]
    pub fn decay_at(&self, t: u64) -> f64 {
        let decay = if self.half_life > 0.0 { (-1.0 / self.half_life).exp2() } else { self.decay };
        if self.warmup { decay.min((1.0 + t as f64) / (10.0 + t as f64)) } else { decay }
    }
}

impl Config for Ema {
    const NAME: &'static str = "Ema";
    const DEFAULT: Self = Self { decay: 0.999, half_life: 0.0, warmup: false };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn average_halves_in_one_half_life() {
        let ema = Ema { half_life: 20.0, ..Ema::DEFAULT };
        assert!((ema.decay_at(1).powi(20) - 0.5).abs() < 1e-14);
    }

    #[test]
    fn decay_warms_up_to_its_value() {
        let ema = Ema { decay: 0.9, warmup: true, ..Ema::DEFAULT };
        let at = |t| ema.decay_at(t);
        let found = [1, 8, 80, 81].map(|t| at(t).to_bits());
        assert_eq!(found, [2.0 / 11.0, 0.5, 0.9, 0.9].map(f64::to_bits));
        assert!(at(79) < 0.9);
    }

    #[test]
    fn keys_are_range_checked() {
        let check = |decay, half_life| Ema { decay, half_life, warmup: false }.check();
        assert!(check(0.0, 0.0).is_ok() && check(0.9999, 0.0).is_ok() && check(0.999, 100.0).is_ok());
        for (decay, half_life) in [(1.0, 0.0), (-0.1, 0.0), (f64::NAN, 0.0), (0.999, -1.0), (0.5, 100.0)] {
            assert!(check(decay, half_life).is_err(), "{decay}, {half_life}");
        }
    }
}
