//! Schedules: the learning rate of each step, in closed form.
//!
//! A schedule is a list of phases; each begins at the step and at the rate where the last one ended. The
//! last phase takes all remaining steps unless it is given its own length, `steps` or `epochs`.
//!
//! | phase | rate |
//! | --- | --- |
//! | [`Constant`](struct@Constant) | stays |
//! | [`Warmup`] | rises linearly to the full rate |
//! | [`Linear`] | goes linearly to another rate |
//! | [`Cosine`](struct@Cosine) | falls along half a cosine to a floor |
//! | [`CosineRestarts`] | falls along half a cosine again and again |
//! | [`Polynomial`](struct@Polynomial) | goes to another rate along a power |
//! | [`InverseSqrt`] | rises linearly, then falls with the root of the step |
//! | [`Step`] | is multiplied by a factor at fixed intervals |
//! | [`MultiStep`] | is multiplied by a factor at given steps or epochs |
//! | [`Exponential`] | is multiplied by a factor each epoch, or each step |
//! | [`OneCycle`] | rises to a maximum and falls far below its start |
//! | [`ReduceOnPlateau`](struct@ReduceOnPlateau) | is multiplied by a factor when evaluations no longer improve |
//!
//! Rates of a phase's own, such as `floor`, `to` and `max`, are learning rates, not shares of one. The rate on which
//! the first phase works is the optimizer's `lr`, times what `scale_lr` says: [`LinearScaling`] or
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

use crate::config::{Config, Setting, with_changes};
use crate::keys::Monitor;
use crate::metric::Direction;
use crate::shape::CheckResult;

/// Where a phase stands: its own steps, how long an epoch is, and what it remembers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock<'a> {
    /// Optimizer steps of the phase.
    pub steps: u64,
    /// Optimizer steps of an epoch.
    pub epoch: u64,
    /// The numbers named in [`Phase::STATE`], all 0 until an evaluation changes them.
    pub state: &'a [f64],
}

/// What a phase is shown at the end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// The value of what the phase monitors, on the validation data; never NaN.
    pub value: f64,
    /// Which way it improves.
    pub direction: Direction,
    /// The rate at which the phase began.
    pub eta: f64,
}

/// One phase of a schedule.
///
/// Most phases are a function of the step alone: a length and a rate are all that they tell. One that listens to
/// the evaluations names the numbers that it remembers in `STATE`, says what it monitors, and changes them in
/// `see`; they are part of every checkpoint.
///
/// # Example
/// ```
/// use serde::{Deserialize, Serialize};
/// use trainspec::metric::Direction;
/// use trainspec::schedule::{Clock, Interval, Phase, Seen};
/// use trainspec::spec::Monitor;
/// use trainspec::{Config, CheckResult};
///
/// /// Halves the rate whenever the validation loss is above `bound`.
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
    /// The names of the numbers that the phase remembers from one evaluation to the next; by default none.
    const STATE: &'static [&'static str] = &[];

    /// The phase's own length, if it has one.
    fn length(&self) -> Option<Interval>;

    /// The rate at step `j` of the phase, from 0, which began at the rate `eta`.
    fn rate(&self, j: u64, eta: f64, clock: Clock<'_>) -> f64;

    /// Whether the phase can begin at the rate `eta`, with as many steps as the clock says; by default always.
    ///
    /// It is asked before the run's first step. A phase behind one with state may begin at a lower rate than the
    /// one that was asked about.
    fn check_start(&self, eta: f64, clock: Clock<'_>) -> CheckResult {
        let _ = (eta, clock);
        Ok(())
    }

    /// The largest rate of the phase, whatever the evaluations say.
    ///
    /// By default the largest [`rate`](Phase::rate) of all its steps before an evaluation. Override it if the phase may
    /// be very long, or if its state can raise the rate.
    fn largest(&self, eta: f64, clock: Clock<'_>) -> f64 {
        (0..clock.steps).map(|j| self.rate(j, eta, clock)).fold(0.0, larger)
    }

    /// What the phase is shown at the end of each epoch; by default nothing.
    fn monitor(&self) -> Option<Monitor> {
        None
    }

    /// Takes in an evaluation, at the end of an epoch, after the phase's first step and before its last.
    fn see(&self, seen: Seen, state: &mut [f64]) {
        let _ = (seen, state);
    }
}

