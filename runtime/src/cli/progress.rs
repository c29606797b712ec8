//! The progress display of a run.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::advice::Advised;
use crate::error::Result;
use crate::format::{count, metric, plain, rate};
use crate::spec::TrainConfig;
use crate::trainer::{
    DataLoad, EpochReport, Evaluation, Event, Observer, Resumed, RunPlan, StepReport, Verifying,
};

/// Which units the loss and the metrics have, if the targets are normalized.
pub(super) const NORMALIZED_LOSS: &str =
    "the loss is that of normalized targets; metrics are in the units of the data";

/// Prints a headline before training and a line per epoch, and shows a progress bar on a terminal.
///
/// A line that cannot be written is dropped, since that must not stop a run.
pub(super) struct Progress<'a> {
    out: &'a mut dyn Write,
    is_terminal: bool,
    head: Head,
    /// The advice below the headline.
    advice: String,
    bar: ProgressBar,
    epochs: u64,
    /// Steps taken before this process.
    first: u64,
    began: Option<Instant>,
    seconds: f64,
    load: Option<DataLoad>,
    kept: Option<EpochReport>,
}

/// The part of the headline that does not depend on the data.
pub(super) struct Head {
    name: &'static str,
    model: &'static str,
    parameters: u64,
    optimizer: String,
    device: String,
    seed: u64,
    batch: usize,
    accumulate: usize,
    /// Whether the run restores the weights of its best epoch.
    restores_best: bool,
    /// The file that replaces the declared one.
    data: Option<PathBuf>,
}

impl Head {
    pub(super) fn new(
        name: &'static str,
        model: &'static str,
        parameters: usize,
        settings: &TrainConfig,
    ) -> Self {
        Self {
            name,
            model,
            parameters: parameters as u64,
            optimizer: format!("{} at {}", settings.optimizer.name(), rate(settings.base_rate())),
            device: settings.device.to_string(),
            seed: settings.seed,
            batch: settings.batch,
            accumulate: settings.accumulate,
            restores_best: settings.early_stop.is_some_and(|stop| stop.restore_best),
            data: None,
        }
    }

    /// The same for data from this file.
    pub(super) fn with_data(self, data: Option<PathBuf>) -> Self {
        Self { data, ..self }
    }

    pub(super) fn text(&self, plan: &RunPlan, threads: usize) -> String {
        let Self { name, model, parameters, optimizer, device, seed, batch, accumulate, .. } = self;
        let samples = if *accumulate == 1 { batch.to_string() } else { format!("{accumulate} x {batch}") };
        let parts = [plan.training_samples, plan.validation_samples, plan.test_samples];
        let [train, validation, test] = parts.map(|samples| count(samples as u64));
        let checked = plan.checked_samples.map_or_else(String::new, |samples| {
            format!(
                "{} samples were checked; the others are checked as they are read\n",
                count(samples as u64)
            )
        });
        format!(
            "{name}: {model}, {} parameters, {optimizer}, seed {seed}, {device} with {threads} thread{}\n\
             {train} training samples, {validation} validation, {test} test; \
             {} steps of {samples} samples, {} per epoch\n{checked}{}{}",
            count(*parameters),
            if threads == 1 { "" } else { "s" },
            count(plan.steps),
            count(plan.steps_per_epoch),
            self.data.as_ref().map_or(String::new(), |path| {
                format!("the data are from {}\n", plain(&path.display().to_string(), usize::MAX))
            }),
            if plan.normalizes_targets { format!("{NORMALIZED_LOSS}\n") } else { String::new() },
        )
    }
}

impl<'a> Progress<'a> {
    pub(super) fn new(head: Head, out: &'a mut dyn Write, is_terminal: bool) -> Self {
        Self {
            out,
            is_terminal,
            head,
            advice: String::new(),
            bar: ProgressBar::hidden(),
            epochs: 0,
            first: 0,
            began: None,
            seconds: 0.0,
            load: None,
            kept: None,
        }
    }

    /// Removes the bar. Returns the epoch of the final weights, the duration in seconds, and how long the steps waited for data.
    pub(super) fn close(self) -> (Option<EpochReport>, f64, Option<DataLoad>) {
        self.bar.finish_and_clear();
        (self.kept, self.seconds, self.load)
    }

