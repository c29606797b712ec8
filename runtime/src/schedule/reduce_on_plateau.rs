//! Reduces the learning rate when the evaluations no longer improve.

use serde::{Deserialize, Serialize};

use super::{Clock, Interval, Phase, Seen, above_floor, check_factor, check_floor};
use crate::config::Config;
use crate::keys::Facts;
use crate::keys::Monitor;
use crate::keys::{lasting, length};
use crate::metric::Direction;
use crate::shape::{CheckError, CheckResult};

/// Reduces the learning rate when a monitored value stops improving: `max(eta * factor^n, min)` after `n` plateaus.
///
/// An evaluation at the end of an epoch improves if it is below `best - threshold * |best|`, or above
/// `best + threshold * |best|` for a metric where higher is better. After more than `patience` consecutive evaluations
/// without improvement, `n` rises by one and the count restarts. The next `cooldown` evaluations are not
/// counted. Only evaluations between two steps of the phase count.
///
/// Equivalent to PyTorch's `ReduceLROnPlateau` with its default `threshold_mode='rel'`, with two differences: the direction is
/// taken from the metric, and the threshold is relative to the magnitude of the best value. PyTorch's `best * (1 - threshold)`
/// is above a negative `best`, so a constant value would always count as an improvement.
///
/// The state is part of every checkpoint. A monitored value of NaN stops the run with an error.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReduceOnPlateau {
    /// The monitored value; the validation loss by default.
    pub monitor: Monitor,
    /// The factor for the learning rate, `0 < factor < 1`; 0.1 by default.
    pub factor: f64,
    /// The number of evaluations without improvement to tolerate, 0 or more; 10 by default.
    pub patience: u64,
    /// The smallest improvement that counts, as a share of the best value, `0 <= threshold < 1`; 1e-4 by default.
    pub threshold: f64,
    /// The number of evaluations after a reduction that are not counted; 0 by default.
    pub cooldown: u64,
    /// The lower bound of the learning rate, 0 or more, and at most the initial one; 0 by default.
    pub min: f64,
    /// A reduction of the learning rate by less than this is skipped; 1e-8 by default, as in PyTorch.
    pub eps: f64,
    /// The length of the phase in steps; all remaining steps by default.
    pub steps: u64,
    /// The length of the phase in epochs, as an alternative to `steps`.
    pub epochs: u64,
}

/// [`ReduceOnPlateau`](struct@ReduceOnPlateau) with every key at its default.
#[allow(non_upper_case_globals)]
pub const ReduceOnPlateau: ReduceOnPlateau = ReduceOnPlateau::DEFAULT;

impl ReduceOnPlateau {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        if let Err(problem) = check_factor(self.factor) {
            return Err(problem);
        }
        if self.factor >= 1.0 {
            return Err(CheckError::new("factor is ").float(self.factor).text("; expected less than 1"));
        }
        if !(self.threshold >= 0.0 && self.threshold < 1.0) {
            return Err(CheckError::new("threshold is ")
                .float(self.threshold)
                .text("; expected 0 <= threshold < 1, a share of the best value"));
        }
        if let Err(problem) = check_floor("min", self.min) {
            return Err(problem);
        }
        if let Err(problem) = check_floor("eps", self.eps) {
            return Err(problem);
        }
        match lasting(self.steps, self.epochs) {
            Ok(known) => Ok(known.floor(self.min).watching(self.monitor)),
            problem => problem,
        }
    }

    fn after(&self, reductions: f64, eta: f64) -> f64 {
        (eta * self.factor.powf(reductions)).max(self.min.min(eta))
    }
}

impl Config for ReduceOnPlateau {
    const NAME: &'static str = "ReduceOnPlateau";
    const DEFAULT: Self = Self {
        monitor: Monitor::ValLoss,
        factor: 0.1,
        patience: 10,
        threshold: 1e-4,
        cooldown: 0,
        min: 0.0,
        eps: 1e-8,
        steps: 0,
        epochs: 0,
    };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Phase for ReduceOnPlateau {
    const STATE: &'static [&'static str] =
        &["evaluations", "best", "without_improvement", "cooldown", "reductions"];

