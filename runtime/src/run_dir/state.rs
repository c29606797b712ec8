//! `state.json`: what of a checkpoint is no tensor.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::append_log::Recorded;
use super::trace::Traced;
use crate::metric::number;
use crate::trainer::{Scaling, Snapshot};

/// The form of checkpoints that this version writes, and the only one that it reads.
pub(super) const FORMAT: u32 = 1;

/// The file, as it is written and read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// [`FORMAT`]
    pub(super) format: u32,
    pub(super) step: u64,
    pub(super) epoch: u64,
    pub(super) step_in_epoch: u64,
    /// Whether the epoch is to be evaluated yet; so only in a checkpoint of an interruption.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) before_evaluation: bool,
    /// Sums over the steps of the epoch so far.
    pub(super) totals: Value,
    pub(super) scaling: Scaling,
    /// What the phases of the schedule remember.
    pub(super) schedule: Value,
    pub(super) monitored: Option<Best>,
    /// How far `metrics.jsonl` was.
    pub(super) metrics: Recorded,
    /// How far `trace.jsonl` was, and its chain.
    pub(super) trace: Traced,
    /// The whole spec.
    pub(super) spec: Value,
    pub(super) spec_hash: String,
    pub(super) data_fingerprint: String,
}

impl State {
    /// Whether it was taken at the place of this snapshot, with logs as long as these.
    pub(super) fn is_of(&self, snapshot: &Snapshot<'_>, records: &Records) -> bool {
        let &Self { step, epoch, step_in_epoch, before_evaluation, .. } = self;
        let is_here = step == snapshot.step
            && (epoch, step_in_epoch) == (snapshot.epoch, snapshot.step_in_epoch)
            && before_evaluation == snapshot.before_evaluation
            // At the end, the sums of the last epoch are no more.
            && self.totals.get("samples").and_then(Value::as_u64) == Some(snapshot.totals.samples() as u64);
        is_here && self.metrics.is_as_long_as(&records.metrics) && self.trace.is_as_long_as(&records.trace)
    }
}

/// How far the logs of a run are at a checkpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    pub(super) metrics: Recorded,
    pub(super) trace: Traced,
}

/// The best evaluation so far; its weights are in a file of their own.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Best {
    #[serde(with = "number")]
    pub(super) value: f64,
    pub(super) epoch: u64,
    pub(super) without_improvement: u64,
}