    fn resume(&mut self, resumed: &Resumed) {
        for sentence in &resumed.damaged {
            let _ = writeln!(self.out, "skipped: {}", plain(sentence, usize::MAX));
        }
        let checkpoint = resumed.checkpoint.display().to_string();
        let _ = writeln!(self.out, "resuming from {}", plain(&checkpoint, usize::MAX));
        for change in &resumed.changes {
            let _ = writeln!(self.out, "changed: {}", plain(change, usize::MAX));
        }
        let _ = writeln!(self.out);
        self.first = resumed.step;
    }

    fn verify(&mut self, verifying: &Verifying) {
        for sentence in &verifying.environment {
            let _ = writeln!(self.out, "environment differs: {}", plain(sentence, usize::MAX));
        }
        let from = match verifying.from {
            0 => "the start".to_owned(),
            step => format!("step {step}"),
        };
        let folder = verifying.folder.display().to_string();
        let _ = writeln!(self.out, "comparing {} from {from}\n", plain(&folder, usize::MAX));
        self.first = verifying.from;
    }

    fn begin(&mut self, plan: &RunPlan) {
        let head = self.head.text(plan, super::threads());
        let _ = writeln!(self.out, "{head}");
        if !self.advice.is_empty() {
            let _ = writeln!(self.out, "{}", self.advice);
        }
        self.epochs = plan.steps.div_ceil(plan.steps_per_epoch.max(1));
        self.began = Some(Instant::now());
        if self.is_terminal {
            self.bar = ProgressBar::with_draw_target(Some(plan.steps), ProgressDrawTarget::stdout());
            // If indicatif rejects the template, its default is used.
            if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len}  {msg}  {eta} left") {
                self.bar.set_style(style);
            }
            self.bar.set_position(self.first);
            // The estimate of the remaining time uses the speed of this process.
            self.bar.reset_eta();
            self.bar.enable_steady_tick(Duration::from_millis(200));
        }
    }

    fn step(&self, report: &StepReport) {
        if self.is_terminal {
            let &StepReport { step, epoch, loss, lr, .. } = report;
            let mut parts = vec![format!("epoch {epoch}/{}", self.epochs), format!("loss {}", metric(loss))];
            parts.extend(report.metrics.iter().map(|(name, value)| format!("{name} {}", metric(value))));
            parts.push(format!("lr {}", rate(lr)));
            parts.extend(report.loss_scale.map(|scale| format!("loss scale {scale}")));
            self.bar.set_message(parts.join("  "));
            self.bar.set_position(step);
        }
    }

    fn skip(&mut self, report: &StepReport) {
        let line = skipped(report);
        let out = &mut *self.out;
        self.bar.suspend(|| {
            let _ = writeln!(out, "{line}");
        });
    }

    fn epoch(&mut self, report: &EpochReport) {
        if report.is_best || !self.head.restores_best {
            self.kept = Some(report.clone());
        }
        let line = line(report, self.epochs);
        let out = &mut *self.out;
        self.bar.suspend(|| {
            let _ = writeln!(out, "{line}");
        });
    }
}

impl Observer for Progress<'_> {
    fn on(&mut self, event: &Event<'_>) -> Result<()> {
        match event {
            Event::Advice(advice) => self.advice = Advised(advice).to_string(),
            Event::Notice(notice) => {
                let _ = writeln!(self.out, "note: {}", plain(notice, usize::MAX));
            }
            Event::Resume(resumed) => self.resume(resumed),
            Event::Verify(verifying) => self.verify(verifying),
            Event::Begin(plan) => self.begin(plan),
            Event::Step(report) => self.step(report),
            Event::Skip(report) => self.skip(report),
            Event::Epoch(report) => self.epoch(report),
            Event::DataLoad(load) => self.load = Some(**load),
            Event::End(_) => {
                self.seconds = self.began.map_or(0.0, |began| began.elapsed().as_secs_f64());
                self.bar.finish_and_clear();
            }
            Event::Trace(_) | Event::Checkpoint(_) | Event::Interrupt(_) | Event::Final(_) => {}
        }
        Ok(())
    }
}

/// Formats a skipped step: `step 12 skipped: the loss is NaN, at loss scale 65536 (1 consecutive, 3 in total)`.
fn skipped(report: &StepReport) -> String {
    let Some(skip) = &report.skip else { return String::new() };
    let scale = report.loss_scale.map(|scale| format!(", at loss scale {scale}")).unwrap_or_default();
    let counts = format!("{} consecutive, {} in total", count(skip.in_a_row), count(skip.total));
    format!("step {} skipped: {}{scale} ({counts})", report.step, skip.reason)
}