    fn length(&self) -> Option<Interval> {
        length(self.steps, self.epochs)
    }

    fn rate(&self, _: u64, eta: f64, clock: Clock<'_>) -> f64 {
        self.after(clock.state.last().copied().unwrap_or_default(), eta)
    }

    fn check_start(&self, eta: f64, _: Clock<'_>) -> CheckResult {
        above_floor(eta, self.min)
    }

    fn largest(&self, eta: f64, _: Clock<'_>) -> f64 {
        eta
    }

    fn monitor(&self) -> Option<Monitor> {
        Some(self.monitor)
    }

    fn see(&self, seen: Seen, state: &mut [f64]) {
        let [evaluations, best, without_improvement, cooldown, reductions] = state else { return };
        let worst = match seen.direction {
            Direction::Lower => f64::INFINITY,
            Direction::Higher => f64::NEG_INFINITY,
        };
        if *evaluations == 0.0 {
            *best = worst;
        }
        *evaluations += 1.0;
        let improves = match seen.direction {
            Direction::Lower => seen.value < *best * (1.0 - self.threshold.copysign(*best)),
            Direction::Higher => seen.value > *best * (1.0 + self.threshold.copysign(*best)),
        };
        if improves {
            *best = seen.value;
            *without_improvement = 0.0;
        } else {
            *without_improvement += 1.0;
        }
        if *cooldown > 0.0 {
            *cooldown -= 1.0;
            *without_improvement = 0.0;
        }
        if *without_improvement > self.patience as f64 {
            let less = self.after(*reductions + 1.0, seen.eta);
            if self.after(*reductions, seen.eta) - less > self.eps {
                *reductions += 1.0;
            }
            *cooldown = self.cooldown as f64;
            *without_improvement = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how often the learning rate has fallen after each value.
    fn reductions(direction: Direction, values: &[f64]) -> Vec<f64> {
        let phase = ReduceOnPlateau { patience: 1, threshold: 0.01, ..ReduceOnPlateau };
        let mut state = [0.0; 5];
        let see = |&value: &f64| {
            phase.see(Seen { value, direction, eta: 1.0 }, &mut state);
            state[4]
        };
        values.iter().map(see).collect()
    }

    /// The margin is a share of the magnitude of the best value. With a share of the value itself, a constant -100 would always
    /// be below `-100 * 0.99`, and the learning rate would never fall.
    #[test]
    fn improvement_margin_uses_absolute_value() {
        for sign in [1.0, -1.0] {
            let direction = if sign > 0.0 { Direction::Lower } else { Direction::Higher };
            let of = |values: &[f64]| {
                reductions(direction, &values.iter().map(|value| sign * value).collect::<Vec<_>>())
            };
            assert_eq!(of(&[-100.0, -100.0, -100.0]), [0.0, 0.0, 1.0]);
            // Better by more than one percent, and by less.
            assert_eq!(of(&[-100.0, -101.1, -102.2, -103.3]), [0.0; 4]);
            assert_eq!(of(&[-100.0, -100.9, -100.95]), [0.0, 0.0, 1.0]);
            assert_eq!(of(&[100.0, 98.9, 97.8]), [0.0; 3]);
            assert_eq!(of(&[100.0, 99.1, 99.05]), [0.0, 0.0, 1.0]);
            // Across 0, and at 0.
            assert_eq!(of(&[1.0, -1.0, -1.1, -1.2]), [0.0; 4]);
            assert_eq!(of(&[0.0, 0.0, 0.0]), [0.0, 0.0, 1.0]);
            assert_eq!(of(&[0.0, -1e-9, -2e-9]), [0.0; 3]);
        }
    }

    #[test]
    fn finite_value_improves_infinite_best() {
        assert_eq!(reductions(Direction::Lower, &[f64::INFINITY, 5.0, 4.0, 3.0]), [0.0; 4]);
        assert_eq!(reductions(Direction::Higher, &[f64::NEG_INFINITY, -5.0, -4.0, -3.0]), [0.0; 4]);
    }
}
