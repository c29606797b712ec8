//! Schedules: the learning rate of each step, in closed form.
//!
//! A schedule is a list of phases. Each phase starts at the step and at the learning rate at which the previous one ended. The
//! last phase takes all remaining steps unless it has its own length, `steps` or `epochs`.
//!
//! | phase | learning rate |
//! | --- | --- |
//! | [`Constant`](struct@Constant) | is constant |
//! | [`Warmup`] | rises linearly to the full value |
//! | [`Linear`] | changes linearly to another value |
//! | [`Cosine`](struct@Cosine) | falls along half a cosine to a floor |
//! | [`CosineRestarts`] | falls along half a cosine in each period |
//! | [`Polynomial`](struct@Polynomial) | changes to another value along a power |
//! | [`InverseSqrt`] | rises linearly, then falls with the inverse square root of the step |
//! | [`Step`] | is multiplied by a factor at fixed intervals |
//! | [`MultiStep`] | is multiplied by a factor at given steps or epochs |
//! | [`Exponential`] | is multiplied by a factor each epoch, or each step |
//! | [`OneCycle`] | rises to a maximum and falls far below its start |
//! | [`Wsd`] | rises linearly, is constant, and falls in the last steps |
//! | [`ReduceOnPlateau`](struct@ReduceOnPlateau) | is multiplied by a factor when evaluations no longer improve |
//!
//! The keys `floor`, `to` and `max` of a phase are absolute learning rates, not fractions. The first phase starts from the
//! optimizer's `lr`, times the factor of `scale_lr`: [`LinearScaling`] or
//! [`SqrtScaling`].

mod constant;
mod cosine;
mod cosine_restarts;
mod course;
mod exponential;
mod inverse_sqrt;
mod linear;
mod multi_step;
mod one_cycle;
mod phases;
mod polynomial;
mod reduce_on_plateau;
mod scale;
mod step;
mod warmup;
mod wsd;

pub use crate::keys::Interval;
pub use constant::Constant;
pub use cosine::{Cosine, CosineEnd};
pub use cosine_restarts::CosineRestarts;
pub(crate) use course::{Course, Taken};
pub use exponential::Exponential;
pub use inverse_sqrt::InverseSqrt;
pub use linear::Linear;
pub use multi_step::MultiStep;
pub use one_cycle::{Anneal, OneCycle};
pub(crate) use phases::fault;
pub use phases::{Schedule, Span};
pub use polynomial::Polynomial;
pub use reduce_on_plateau::ReduceOnPlateau;
pub use scale::{AnyScaleLr, LinearScaling, NoScaling, ScaleLr, SqrtScaling};
pub use step::Step;
pub use warmup::Warmup;
pub use wsd::{Cooldown, Wsd};

use crate::config::{Config, Setting, with_changes};
use crate::keys::Monitor;
use crate::metric::Direction;
use crate::shape::CheckResult;

/// The time base of a phase: its steps, the steps of an epoch, and its state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock<'a> {
    /// The number of optimizer steps of the phase.
    pub steps: u64,
    /// The number of optimizer steps of an epoch.
    pub epoch: u64,
    /// The values named in [`Phase::STATE`], all 0 until an evaluation changes them.
    pub state: &'a [f64],
}

/// The evaluation that a phase receives at the end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// The monitored value on the validation data; never NaN.
    pub value: f64,
    /// The direction in which it improves.
    pub direction: Direction,
    /// The learning rate at the start of the phase.
    pub eta: f64,
}

