//! The command `folds`: cross-validation.

use std::collections::BTreeSet;
use std::fmt::{Display, Formatter};
use std::io::Write;

use super::arguments::Folds;
use super::progress::{Head, Progress};
use super::{changed, say, with_data};
use crate::config::Config;
use crate::data::Division;
use crate::error::{Error, Result};
use crate::experiment::{CrossValidation, Experiment, Folds as Validation};
use crate::format::Table;
use crate::format::{count, metric};
use crate::model::Model;
use crate::trainer::Event;

/// Trains all folds that are not finished, and prints the results.
pub(super) fn folds<M: Model>(
    training: Experiment<M>,
    Folds { k, changes, out: folder, quiet, data }: Folds,
    out: &mut dyn Write,
    is_terminal: bool,
) -> Result<()> {
    let mut training = with_data(changed(training, changes)?, data);
    if let Some(folder) = folder {
        training = training.out(folder);
    }
    let mut validation = training.folds(usize::try_from(k).unwrap_or(usize::MAX))?;
    if quiet {
        while validation.next_fold().is_some() {
            validation.train_next(&mut |_: &Event<'_>| Ok(()))?;
        }
        return Ok(());
    }
    say(out, &format!("{}\n", Plan(&validation)))?;
    while let Some(fold) = validation.next_fold() {
        say(out, &format!("\nfold {fold} of {}\n\n", validation.count()))?;
        let mut own = validation.experiment(fold)?;
        let (parameters, name, data) = (own.graph()?.trained_elements(), own.name(), own.other_data_file()?);
        let head = Head::new(name, <M as Config>::NAME, parameters, own.settings()?).with_data(data);
        let mut progress = Progress::new(head, out, is_terminal);
        let trained = validation.train_next(&mut progress);
        progress.close();
        if let Err(Error::Interrupted(_)) = &trained {
            say(out, &format!("\ninterrupted in fold {fold}; the same command continues there\n"))?;
        }
        trained?;
    }
    match validation.result() {
        Some(result) => say(out, &Results(&result).to_string()),
        None => Err(Error::Internal("a cross-validation has an unfinished fold")),
    }
}

/// What is divided, and how.
struct Plan<'a, M: Model>(&'a Validation<M>);

impl<M: Model> Display for Plan<'_, M> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let validation = self.0;
        let (k, samples) = (count(validation.count() as u64), count(validation.samples() as u64));
        let how = match validation.division() {
            Division::Classes => "each class divided equally",
            Division::Groups => "the samples of a group in one fold",
            Division::Random => "divided at random",
        };
        write!(f, "{k} folds of {samples} samples, {how}")?;
        if validation.left_out() > 0 {
            write!(f, "; the {} test samples are in no fold", count(validation.left_out() as u64))?;
        }
        Ok(())
    }
}

/// The result of each fold, and the estimates.
struct Results<'a>(&'a CrossValidation);

impl Display for Results<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let CrossValidation { folder, folds, metrics } = self.0;
        // As in the report of a run, the loss comes first.
        let others: BTreeSet<&str> =
            metrics.keys().map(String::as_str).filter(|name| *name != "loss").collect();
        let names: Vec<&str> = std::iter::once("loss").chain(others).collect();
        let mut table = Table::new("<").indented(2);
        table.row(["validation", "samples"].into_iter().chain(names.iter().copied()));
        for (fold, result) in (1..).zip(folds) {
            let values =
                names.iter().map(|name| metric(result.metrics.get(*name).copied().unwrap_or(f64::NAN)));
            table.row([format!("fold {fold}"), count(result.samples)].into_iter().chain(values));
        }
        let mut row = |what: &str, value: fn(&crate::experiment::Estimate) -> f64| {
            let values = names.iter().map(|name| metric(metrics.get(*name).map_or(f64::NAN, value)));
            table.row([what.to_owned(), String::new()].into_iter().chain(values));
        };
        row("mean", |estimate| estimate.mean);
        row("standard deviation", |estimate| estimate.deviation);
        row("95 % interval from", |estimate| estimate.interval[0]);
        row("to", |estimate| estimate.interval[1]);
        writeln!(f, "\n{table}")?;
        writeln!(
            f,
            "  the interval of the mean is that of Student's t with {} degrees of freedom; folds share training samples, so it is \
             somewhat too narrow\n",
            folds.len().saturating_sub(1)
        )?;
        writeln!(f, "  {}", folder.join("folds.json").display())
    }
}
