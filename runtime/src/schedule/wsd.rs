//! Warmup, stable, decay.

use serde::{Deserialize, Serialize};

use super::{Clock, Interval, Phase, above_floor, check_floor};
use crate::config::Config;
use crate::keys::Facts;
use crate::keys::{lasting, length};
use crate::shape::{CheckError, CheckResult};

/// Raises the learning rate linearly, holds it, and lowers it in the last steps: warmup, stable, decay.
///
/// With a warmup of `A` steps, a decay of `D` and a phase of `W`, the learning rate at step `j` is `eta (j + 1) / A` in the first `A` steps,
/// as with [`Warmup`](super::Warmup); then `eta`; and `to + (eta - to) f(i / (D - 1))` in step `i` of the last `D`, where the first has the
/// full value and the last has `to`. `f(x)` is `1 - x` or, with [`Cooldown::Sqrt`], `1 - sqrt(x)`. With [`Cooldown::Linear`] it is
/// the same as `[Warmup { … }, Constant { … }, Linear { to }]`.
///
/// # Errors
/// When the program starts: if warmup and decay are longer than the phase.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// # #[model]
/// # fn Net(x: Image<1, 8, 8>) -> Logits<10> { x.flatten().linear(out = 10) }
/// train! {
///     Digits {
///         model: Net,
///         data: Digits8x8::embedded(),
///         epochs: 10,
///         schedule: Wsd { warmup: Steps(20), decay: Epochs(2) },
///     }
/// }
/// assert_eq!(Digits::experiment().schedule()?.rate(100), 1e-3);
/// # Ok::<(), trainspec::Error>(())
/// ```
///
/// # Source
/// Hu et al., "`MiniCPM`", 2024; the form of `Cooldown::Sqrt` from Hägele et al., "Scaling laws and compute-optimal training beyond
/// fixed training durations", 2024.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wsd {
    /// How long the learning rate rises: `Steps(n)` or `Epochs(n)`; required.
    pub warmup: Interval,
    /// How long it falls at the end; required.
    pub decay: Interval,
    /// The learning rate at the last step, from 0 to that of the stable part; 0 by default.
    pub to: f64,
    /// How it falls; `Cooldown::Sqrt` by default.
    pub cooldown: Cooldown,
    /// The length of the phase in steps; all remaining steps by default.
    pub steps: u64,
    /// The length of the phase in epochs, as an alternative to `steps`.
    pub epochs: u64,
}

/// How the learning rate falls at the end of [`Wsd`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cooldown {
    /// With `1 - x`.
    Linear,
    /// With `1 - sqrt(x)`: fast at first.
    Sqrt,
}

impl Wsd {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        if let Err(problem) = self.warmup.check("warmup") {
            return Err(problem);
        }
        if let Err(problem) = self.decay.check("decay") {
            return Err(problem);
        }
        if let Err(problem) = check_floor("to", self.to) {
            return Err(problem);
        }
        match lasting(self.steps, self.epochs) {
            Ok(known) => Ok(known.floor(self.to)),
            problem => problem,
        }
    }
}

impl Config for Wsd {
    const NAME: &'static str = "Wsd";
    const DEFAULT: Self = Self {
        warmup: Interval::Steps(0),
        decay: Interval::Steps(0),
        to: 0.0,
        cooldown: Cooldown::Sqrt,
        steps: 0,
        epochs: 0,
    };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[
        ("warmup", "how long the learning rate rises: `Steps(n)` or `Epochs(n)`"),
        ("decay", "how long it falls at the end: `Steps(n)` or `Epochs(n)`"),
    ];
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Phase for Wsd {
    fn length(&self) -> Option<Interval> {
        length(self.steps, self.epochs)
    }

    fn rate(&self, j: u64, eta: f64, clock: Clock<'_>) -> f64 {
        let (warmup, decay) = (self.warmup.in_steps(clock.epoch), self.decay.in_steps(clock.epoch));
        if j < warmup {
            return eta * ((j + 1) as f64 / warmup as f64);
        }
        let Some(place) = j.checked_sub(clock.steps.saturating_sub(decay)) else { return eta };
        if place + 1 >= decay {
            return self.to;
        }
        let share = place as f64 / (decay - 1) as f64;
        let fallen = match self.cooldown {
            Cooldown::Linear => share,
            Cooldown::Sqrt => share.sqrt(),
        };
        eta + (self.to - eta) * fallen
    }

    fn check_start(&self, eta: f64, clock: Clock<'_>) -> CheckResult {
        let (warmup, decay) = (self.warmup.in_steps(clock.epoch), self.decay.in_steps(clock.epoch));
        if warmup.saturating_add(decay) > clock.steps {
            return Err(CheckError::new("warmup and decay are ")
                .number(warmup as usize)
                .text(" and ")
                .number(decay as usize)
                .text(" steps, but the phase has ")
                .number(clock.steps as usize)
                .text("; shorten them or train longer"));
        }
        above_floor(eta, self.to)
    }

    fn largest(&self, eta: f64, _: Clock<'_>) -> f64 {
        eta
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AnyPhase, Constant, Linear, Schedule, Warmup};
    use super::*;

    fn rates(phases: Vec<Box<dyn AnyPhase>>) -> Vec<f64> {
        let schedule = Schedule::new(phases, 0.1, 20, 5).unwrap();
        (0..20).map(|k| schedule.rate(k)).collect()
    }

    #[test]
    fn linear_cooldown_equals_three_phases() {
        let wsd = Wsd {
            warmup: Interval::Steps(4),
            decay: Interval::Epochs(1),
            to: 0.01,
            cooldown: Cooldown::Linear,
            ..Wsd::DEFAULT
        };
        let three: Vec<Box<dyn AnyPhase>> = vec![
            Box::new(Warmup { steps: 4, ..Warmup::DEFAULT }),
            Box::new(Constant { steps: 11, ..Constant }),
            Box::new(Linear { to: 0.01, ..Linear::DEFAULT }),
        ];
        assert_eq!(rates(vec![Box::new(wsd)]), rates(three));
    }

    #[test]
    fn square_root_cooldown_matches_formula() {
        let wsd = Wsd { warmup: Interval::Steps(1), decay: Interval::Steps(10), ..Wsd::DEFAULT };
        let rates = rates(vec![Box::new(wsd)]);
        assert_eq!(rates[..11], [0.1; 11]);
        for (i, rate) in rates[10..].iter().enumerate() {
            assert!((rate - 0.1 * (1.0 - (i as f64 / 9.0).sqrt())).abs() < 1e-16, "{i}: {rate}");
        }
    }

    #[test]
    fn parts_longer_than_phase_are_rejected() {
        let wsd = Wsd { warmup: Interval::Steps(12), decay: Interval::Steps(9), ..Wsd::DEFAULT };
        let problem = Schedule::new(vec![Box::new(wsd)], 0.1, 20, 5).unwrap_err().to_string();
        assert!(
            problem.contains("Wsd: warmup and decay are 12 and 9 steps, but the phase has 20; shorten them"),
            "{problem}"
        );
    }
}