/// One phase of a schedule.
///
/// Most phases are a function of the step and define only a length and a learning rate. A phase that depends on
/// evaluations names its state in `STATE`, returns what it monitors from `monitor`, and updates the state in `see`. Every
/// checkpoint contains the state.
///
/// # Example
/// ```
/// use serde::{Deserialize, Serialize};
/// use trainspec::metric::Direction;
/// use trainspec::schedule::{Clock, Interval, Phase, Seen};
/// use trainspec::spec::Monitor;
/// use trainspec::{Config, CheckResult};
///
/// /// Halves the learning rate whenever the validation loss is above `bound`.
/// #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
/// pub struct HalveAbove {
///     pub bound: f64,
/// }
///
/// impl HalveAbove {
///     pub const fn check(&self) -> CheckResult {
///         Ok(())
///     }
/// }
///
/// impl Config for HalveAbove {
///     const NAME: &'static str = "HalveAbove";
///     const DEFAULT: Self = Self { bound: 1.0 };
///     const CHECK: fn(&Self) -> CheckResult = Self::check;
/// }
///
/// impl Phase for HalveAbove {
///     const STATE: &'static [&'static str] = &["halvings"];
///
///     fn length(&self) -> Option<Interval> {
///         None
///     }
///     fn rate(&self, _: u64, eta: f64, clock: Clock) -> f64 {
///         eta * 0.5_f64.powf(clock.state[0])
///     }
///     fn monitor(&self) -> Option<Monitor> {
///         Some(Monitor::ValLoss)
///     }
///     fn see(&self, seen: Seen, state: &mut [f64]) {
///         if seen.value > self.bound {
///             state[0] += 1.0;
///         }
///     }
/// }
/// ```
pub trait Phase: Config {
    /// The names of the values that the phase keeps between evaluations; none by default.
    const STATE: &'static [&'static str] = &[];

    /// Returns the length of the phase, if it has one.
    fn length(&self) -> Option<Interval>;

    /// Returns the learning rate at step `j` of the phase, from 0, which started at the learning rate `eta`.
    fn rate(&self, j: u64, eta: f64, clock: Clock<'_>) -> f64;

    /// Checks that the phase can start at the learning rate `eta` with the steps of the clock; always accepts by default.
    ///
    /// Called before the first step of the run. A phase after one with state may start at a lower learning rate than the one
    /// that was checked.
    fn check_start(&self, eta: f64, clock: Clock<'_>) -> CheckResult {
        let _ = (eta, clock);
        Ok(())
    }

    /// Returns the largest learning rate of the phase, for any evaluations.
    ///
    /// By default the largest [`rate`](Phase::rate) of all its steps before an evaluation. Override it if the phase may
    /// be very long, or if its state can raise the learning rate.
    fn largest(&self, eta: f64, clock: Clock<'_>) -> f64 {
        (0..clock.steps).map(|j| self.rate(j, eta, clock)).fold(0.0, larger)
    }

    /// Returns what the phase monitors; nothing by default.
    fn monitor(&self) -> Option<Monitor> {
        None
    }

    /// Updates the state with an evaluation, at the end of an epoch, after the phase's first step and before its last.
    fn see(&self, seen: Seen, state: &mut [f64]) {
        let _ = (seen, state);
    }
}

