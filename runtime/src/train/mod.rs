//! Training: from a batch to updated weights, and from epoch to epoch.
//!
//! A batch goes from the data's [`Prepared`](crate::data::Prepared) through a [`Stepper`] to
//! the [`Engine`](crate::engine::Engine); [`run`] counts epochs; what happens is told to an [`Observer`].

mod average;
mod evaluate;
mod event;
mod feed;
mod find_rate;
mod measures;
mod monitor;
mod plan;
mod run;
mod scale;
mod step;
mod stop;

pub use crate::metric::Confusion;
pub use evaluate::{Evaluation, Totals, evaluate};
pub use event::{EpochReport, Event, Exit, Monitored, Observer, RunPlan, Skip, Snapshot, StepReport};
pub use find_rate::{RateCurve, RatePoint, RateSearch, SearchEnd, find_rate};
pub use measures::Measures;
pub(crate) use plan::{length, plan};
pub use run::{Outcome, run};
pub use scale::Scaling;
pub use step::Stepper;
