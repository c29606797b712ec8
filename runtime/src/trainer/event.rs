//! The events of a run.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Evaluation, Scaling, StepMetrics, Totals};
use crate::error::Result;
use crate::interrupt::Cause;
use crate::keys::Finding;

/// Observes a run: a progress bar, a log, a folder of checkpoints.
///
/// An error from an observer stops the run.
pub trait Observer {
    /// Handles an event.
    ///
    /// # Errors
    /// If the event cannot be recorded.
    fn on(&mut self, event: &Event<'_>) -> Result<()>;

    /// Returns whether to send an [`Event::Checkpoint`] after `step` steps although none is due. It is called
    /// wherever a run can be interrupted and at the end of an epoch, so more than once for some steps.
    fn wants_state(&self, step: u64) -> bool {
        let _ = step;
        false
    }
}

impl<F: FnMut(&Event<'_>) -> Result<()>> Observer for F {
    fn on(&mut self, event: &Event<'_>) -> Result<()> {
        self(event)
    }
}

/// An event of a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Advice on doubtful choices, if there is any; before [`Event::Begin`].
    Advice(&'a [Finding]),
    /// A sentence on a feature that the file system of the run folder lacks and the run can do without; before
    /// [`Event::Begin`].
    Notice(&'a str),
    /// The run resumes from a checkpoint; [`Event::Begin`] follows. The run folder is still unchanged.
    Resume(&'a Resumed),
    /// A run is re-run to be compared with its folder; [`Event::Begin`] follows.
    Verify(&'a Verifying),
    /// The run is about to take its first step.
    Begin(&'a RunPlan),
    /// An optimizer step was taken.
    Step(&'a StepReport),
    /// The values after a traced step: the last one of an epoch, one after which a checkpoint is due, and every
    /// [`TRACED_EVERY`]th.
    Trace(&'a TracePoint<'a>),
    /// An optimizer step was skipped, since its loss or gradients were not finite. The parameters are unchanged.
    Skip(&'a StepReport),
    /// An epoch ended and was evaluated.
    Epoch(&'a EpochReport),
    /// The state must be saved.
    Checkpoint(&'a Snapshot<'a>),
    /// The run is interrupted: the state must be saved, whatever the spec declares. The event may also occur in the
    /// evaluation after [`Event::End`].
    Interrupt(&'a Snapshot<'a>),
    /// How long the steps waited for data so far: after each epoch, and before [`Event::End`].
    DataLoad(&'a DataLoad),
    /// The last step was taken.
    End(&'a Exit),
    /// The final parameters and running statistics, in the graph's order: after [`Event::End`] and before the final
    /// evaluation, so that they can be saved even if that fails. It does not occur if the run was interrupted before.
    Final(&'a [Vec<f32>]),
}

/// How long the steps of a process waited for their data.
///
/// At first the thread of the steps reads the data. If this takes more than a hundredth of the time, threads of their own read ahead.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct DataLoad {
    /// The time for which the steps waited.
    pub waited: Duration,
    /// The time since the first step began.
    pub elapsed: Duration,
    /// The number of threads that read ahead; 0 if there is none.
    pub threads: usize,
}

impl DataLoad {
    /// Returns the share of the time for which the steps waited, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.elapsed.is_zero() { 0.0 } else { self.waited.as_secs_f64() / self.elapsed.as_secs_f64() }
    }
}

/// Where a run resumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// The checkpoint's folder.
    pub checkpoint: PathBuf,
    /// Its step.
    pub step: u64,
    /// A sentence on each newer checkpoint that is damaged and was skipped.
    pub damaged: Vec<String>,
    /// A line on each permitted change of the spec since the checkpoint.
    pub changes: Vec<String>,
}

/// The run that is re-run and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifying {
    /// The run's folder.
    pub folder: PathBuf,
    /// The step of the checkpoint that it starts from; 0 is the start of the run.
    pub from: u64,
    /// A sentence on each difference between the environment of this process and that of the run.
    pub environment: Vec<String>,
}

/// The steps and samples of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunPlan {
    /// Optimizer steps of the whole run.
    pub steps: u64,
    /// Optimizer steps of an epoch.
    pub steps_per_epoch: u64,
    /// Training samples.
    pub training_samples: usize,
    /// Validation samples.
    pub validation_samples: usize,
    /// Test samples, evaluated once at the end.
    pub test_samples: usize,
    /// How many samples were checked before the first step, if not all were: the others are checked as they are read.
    pub checked_samples: Option<usize>,
    /// Whether the losses are those of normalized targets; metrics are in the units of the data.
    pub normalizes_targets: bool,
}

/// One optimizer step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StepReport {
    /// Its number, from 1.
    pub step: u64,
    /// The epoch that it is part of, from 1.
    pub epoch: u64,
    /// The mean loss over the step's samples, before the update; NaN, shown as `-`, if none of them counts.
    pub loss: f64,
    /// The learning rate.
    pub lr: f64,
    /// The global norm of the gradients, before clipping.
    pub gradient_norm: f64,
    /// The norm of each parameter's gradient, before clipping, with the parameter's path, in the graph's order; empty
    /// unless `gradient_norms` is on.
    pub gradient_norms: Vec<(Arc<str>, f64)>,
    /// The number of samples in the step.
    pub samples: usize,
    /// Each metric over the step's samples, before the update.
    pub metrics: StepMetrics,
    /// The loss scale in f16. The loss and the norm here are unscaled.
    pub loss_scale: Option<f32>,
    /// Why the step was skipped, if it was. The next step then has the same number.
    pub skip: Option<Skip>,
}

/// A skipped step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// What is not finite.
    pub reason: String,
    /// Consecutive skipped steps, including this one.
    pub in_a_row: u64,
    /// Skipped steps of the whole run, including this one.
    pub total: u64,
}

/// One epoch.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EpochReport {
    /// Its number, from 1.
    pub epoch: u64,
    /// The number of the last step so far.
    pub step: u64,
    /// The mean loss and metrics over the training samples, each computed in training mode before the step
    /// that used it.
    pub training: Evaluation,
    /// The evaluation of the validation samples after the epoch; `None` if there are none.
    pub validation: Option<Evaluation>,
    /// The learning rate of the epoch's last step.
    pub lr: f64,
    /// Whether it is the best epoch so far by the monitored value.
    pub is_best: bool,
}

/// Every this many steps one is traced, besides those traced for another reason.
pub const TRACED_EVERY: u64 = 100;

/// The values of a run after a step.
#[derive(Clone, Copy, Debug)]
pub struct TracePoint<'a> {
    /// Optimizer steps taken.
    pub step: u64,
    /// The epoch of the step, from 1.
    pub epoch: u64,
    /// Every parameter and running statistic, in the graph's order.
    pub parameters: &'a [Vec<f32>],
    /// The optimizer's state by parameter and slot.
    pub optimizer_state: &'a [Vec<Vec<f32>>],
    /// The average of the parameters and running statistics, in their order, if the run keeps one.
    pub average: Option<&'a [Vec<f32>]>,
}

/// The full state of a run after a step.
#[derive(Debug)]
pub struct Snapshot<'a> {
    /// Optimizer steps taken.
    pub step: u64,
    /// The epoch of the last step, from 1.
    pub epoch: u64,
    /// Steps taken within that epoch.
    pub step_in_epoch: u64,
    /// Whether the epoch has all its steps but is not evaluated yet; only if a run was interrupted there.
    pub before_evaluation: bool,
    /// Every parameter and running statistic, in the graph's order.
    pub parameters: Cow<'a, [Vec<f32>]>,
    /// The names of the optimizer's state values.
    pub state_names: &'static [&'static str],
    /// The optimizer's state by parameter and name.
    pub optimizer_state: Cow<'a, [Vec<Vec<f32>>]>,
    /// The loss scale and the counters of skipped steps.
    pub scaling: Scaling,
    /// The average of the parameters and running statistics, in their order, if the run keeps one.
    pub average: Option<Cow<'a, [Vec<f32>]>>,
    /// Sums over the steps of the epoch so far.
    pub totals: &'a Totals,
    /// The state of the schedule phases: [`Schedule::state`](crate::schedule::Schedule::state).
    pub schedule: serde_json::Value,
    /// The best evaluation so far, if a value is monitored.
    pub monitored: Option<Monitored<'a>>,
}

/// The best evaluation so far.
#[derive(Clone, Debug)]
pub struct Monitored<'a> {
    /// The monitored value.
    pub best: f64,
    /// Its epoch, from 1.
    pub best_epoch: u64,
    /// Evaluations since then.
    pub without_improvement: u64,
    /// The parameters and running statistics of that epoch, in the graph's order, if the run restores them.
    pub parameters: Option<Cow<'a, [Vec<f32>]>>,
}

/// Why a run stopped.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Exit {
    /// It took all its steps.
    Completed,
    /// It no longer improved.
    StoppedEarly {
        /// The best epoch, from 1.
        best_epoch: u64,
    },
    /// It was stopped by an [`Interrupt`](crate::interrupt::Interrupt).
    Interrupted {
        /// The cause.
        cause: Cause,
    },
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Completed => f.write_str("completed"),
            Self::StoppedEarly { best_epoch } => write!(f, "stopped early; the best epoch was {best_epoch}"),
            Self::Interrupted { cause } => write!(f, "interrupted by {cause}"),
        }
    }
}
