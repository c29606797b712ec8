//! `state.json`: the part of a checkpoint that is not tensors.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::append_log::Recorded;
use super::trace::Traced;
use crate::metric::number;
use crate::trainer::{Scaling, Snapshot};

/// The format of checkpoints that this version writes, and the only one that it reads.
pub(super) const FORMAT: u32 = 1;

/// The content of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// [`FORMAT`]
    pub(super) format: u32,
    pub(super) step: u64,
    pub(super) epoch: u64,
    pub(super) step_in_epoch: u64,
    /// Whether the epoch is still to be evaluated; true only in a checkpoint of an interruption.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) before_evaluation: bool,
    /// Totals over the steps of the epoch so far.
    pub(super) totals: Value,
    pub(super) scaling: Scaling,
    /// The state of the schedule's phases.
    pub(super) schedule: Value,
    pub(super) monitored: Option<Best>,
    /// The length of `metrics.jsonl`.
    pub(super) metrics: Recorded,
    /// The length of `trace.jsonl`, and its chain.
    pub(super) trace: Traced,
    /// The whole spec.
    pub(super) spec: Value,
    pub(super) spec_hash: String,
    pub(super) data_fingerprint: String,
}

impl State {
    /// Returns whether it was saved at the position of this snapshot, with logs of these lengths.
    pub(super) fn is_of(&self, snapshot: &Snapshot<'_>, records: &Records) -> bool {
        let &Self { step, epoch, step_in_epoch, before_evaluation, .. } = self;
        let is_here = step == snapshot.step
            && (epoch, step_in_epoch) == (snapshot.epoch, snapshot.step_in_epoch)
            && before_evaluation == snapshot.before_evaluation
            // At the end of an epoch, its totals are reset.
            && self.totals.get("samples").and_then(Value::as_u64) == Some(snapshot.totals.samples() as u64);
        is_here && self.metrics.is_as_long_as(&records.metrics) && self.trace.is_as_long_as(&records.trace)
    }
}

/// The lengths of a run's logs at a checkpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    pub(super) metrics: Recorded,
    pub(super) trace: Traced,
}

/// The best evaluation so far; its weights are in a separate file.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Best {
    #[serde(with = "number")]
    pub(super) value: f64,
    pub(super) epoch: u64,
    pub(super) without_improvement: u64,
}