/// A type-erased phase.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a phase of a schedule",
    label = "expected a phase, such as `Warmup {{ steps: 100 }}`, `Cosine`, `Step {{ every: Epochs(10) }}`"
)]
pub trait AnyPhase: Setting {
    /// [`Phase::STATE`]
    fn state_names(&self) -> &'static [&'static str];
    /// [`Phase::length`]
    fn length(&self) -> Option<Interval>;
    /// [`Phase::rate`]
    fn rate(&self, j: u64, eta: f64, clock: Clock<'_>) -> f64;
    /// [`Phase::check_start`]
    ///
    /// # Errors
    /// If the phase cannot start.
    fn check_start(&self, eta: f64, clock: Clock<'_>) -> CheckResult;
    /// [`Phase::largest`]
    fn largest(&self, eta: f64, clock: Clock<'_>) -> f64;
    /// [`Phase::monitor`]
    fn monitor(&self) -> Option<Monitor>;
    /// [`Phase::see`]
    fn see(&self, seen: Seen, state: &mut [f64]);
    /// Returns a copy.
    fn boxed(&self) -> Box<dyn AnyPhase>;
    /// Returns the same phase with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnyPhase>, String>;
}

#[diagnostic::do_not_recommend]
impl<P: Phase> AnyPhase for P {
    fn state_names(&self) -> &'static [&'static str] {
        P::STATE
    }

    fn length(&self) -> Option<Interval> {
        Phase::length(self)
    }

    fn rate(&self, j: u64, eta: f64, clock: Clock<'_>) -> f64 {
        Phase::rate(self, j, eta, clock)
    }

    fn check_start(&self, eta: f64, clock: Clock<'_>) -> CheckResult {
        Phase::check_start(self, eta, clock)
    }

    fn largest(&self, eta: f64, clock: Clock<'_>) -> f64 {
        Phase::largest(self, eta, clock)
    }

    fn monitor(&self) -> Option<Monitor> {
        Phase::monitor(self)
    }

    fn see(&self, seen: Seen, state: &mut [f64]) {
        Phase::see(self, seen, state);
    }

    with_changes!(dyn AnyPhase);
}

/// Returns the largest learning rate of a monotonic phase.
fn larger_end(phase: &impl Phase, eta: f64, clock: Clock<'_>) -> f64 {
    larger(phase.rate(0, eta, clock), phase.rate(clock.steps.saturating_sub(1), eta, clock))
}

/// Returns the larger of two values, or NaN if one is NaN, which `f64::max` would ignore.
fn larger(one: f64, other: f64) -> f64 {
    if one.is_nan() || one > other { one } else { other }
}

/// Checks the range of a final learning rate.
const fn check_floor(key: &str, floor: f64) -> CheckResult {
    use crate::shape::CheckError;
    if floor >= 0.0 && floor.is_finite() {
        return Ok(());
    }
    Err(CheckError::new(key).text(" is ").float(floor).text("; expected a learning rate of 0 or more"))
}

/// Checks the range of a factor for the learning rate.
const fn check_factor(factor: f64) -> CheckResult {
    use crate::shape::CheckError;
    if factor > 0.0 && factor.is_finite() {
        return Ok(());
    }
    Err(CheckError::new("factor is ").float(factor).text("; expected a number above 0"))
}

/// Checks that a phase that falls to `floor` does not start below it.
pub(crate) const fn above_floor(eta: f64, floor: f64) -> CheckResult {
    use crate::shape::CheckError;
    if eta >= floor {
        return Ok(());
    }
    Err(CheckError::new("starts at the learning rate ")
        .float(eta)
        .text(", below its floor ")
        .float(floor)
        .text("; lower the floor, or raise the learning rate"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asserts that a configuration is rejected with this message.
    #[track_caller]
    fn refuses<C: Config>(wrong: C, words: &str) {
        let problem = wrong.validate().expect_err("it is refused");
        assert!(problem.as_str().contains(words), "`{words}` is not in: {problem}");
    }

    #[test]
    fn out_of_range_phase_keys_are_rejected() {
        let (steps, epochs) = (Interval::Steps, Interval::Epochs);
        refuses(Linear { to: -0.1, ..Linear::DEFAULT }, "to is -0.1; expected a learning rate of 0 or more");
        refuses(Linear { steps: 1, epochs: 1, ..Linear::DEFAULT }, "both `steps` and `epochs` are set");
        refuses(Polynomial { power: 0.0, ..Polynomial }, "power is 0; expected a number above 0");
        refuses(Polynomial { to: f64::NAN, ..Polynomial }, "to is NaN");
        refuses(InverseSqrt::DEFAULT, "warmup is Steps(0); expected at least Steps(1)");
        refuses(
            Exponential { factor: 0.0, ..Exponential::DEFAULT },
            "factor is 0; expected a number above 0",
        );
        refuses(Exponential { every: epochs(0), ..Exponential::DEFAULT }, "every is Epochs(0)");

        let at = |at| MultiStep { at, ..MultiStep::DEFAULT };
        refuses(at(&[]), "at is empty; expected at least one position");
        refuses(at(&[Interval::Steps(3), Interval::Epochs(4)]), "mixes `Steps` and `Epochs`");
        refuses(
            at(&[Interval::Steps(3), Interval::Steps(3)]),
            "at has 3 after 3; expected increasing positions",
        );
        refuses(at(&[Interval::Steps(0)]), "a position in at is Steps(0)");

        let restarts = CosineRestarts { period: steps(5), ..CosineRestarts::DEFAULT };
        refuses(CosineRestarts { multiply: 0, ..restarts }, "multiply is 0; expected at least 1");
        refuses(CosineRestarts { floor: -1.0, ..restarts }, "floor is -1");
        refuses(CosineRestarts::DEFAULT, "period is Steps(0)");

        let cycle = OneCycle { max: 1.0, ..OneCycle::DEFAULT };
        refuses(OneCycle::DEFAULT, "max is 0; expected a learning rate above 0");
        refuses(OneCycle { rise: 1.0, ..cycle }, "rise is 1; expected 0 < rise < 1");
        refuses(OneCycle { rise: 0.6, three_phase: true, ..cycle }, "expected at most 0.5");
        refuses(OneCycle { div: 0.5, ..cycle }, "div is 0.5; expected at least 1");
        refuses(OneCycle { final_div: f64::INFINITY, ..cycle }, "final_div is infinity; expected at least 1");

        refuses(ReduceOnPlateau { factor: 1.0, ..ReduceOnPlateau }, "factor is 1; expected less than 1");
        refuses(ReduceOnPlateau { threshold: -0.1, ..ReduceOnPlateau }, "expected 0 <= threshold < 1");
        refuses(ReduceOnPlateau { min: -1.0, ..ReduceOnPlateau }, "min is -1");
        for fine in
            [&cycle as &dyn Setting, &restarts, &ReduceOnPlateau, &Polynomial, &at(&[Interval::Steps(1)])]
        {
            assert!(fine.validate().is_ok(), "{fine:?}");
        }
    }

    /// A list is converted to JSON and back, as for `--set`.
    #[test]
    fn multi_step_milestones_round_trip_through_json() {
        let phase = MultiStep { at: &[Interval::Epochs(2), Interval::Epochs(9)], ..MultiStep::DEFAULT };
        let json = phase.to_json();
        assert_eq!(json["at"], serde_json::json!([{ "Epochs": 2 }, { "Epochs": 9 }]));
        assert_eq!(AnyPhase::with(&phase, &json).unwrap().to_json(), json);
    }
}
