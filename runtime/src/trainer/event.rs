//! What a run tells while it goes on.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Evaluation, Scaling, StepMetrics, Totals};
use crate::error::Result;
use crate::interrupt::Cause;
use crate::keys::Finding;

/// Listens to a run: a progress bar, a log, a folder of checkpoints.
///
/// An error from it stops the run.
pub trait Observer {
    /// Something happened.
    ///
    /// # Errors
    /// If it cannot be recorded.
    fn on(&mut self, event: &Event<'_>) -> Result<()>;

    /// Whether there is to be an [`Event::Checkpoint`] here, where so many steps are taken, though none is due. It is asked
    /// wherever a run can be interrupted, and at the end of an epoch, so more than once for some steps.
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

/// What happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// What the data, the model and the keys together give reason to doubt; before [`Event::Begin`], if there is any.
    Advice(&'a [Finding]),
    /// A sentence on something that the file system of the run's folder does not have, and that the run does without; before
    /// [`Event::Begin`].
    Notice(&'a str),
    /// The run goes on from a checkpoint; then it begins like any other. Nothing has changed yet.
    Resume(&'a Resumed),
    /// A run is made again to be compared with its record; then it begins like any other.
    Verify(&'a Verifying),
    /// The run is about to take its first step.
    Begin(&'a RunPlan),
    /// An optimizer step was taken.
    Step(&'a StepReport),
    /// The numbers after a step that is traced: the last of an epoch, one after which a checkpoint is due, and every
    /// [`TRACED_EVERY`]th.
    Trace(&'a TracePoint<'a>),
    /// An optimizer step was skipped, since its loss or its gradients were not finite: nothing has changed.
    Skip(&'a StepReport),
    /// An epoch ended and was evaluated.
    Epoch(&'a EpochReport),
    /// The state is to be saved.
    Checkpoint(&'a Snapshot<'a>),
    /// The run is to end before its end: the state is to be saved, whatever the spec says. It may come in the evaluation after
    /// [`Event::End`], too.
    Interrupt(&'a Snapshot<'a>),
    /// The last step was taken.
    End(&'a Exit),
    /// The parameters and running statistics that the run ends with, in the graph's order: after [`Event::End`], before they are
    /// evaluated, so that they can be kept whatever becomes of that. It does not come if the run was interrupted before.
    Final(&'a [Vec<f32>]),
}

/// Where a run was taken up again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// The checkpoint's folder.
    pub checkpoint: PathBuf,
    /// Its step.
    pub step: u64,
    /// Newer checkpoints that are not whole, and were passed over: a sentence on each.
    pub damaged: Vec<String>,
    /// The keys of the spec that have changed since the checkpoint, as it was permitted: a line on each.
    pub changes: Vec<String>,
}

/// Of which run the record is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifying {
    /// The run's folder.
    pub folder: PathBuf,
    /// The step of the checkpoint with which it begins; 0 is the start.
    pub from: u64,
    /// How this process differs from those that worked at the run: a sentence on each program, feature and setting.
    pub environment: Vec<String>,
}

/// What a run is about to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunPlan {
    /// Optimizer steps of the whole run.
    pub steps: u64,
    /// Optimizer steps of an epoch.
    pub steps_per_epoch: u64,
    /// Samples to learn from.
    pub training_samples: usize,
    /// Samples to steer by.
    pub validation_samples: usize,
    /// Samples to look at once, at the end.
    pub test_samples: usize,
}

/// One optimizer step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// Its number, from 1.
    pub step: u64,
    /// The epoch that it is part of, from 1.
    pub epoch: u64,
    /// The mean loss over the step's samples, before the update; NaN, which shows as `-`, if none of them counts in it.
    pub loss: f64,
    /// The learning rate.
    pub lr: f64,
    /// The norm of all gradients together, before clipping.
    pub gradient_norm: f64,
    /// The norm of each parameter's gradient, before clipping, with the parameter's path, in the graph's order; empty
    /// unless the run's `gradient_norms` asks for it.
    pub gradient_norms: Vec<(Arc<str>, f64)>,
    /// Samples that it has seen.
    pub samples: usize,
    /// Each metric over the step's samples, before the update.
    pub metrics: StepMetrics,
    /// What the loss was multiplied by, in f16; the loss and the norm here are not.
    pub loss_scale: Option<f32>,
    /// Why the step was skipped, if it was; its number is then that of the next step.
    pub skip: Option<Skip>,
}

/// A step that was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// What is not finite.
    pub reason: String,
    /// Steps in a row that were skipped, this one with them.
    pub in_a_row: u64,
    /// Steps that were skipped in the whole run, this one with them.
    pub total: u64,
}

/// One epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// Its number, from 1.
    pub epoch: u64,
    /// The number of the last step so far.
    pub step: u64,
    /// The mean loss and metrics over the training samples, each measured in training mode before the step
    /// that it was part of.
    pub training: Evaluation,
    /// The validation samples after the epoch; `None` if there are none.
    pub validation: Option<Evaluation>,
    /// The learning rate of the epoch's last step.
    pub lr: f64,
    /// Whether it is the best epoch so far by what is monitored.
    pub is_best: bool,
}

/// Of so many steps one is traced, besides those that are for another reason.
pub const TRACED_EVERY: u64 = 100;

/// The numbers of a run after a step.
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

/// The whole state of a run at the end of a step.
#[derive(Debug)]
pub struct Snapshot<'a> {
    /// Optimizer steps taken.
    pub step: u64,
    /// The epoch of the last step, from 1.
    pub epoch: u64,
    /// Steps taken within that epoch.
    pub step_in_epoch: u64,
    /// Whether the epoch has had all its steps and is to be evaluated yet: so only where a run was interrupted there.
    pub before_evaluation: bool,
    /// Every parameter and running statistic, in the graph's order.
    pub parameters: Cow<'a, [Vec<f32>]>,
    /// The names of the optimizer's numbers for an element.
    pub state_names: &'static [&'static str],
    /// The optimizer's state by parameter and name.
    pub optimizer_state: &'a [Vec<Vec<f32>>],
    /// The loss scale and the counters of skipped steps.
    pub scaling: Scaling,
    /// The average of the parameters and running statistics, in their order, if the run keeps one.
    pub average: Option<&'a [Vec<f32>]>,
    /// Sums over the steps of the epoch so far.
    pub totals: &'a Totals,
    /// What the phases of the schedule remember: [`Schedule::state`](crate::schedule::Schedule::state).
    pub schedule: serde_json::Value,
    /// The best so far, if the run is watched for it.
    pub monitored: Option<Monitored<'a>>,
}

/// The best evaluation so far.
#[derive(Clone, Copy, Debug)]
pub struct Monitored<'a> {
    /// The value of what is monitored.
    pub best: f64,
    /// Its epoch, from 1.
    pub best_epoch: u64,
    /// Evaluations since then.
    pub without_improvement: u64,
    /// The parameters and running statistics of that epoch, in the graph's order, if the run ends with them.
    pub parameters: Option<&'a [Vec<f32>]>,
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Exit {
    /// It took all its steps.
    Completed,
    /// It no longer improved.
    StoppedEarly {
        /// The best epoch, from 1.
        best_epoch: u64,
    },
    /// It was asked to end by an [`Interrupt`](crate::interrupt::Interrupt).
    Interrupted {
        /// What asked it.
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
