//! Training: from a batch to updated weights, and from epoch to epoch.
//!
//! A batch goes from the data's [`Prepared`](crate::data::Prepared) through a [`Stepper`] to
//! the [`Engine`](crate::engine::Engine); [`run`] counts epochs; what happens is told to an [`Observer`]. What an observer
//! is shown as a [`Snapshot`] comes back as [`Saved`], from which [`resume`] goes on. An [`Interrupt`](crate::interrupt::Interrupt) asks for an end.

mod average;
mod evaluate;
mod event;
mod feed;
mod find_rate;
mod measures;
mod monitor;
mod plan;
mod run;
mod saved;
mod scale;
mod step;
mod stop;

pub use crate::metric::Confusion;
pub use evaluate::{Evaluation, Totals, evaluate};
pub use event::{
    EpochReport, Event, Exit, Monitored, Observer, Resumed, RunPlan, Skip, Snapshot, StepReport,
    TRACED_EVERY, TracePoint, Verifying,
};
pub use find_rate::{RateCurve, RatePoint, RateSearch, SearchEnd, find_rate};
pub use measures::Measures;
pub(crate) use plan::length;
pub use run::{Outcome, resume, run};
pub use saved::{Saved, SavedBest};
pub use scale::Scaling;
pub use step::Stepper;
