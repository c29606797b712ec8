//! Schedules: the learning rate of each step, in closed form.
//!
//! A schedule is a list of phases; each begins at the step and at the rate where the last one ended. The
//! last phase takes all remaining steps unless it is given its own length.
//!
//! | phase | rate |
//! | --- | --- |
//! | [`Constant`](struct@Constant) | stays |
//! | [`Warmup`] | rises linearly to the full rate |
//! | [`Cosine`](struct@Cosine) | falls along half a cosine to a floor |
//! | [`Step`] | is multiplied by a factor at fixed intervals |

mod constant;
mod cosine;
mod interval;
mod phases;
mod step;
mod warmup;

pub use constant::Constant;
pub use cosine::{Cosine, CosineEnd};
pub use interval::Interval;
pub use phases::Schedule;
pub use step::Step;
pub use warmup::Warmup;

use crate::config::{Config, Setting, with_changes};
use crate::shape::Verdict;

/// Where a phase stands: its own steps, and how long an epoch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Optimizer steps of the phase.
    pub steps: u64,
    /// Optimizer steps of an epoch.
    pub epoch: u64,
}

/// One phase of a schedule.
pub trait Phase: Config {
    /// The phase's own length, if it has one.
    fn length(&self) -> Option<Interval>;

    /// The rate at step `j` of the phase, from 0, which began at the rate `eta`.
    fn rate(&self, j: u64, eta: f64, clock: Clock) -> f64;

    /// Whether the phase can begin at the rate `eta`; by default at any.
    fn check_start(&self, eta: f64) -> Verdict {
        let _ = eta;
        Ok(())
    }
}

/// A phase of any type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no phase of a schedule",
    label = "expected a phase, such as `Warmup {{ steps: 100 }}`, `Cosine`, `Step {{ every: Epochs(10) }}`"
)]
pub trait AnyPhase: Setting {
    /// [`Phase::length`]
    fn length(&self) -> Option<Interval>;
    /// [`Phase::rate`]
    fn rate(&self, j: u64, eta: f64, clock: Clock) -> f64;
    /// [`Phase::check_start`]
    ///
    /// # Errors
    /// If it cannot.
    fn check_start(&self, eta: f64) -> Verdict;
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
    fn length(&self) -> Option<Interval> {
        Phase::length(self)
    }

    fn rate(&self, j: u64, eta: f64, clock: Clock) -> f64 {
        Phase::rate(self, j, eta, clock)
    }

    fn check_start(&self, eta: f64) -> Verdict {
        Phase::check_start(self, eta)
    }

    with_changes!(dyn AnyPhase);
}
