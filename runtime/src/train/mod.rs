//! Training: from a batch to updated weights, and from epoch to epoch.
//!
//! A batch goes from the data's [`Prepared`](crate::data::Prepared) through `step` to the
//! [`Engine`]; `run` counts epochs; what happens is told to an [`Observer`].

mod evaluate;
mod event;
mod run;
mod step;
mod stop;

pub use evaluate::{Evaluation, evaluate};
pub use event::{EpochReport, Event, Exit, Observer, RunPlan, Snapshot, StepReport};
pub use run::{Outcome, run};
