//! The training loop.
//!
//! A batch goes from the data's [`PreparedDataset`](crate::data::PreparedDataset) through a [`TrainStep`] to the
//! [`Engine`](crate::engine::Engine); [`run`] loops over epochs and reports [`Event`]s to an [`Observer`]. A
//! [`Snapshot`] that an observer saves is read back as [`Saved`], from which [`resume`] continues. An
//! [`Interrupt`](crate::interrupt::Interrupt) requests a stop.

mod average;
mod batch_result;
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
mod statistics;
mod step;
mod step_metrics;

pub use crate::metric::Confusion;
pub use evaluate::{Evaluation, Totals, evaluate, evaluate_in};
pub use event::{
    DataLoad, EpochReport, Event, Exit, Monitored, Observer, Resumed, RunPlan, Skip, Snapshot, StepReport,
    TRACED_EVERY, TracePoint, Verifying,
};
pub use find_rate::{RateCurve, RatePoint, RateSearch, SearchEnd, find_rate};
pub use run::{Outcome, resume, run, run_in};
pub(crate) use run_length::length;
pub use saved::{Saved, SavedBest};
pub use scale::Scaling;
pub use step::TrainStep;
pub use step_metrics::StepMetrics;
