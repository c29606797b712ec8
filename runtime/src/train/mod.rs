//! Training: from a batch to updated weights, and from epoch to epoch.
//!
//! A batch goes from the data's [`Prepared`](crate::data::Prepared) through a [`Stepper`] to
//! the [`Engine`](crate::engine::Engine); [`run`] counts epochs; what happens is told to an [`Observer`].

mod confusion;
mod evaluate;
mod event;
mod feed;
mod plan;
mod run;
mod scale;
mod step;
mod stop;

pub use confusion::{Confusion, confusion};
pub use evaluate::{Evaluation, Totals, evaluate};
pub use event::{EpochReport, Event, Exit, Monitored, Observer, RunPlan, Skip, Snapshot, StepReport};
pub use run::{Outcome, run};
pub use scale::Scaling;
pub use step::Stepper;