/// Formats an epoch: `epoch  3/40  loss 0.3121  accuracy 0.9312  val loss 0.2210  lr 2.91e-3  *`, with a star if it is
/// the best so far.
fn line(report: &EpochReport, epochs: u64) -> String {
    let width = epochs.to_string().len();
    let mut parts = vec![format!("epoch {:>width$}/{epochs}", report.epoch)];
    let mut measures = |prefix: &str, evaluation: &Evaluation| {
        parts.push(format!("{prefix}loss {}", metric(evaluation.loss)));
        parts.extend(
            evaluation.metrics.iter().map(|(name, value)| format!("{prefix}{name} {}", metric(*value))),
        );
    };
    measures("", &report.training);
    if let Some(validation) = &report.validation {
        measures("val ", validation);
    }
    parts.push(format!("lr {}", rate(report.lr)));
    if report.is_best {
        parts.push("*".to_owned());
    }
    parts.join("  ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::trainer::StepMetrics;
    use crate::trainer::{Exit, Skip};

    fn evaluation(loss: f64, accuracy: f64) -> Evaluation {
        Evaluation { loss, metrics: BTreeMap::from([("accuracy", accuracy)]), confusion: None, samples: 100 }
    }

    fn report(epoch: u64, is_best: bool) -> EpochReport {
        EpochReport {
            epoch,
            step: 12 * epoch,
            training: evaluation(0.31214, 0.9312),
            validation: Some(evaluation(0.22101, 0.9511)),
            lr: 2.914e-3,
            is_best,
        }
    }

    fn head() -> Head {
        let mut training = crate::fixture::experiment();
        Head { restores_best: true, ..Head::new("line", "Line", 9482, training.settings().unwrap()) }
    }

    #[test]
    fn epoch_is_one_plain_line_without_terminal() {
        assert_eq!(
            line(&report(3, true), 40),
            "epoch  3/40  loss 0.3121  accuracy 0.9312  val loss 0.2210  val accuracy 0.9511  lr 2.91e-3  *"
        );
        let plain = EpochReport { validation: None, ..report(12, false) };
        assert_eq!(line(&plain, 40), "epoch 12/40  loss 0.3121  accuracy 0.9312  lr 2.91e-3");
    }

    #[test]
    fn skipped_step_line_has_reason_and_loss_scale() {
        let skip = Skip { reason: "the loss is NaN".to_owned(), in_a_row: 1, total: 3 };
        let report = StepReport {
            step: 12,
            epoch: 1,
            loss: f64::NAN,
            lr: 1e-3,
            gradient_norm: f64::NAN,
            samples: 4,
            metrics: StepMetrics::default(),
            gradient_norms: Vec::new(),
            loss_scale: Some(65_536.0),
            skip: Some(skip),
        };
        let expected = "step 12 skipped: the loss is NaN, at loss scale 65536 (1 consecutive, 3 in total)";
        assert_eq!(skipped(&report), expected);
    }

    #[test]
    fn header_describes_the_plan() {
        let plan = RunPlan {
            steps: 1200,
            steps_per_epoch: 30,
            training_samples: 1437,
            validation_samples: 180,
            test_samples: 180,
            checked_samples: None,
            normalizes_targets: false,
        };
        let text = "line: Line, 9,482 parameters, AdamW at 1.00e-3, seed 0, cpu with 2 threads\n\
                    1,437 training samples, 180 validation, 180 test; 1,200 steps of 2 x 4 samples, 30 per epoch\n";
        let head = Head { accumulate: 2, ..head() };
        assert_eq!(head.text(&plan, 2), text);
        let plan = RunPlan { normalizes_targets: true, ..plan };
        let head = head.with_data(Some("other.csv".into()));
        assert_eq!(
            head.text(&plan, 2),
            format!(
                "{text}the data are from other.csv\nthe loss is that of normalized targets; metrics are in the units of the data\n"
            )
        );
    }

    #[test]
    fn best_epoch_is_reported_as_kept() {
        let mut out = Vec::new();
        let mut progress = Progress::new(head(), &mut out, false);
        for event in [
            Event::Epoch(&report(1, true)),
            Event::Epoch(&report(2, false)),
            Event::End(&Exit::StoppedEarly { best_epoch: 1 }),
        ] {
            progress.on(&event).unwrap();
        }
        assert_eq!(progress.close().0.unwrap().epoch, 1);
        assert_eq!(String::from_utf8(out).unwrap().lines().count(), 2);
    }
}