/// A phase of any type.
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
    /// If it cannot.
    fn check_start(&self, eta: f64, clock: Clock<'_>) -> CheckResult;
    /// [`Phase::largest`]
    fn largest(&self, eta: f64, clock: Clock<'_>) -> f64;
    /// [`Phase::monitor`]
    fn monitor(&self) -> Option<Monitor>;
    /// [`Phase::see`]
    fn see(&self, seen: Seen, state: &mut [f64]);
    /// A copy.
    fn boxed(&self) -> Box<dyn AnyPhase>;
    /// The same phase with changed keys.
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

/// The largest rate of a phase that only rises or only falls.
fn larger_end(phase: &impl Phase, eta: f64, clock: Clock<'_>) -> f64 {
    larger(phase.rate(0, eta, clock), phase.rate(clock.steps.saturating_sub(1), eta, clock))
}

/// The larger of two, or NaN if one is: `f64::max` would hide it.
fn larger(one: f64, other: f64) -> f64 {
    if one.is_nan() || one > other { one } else { other }
}

/// The range of a rate that a phase may end at.
const fn check_floor(key: &str, floor: f64) -> CheckResult {
    use crate::shape::CheckError;
    if floor >= 0.0 && floor.is_finite() {
        return Ok(());
    }
    Err(CheckError::new(key).text(" is ").float(floor).text("; expected a learning rate of 0 or more"))
}

/// The range of a factor of the rate.
const fn check_factor(factor: f64) -> CheckResult {
    use crate::shape::CheckError;
    if factor > 0.0 && factor.is_finite() {
        return Ok(());
    }
    Err(CheckError::new("factor is ").float(factor).text("; expected a number above 0"))
}

/// That a phase which falls to `floor` does not begin below it.
pub(crate) const fn above_floor(eta: f64, floor: f64) -> CheckResult {
    use crate::shape::CheckError;
    if eta >= floor {
        return Ok(());
    }
    Err(CheckError::new("begins at the rate ")
        .float(eta)
        .text(", below its floor ")
        .float(floor)
        .text("; lower the floor, or raise the rate"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a rule says, with a few values that it lets pass.
    #[track_caller]
    fn refuses<C: Config>(wrong: C, words: &str) {
        let problem = wrong.judge().expect_err("it is refused");
        assert!(problem.as_str().contains(words), "`{words}` is not in: {problem}");
    }

    #[test]
    fn ranges_are_told() {
        let (steps, epochs) = (Interval::Steps, Interval::Epochs);
        refuses(Linear { to: -0.1, ..Linear::DEFAULT }, "to is -0.1; expected a learning rate of 0 or more");
        refuses(Linear { steps: 1, epochs: 1, ..Linear::DEFAULT }, "both `steps` and `epochs` are given");
        refuses(Polynomial { power: 0.0, ..Polynomial }, "power is 0; expected a number above 0");
        refuses(Polynomial { to: f64::NAN, ..Polynomial }, "to is NaN");
        refuses(InverseSqrt::DEFAULT, "warmup is Steps(0); expected at least Steps(1)");
        refuses(
            Exponential { factor: 0.0, ..Exponential::DEFAULT },
            "factor is 0; expected a number above 0",
        );
        refuses(Exponential { every: epochs(0), ..Exponential::DEFAULT }, "every is Epochs(0)");

        let at = |at| MultiStep { at, ..MultiStep::DEFAULT };
        refuses(at(&[]), "at is empty; expected at least one place");
        refuses(at(&[Interval::Steps(3), Interval::Epochs(4)]), "mixes `Steps` and `Epochs`");
        refuses(at(&[Interval::Steps(3), Interval::Steps(3)]), "at has 3 after 3; expected places that rise");
        refuses(at(&[Interval::Steps(0)]), "a place of at is Steps(0)");

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
            assert!(fine.judge().is_ok(), "{fine:?}");
        }
    }

    /// A list goes through JSON, as it does for `--set`.
    #[test]
    fn places_are_read_back() {
        let phase = MultiStep { at: &[Interval::Epochs(2), Interval::Epochs(9)], ..MultiStep::DEFAULT };
        let json = phase.to_json();
        assert_eq!(json["at"], serde_json::json!([{ "Epochs": 2 }, { "Epochs": 9 }]));
        assert_eq!(AnyPhase::with(&phase, &json).unwrap().to_json(), json);
    }
}
