//! Training: from a batch to updated weights, and from epoch to epoch.
//!
//! A batch goes from the data's [`PreparedDataset`](crate::data::PreparedDataset) through a [`TrainStep`] to
//! the [`Engine`](crate::engine::Engine); [`run`] counts epochs; what happens is told to an [`Observer`]. What an observer
//! is shown as a [`Snapshot`] comes back as [`Saved`], from which [`resume`] goes on. An [`Interrupt`](crate::interrupt::Interrupt) asks for an end.

mod average;
mod batch_sampler;
mod early_stopping;
mod evaluate;
mod event;
mod find_rate;
mod monitor;
mod run;
mod run_length;
mod saved;
mod scale;
mod step;
mod step_metrics;

pub use crate::metric::Confusion;
pub use evaluate::{Evaluation, Totals, evaluate};
pub use event::{
    EpochReport, Event, Exit, Monitored, Observer, Resumed, RunPlan, Skip, Snapshot, StepReport,
    TRACED_EVERY, TracePoint, Verifying,
};
pub use find_rate::{RateCurve, RatePoint, RateSearch, SearchEnd, find_rate};
pub use run::{Outcome, resume, run};
pub(crate) use run_length::length;
pub use saved::{Saved, SavedBest};
pub use scale::Scaling;
pub use step::TrainStep;
pub use step_metrics::StepMetrics;
