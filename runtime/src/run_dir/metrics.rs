//! `metrics.jsonl`: the measurements of a run, one JSON object per line.
//!
//! It holds nothing that depends on the clock or the machine, so equal runs write equal bytes. A value that JSON does
//! not support (NaN, infinity) is `null`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::append_log::{AppendLog, Log, Recorded};
use crate::error::Result;
use crate::trainer::{Confusion, EpochReport, Evaluation, Skip, StepReport};

/// The name of the file.
pub(super) const METRICS: &str = "metrics.jsonl";

/// The open file.
pub(super) struct Metrics {
    journal: AppendLog,
    /// Steps since the file was last flushed.
    steps: u32,
}

/// One line.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line<'a> {
    Step {
        step: u64,
        epoch: u64,
        loss: f64,
        lr: f64,
        gradient_norm: f64,
        #[serde(skip_serializing_if = "Norms::is_empty")]
        gradient_norms: Norms<'a>,
        samples: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        loss_scale: Option<f64>,
    },
    Skip {
        step: u64,
        epoch: u64,
        loss: f64,
        samples: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        loss_scale: Option<f64>,
        reason: &'a str,
        skipped_in_a_row: u64,
        skipped: u64,
    },
    Epoch {
        epoch: u64,
        step: u64,
        lr: f64,
        training: Measured<'a>,
        validation: Option<Measured<'a>>,
        is_best: bool,
    },
}

/// The norm of each parameter's gradient, by its path.
struct Norms<'a>(&'a [(Arc<str>, f64)]);

impl Norms<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Norms<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(path, norm)| (&**path, norm)))
    }
}

/// An evaluation as stored in a run's files: the loss, each metric under its name, the number of samples.
#[derive(Serialize)]
pub(super) struct Measured<'a> {
    loss: f64,
    #[serde(flatten)]
    metrics: &'a BTreeMap<&'static str, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confusion_matrix: Option<&'a Confusion>,
    samples: usize,
}

impl<'a> From<&'a Evaluation> for Measured<'a> {
    fn from(evaluation: &'a Evaluation) -> Self {
        let Evaluation { loss, metrics, confusion, samples } = evaluation;
        Self { loss: *loss, metrics, confusion_matrix: confusion.as_ref(), samples: *samples }
    }
}

impl Metrics {
    /// The most steps that can be lost when the process is killed.
    const STEPS_UNFLUSHED: u32 = 50;

    /// Serializes lines for this file.
    pub(super) fn of(journal: AppendLog) -> Self {
        Self { journal, steps: 0 }
    }

    /// [`AppendLog::cut`]
    pub(super) fn cut(&self) -> Result<()> {
        self.journal.cut()
    }

    /// The length of the file.
    pub(super) fn recorded(&self) -> Recorded {
        self.journal.recorded()
    }

    /// The file, to be synced before a checkpoint relies on it.
    pub(super) fn log(&mut self) -> Result<Log> {
        self.steps = 0;
        self.journal.log()
    }

    /// The last line.
    pub(super) fn line(&self) -> &[u8] {
        self.journal.line()
    }

    pub(super) fn step(&mut self, report: &StepReport) -> Result<()> {
        let &StepReport { step, epoch, loss, lr, gradient_norm, samples, .. } = report;
        let loss_scale = report.loss_scale.map(f64::from);
        let gradient_norms = Norms(&report.gradient_norms);
        let line = match &report.skip {
            None => Line::Step { step, epoch, loss, lr, gradient_norm, gradient_norms, samples, loss_scale },
            Some(Skip { reason, in_a_row, total }) => {
                let (skipped_in_a_row, skipped) = (*in_a_row, *total);
                Line::Skip { step, epoch, loss, samples, loss_scale, reason, skipped_in_a_row, skipped }
            }
        };
        self.journal.write(&line)?;
        self.steps += 1;
        if self.steps >= Self::STEPS_UNFLUSHED { self.flush() } else { Ok(()) }
    }

    pub(super) fn epoch(&mut self, report: &EpochReport) -> Result<()> {
        self.journal.write(&Line::Epoch {
            epoch: report.epoch,
            step: report.step,
            lr: report.lr,
            training: (&report.training).into(),
            validation: report.validation.as_ref().map(Into::into),
            is_best: report.is_best,
        })?;
        self.flush()
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        self.steps = 0;
        self.journal.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trainer::StepMetrics;

    fn evaluation(loss: f64) -> Evaluation {
        Evaluation { loss, metrics: BTreeMap::from([("accuracy", 0.5)]), confusion: None, samples: 10 }
    }

    #[test]
    fn metric_lines_are_objects_with_exact_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut metrics = Metrics::of(AppendLog::create(&path).unwrap());
        let report = StepReport {
            step: 1,
            epoch: 1,
            loss: 0.1,
            lr: 3e-3,
            gradient_norm: 1.5,
            gradient_norms: Vec::new(),
            samples: 4,
            metrics: StepMetrics::default(),
            loss_scale: None,
            skip: None,
        };
        metrics.step(&report).unwrap();
        let skip = Skip { reason: "the loss is NaN".to_owned(), in_a_row: 1, total: 2 };
        let skipped = StepReport { loss: f64::NAN, loss_scale: Some(512.0), skip: Some(skip), ..report };
        metrics.step(&skipped).unwrap();
        let mut report = EpochReport {
            epoch: 1,
            step: 1,
            training: evaluation(0.1),
            validation: None,
            lr: 3e-3,
            is_best: false,
        };
        metrics.epoch(&report).unwrap();
        report.validation = Some(evaluation(f64::NAN));
        metrics.epoch(&report).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"kind":"step","step":1,"epoch":1,"loss":0.1,"lr":0.003,"gradient_norm":1.5,"samples":4}"#,
                "\n",
                r#"{"kind":"skip","step":1,"epoch":1,"loss":null,"samples":4,"loss_scale":512.0,"#,
                r#""reason":"the loss is NaN","skipped_in_a_row":1,"skipped":2}"#,
                "\n",
                r#"{"kind":"epoch","epoch":1,"step":1,"lr":0.003,"training":{"loss":0.1,"accuracy":0.5,"samples":10},"#,
                r#""validation":null,"is_best":false}"#,
                "\n",
                r#"{"kind":"epoch","epoch":1,"step":1,"lr":0.003,"training":{"loss":0.1,"accuracy":0.5,"samples":10},"#,
                r#""validation":{"loss":null,"accuracy":0.5,"samples":10},"is_best":false}"#,
                "\n",
            )
        );
        for line in text.lines() {
            assert!(serde_json::from_str::<serde_json::Value>(line).unwrap().is_object());
        }
    }

    #[test]
    fn step_lines_are_written_before_epoch_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut metrics = Metrics::of(AppendLog::create(&path).unwrap());
        for step in 1..=60 {
            let report = StepReport {
                step,
                epoch: 1,
                loss: 0.1,
                lr: 3e-3,
                gradient_norm: 1.5,
                gradient_norms: vec![("line_1.weight".into(), 1.0)],
                samples: 4,
                metrics: StepMetrics::default(),
                loss_scale: None,
                skip: None,
            };
            metrics.step(&report).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 50);
        assert!(text.contains(r#""gradient_norm":1.5,"gradient_norms":{"line_1.weight":1.0},"#), "{text}");
        drop(metrics);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 60);
    }
}
