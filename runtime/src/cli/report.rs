//! The report at the end of a run.

use std::collections::BTreeSet;
use std::fmt::{Display, Formatter};
use std::path::Path;

use super::progress::NORMALIZED_LOSS;
use crate::format::Table;
use crate::format::{count, metric, plain, seconds};
use crate::trainer::{Confusion, DataLoad, EpochReport, Evaluation, Exit, Outcome};

/// The result of a run and the paths of its files.
pub(super) struct Report<'a> {
    pub(super) outcome: &'a Outcome,
    /// The epoch of the final weights.
    pub(super) kept: Option<&'a EpochReport>,
    pub(super) seconds: f64,
    /// How long the steps waited for data.
    pub(super) load: Option<DataLoad>,
    /// Whether the targets are normalized.
    pub(super) normalizes_targets: bool,
    pub(super) folder: Option<&'a Path>,
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let &Self { outcome, kept, seconds: duration, load, normalizes_targets, folder } = self;
        let exit = match outcome.exit {
            Exit::Completed => "completed",
            Exit::StoppedEarly { .. } => "stopped early",
            Exit::Interrupted { .. } => "interrupted",
        };
        let epochs = if outcome.epochs == 1 { "epoch" } else { "epochs" };
        let (epoch_count, steps) = (count(outcome.epochs), count(outcome.steps));
        write!(f, "\n{exit} after {epoch_count} {epochs}, {steps} steps, {}", seconds(duration))?;
        if let Some(best) = outcome.best_epoch {
            write!(f, "; the best epoch was {best}")?;
        }
        if let Some(load) = load.filter(|load| load.share() >= 0.02) {
            write!(f, "; {:.0} % of it waiting for data", 100.0 * load.share())?;
        }
        if outcome.scaling.skipped > 0 {
            write!(f, "; skipped {}", count(outcome.scaling.skipped))?;
        }
        if let Some(scale) = outcome.scaling.loss_scale {
            write!(f, "; loss scale {scale}")?;
        }
        let rows = [
            ("training", kept.map(|epoch| &epoch.training)),
            ("validation", outcome.validation.as_ref()),
            ("test", outcome.test.as_ref()),
        ];
        let rows: Vec<_> = rows.into_iter().filter_map(|(part, row)| Some((part, row?))).collect();
        write!(f, "\n\n{}", measures(&rows))?;
        if let Some(epoch) = kept {
            writeln!(f, "\n  training: running average over epoch {}, dropout on", epoch.epoch)?;
        }
        if normalizes_targets {
            writeln!(f, "  {NORMALIZED_LOSS}")?;
        }
        if let Some(confusion) = &outcome.confusion {
            writeln!(
                f,
                "\n  confusion matrix of the test samples: true class (down), predicted class (across)\n"
            )?;
            write!(f, "{}", matrix(confusion))?;
        }
        if let Some(folder) = folder {
            let mut files = Table::new("<<").indented(2);
            for (what, name) in [
                ("model", "model.safetensors"),
                ("metrics", "metrics.jsonl"),
                ("curves", "curves.svg"),
                ("spec", "spec.json"),
            ] {
                files.row([what.to_owned(), folder.join(name).display().to_string()]);
            }
            write!(f, "\n{files}")?;
        }
        Ok(())
    }
}

/// Formats evaluations as a table.
pub(super) fn measures(rows: &[(&str, &Evaluation)]) -> String {
    let metrics: BTreeSet<&str> = rows.iter().flat_map(|(_, row)| row.metrics.keys().copied()).collect();
    let mut table = Table::new("<").indented(2);
    table.row(["", "samples", "loss"].into_iter().chain(metrics.iter().copied()));
    for (part, evaluation) in rows {
        let values =
            metrics.iter().map(|name| metric(evaluation.metrics.get(name).copied().unwrap_or(f64::NAN)));
        let first = [(*part).to_owned(), count(evaluation.samples as u64), metric(evaluation.loss)];
        table.row(first.into_iter().chain(values));
    }
    table.to_string()
}

fn matrix(confusion: &Confusion) -> String {
    let mut table = Table::new("").indented(2);
    let classes = 0..confusion.counts.len();
    let name = |class: usize| match confusion.names.get(class) {
        Some(name) => plain(name, 20),
        None => class.to_string(),
    };
    table.row(std::iter::once(String::new()).chain(classes.clone().map(name)));
    for (class, row) in classes.zip(&confusion.counts) {
        let cells =
            row.iter().map(|&samples| if samples == 0 { "·".to_owned() } else { samples.to_string() });
        table.row(std::iter::once(name(class)).chain(cells));
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::trainer::Scaling;

    #[test]
    fn report_lists_metrics_and_paths() {
        let evaluation = |loss, accuracy, samples| Evaluation {
            loss,
            metrics: BTreeMap::from([("accuracy", accuracy)]),
            confusion: None,
            samples,
        };
        let outcome = Outcome {
            exit: Exit::StoppedEarly { best_epoch: 4 },
            steps: 1200,
            epochs: 12,
            best_epoch: Some(4),
            scaling: Scaling { loss_scale: Some(512.0), skipped: 3, ..Scaling::default() },
            validation: Some(evaluation(0.2210, 0.9511, 180)),
            test: Some(evaluation(0.2305, 0.9444, 180)),
            confusion: Some(Confusion {
                counts: vec![vec![90, 2], vec![0, 88]],
                names: vec!["cat".to_owned(), "dog".to_owned()],
            }),
        };
        let kept = EpochReport {
            epoch: 4,
            step: 400,
            training: evaluation(0.3121, 0.9312, 1437),
            validation: None,
            lr: 1e-3,
            is_best: true,
        };
        let expected = "
stopped early after 12 epochs, 1,200 steps, 12.3 s; the best epoch was 4; skipped 3; loss scale 512

              samples    loss  accuracy
  training      1,437  0.3121    0.9312
  validation      180  0.2210    0.9511
  test            180  0.2305    0.9444

  training: running average over epoch 4, dropout on

  confusion matrix of the test samples: true class (down), predicted class (across)

       cat  dog
  cat   90    2
  dog    ·   88

  model    runs/digits/1/model.safetensors
  metrics  runs/digits/1/metrics.jsonl
  curves   runs/digits/1/curves.svg
  spec     runs/digits/1/spec.json
";
        let folder = Some(Path::new("runs/digits/1"));
        let report = |normalizes_targets| {
            let (outcome, kept) = (&outcome, Some(&kept));
            Report { outcome, kept, seconds: 12.34, load: None, normalizes_targets, folder }.to_string()
        };
        assert_eq!(report(false), expected);
        let running = "dropout on\n";
        let noted = expected.replace(running, &format!("{running}  {NORMALIZED_LOSS}\n"));
        assert_eq!(report(true), noted);
    }
}
