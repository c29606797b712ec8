//! The commands that read run folders: `verify`, `diff` and `replay`.

use std::fmt::{Display, Formatter};
use std::io::Write;
use std::path::PathBuf;

use super::arguments::{Diff, Replay, Verify};
use super::progress::{Head, Progress};
use super::{say, with_data};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::files::check_output;
use crate::format::Table;
use crate::format::{count, metric, plain};
use crate::model::Model;
use crate::run_dir::{Change, Comparison, Verified, diff};

/// Re-runs a run and compares it with its folder. A difference is an error.
pub(super) fn verify<M: Model>(
    training: Experiment<M>,
    Verify { run, from, quiet, data }: Verify,
    out: &mut dyn Write,
    is_terminal: bool,
) -> Result<()> {
    let mut training = with_data(training, data);
    let verified = if quiet {
        training.verify(&run, from.0)?
    } else {
        let head = head(&mut training)?;
        let mut progress = Progress::new(head, out, is_terminal);
        let verified = training.verify_with(&run, from.0, &mut progress);
        progress.close();
        verified?
    };
    if !quiet {
        say(out, &Shown(&verified).to_string())?;
    }
    match verified.first {
        None => Ok(()),
        Some(difference) => Err(Error::Differs { path: verified.folder, difference: difference.to_string() }),
    }
}

/// Prints the differences of two runs.
pub(super) fn compare(Diff { runs }: &Diff, out: &mut dyn Write) -> Result<()> {
    let [one, other] = runs.as_slice() else { return Err(Error::Internal("`diff` needs two runs")) };
    say(out, &Compared(&diff(one, other)?).to_string())
}

/// Writes the model as it was after a step.
pub(super) fn replay<M: Model>(
    training: Experiment<M>,
    Replay { run, to, average, out: file, quiet, data }: Replay,
    out: &mut dyn Write,
    is_terminal: bool,
) -> Result<()> {
    let mut training = with_data(training, data);
    let file = file.unwrap_or_else(|| {
        PathBuf::from(format!(
            "{}-step-{to:08}{}.safetensors",
            training.name(),
            if average { "-average" } else { "" }
        ))
    });
    // A dangling link counts as a file.
    if file.symlink_metadata().is_ok() {
        let source = std::io::Error::other("the file exists; choose another with `--out`, or remove it");
        return Err(Error::File { path: file, cause: source });
    }
    check_output(&file)?;
    let replayed = if quiet {
        training.replay(&run, to)?
    } else {
        let head = head(&mut training)?;
        let mut progress = Progress::new(head, out, is_terminal);
        let replayed = training.replay_with(&run, to, &mut progress);
        progress.close();
        replayed?
    };
    let model = if average {
        replayed.average.ok_or_else(|| Error::Setting {
            key: "average".to_owned(),
            problem: "the run does not average its weights; remove `--average`".to_owned(),
        })?
    } else {
        replayed.model
    };
    model.save(&file)?;
    if quiet { Ok(()) } else { say(out, &format!("the model after step {to}: {}\n", file.display())) }
}

fn head<M: Model>(training: &mut Experiment<M>) -> Result<Head> {
    let parameters = training.graph()?.trained_elements();
    let name = training.name();
    Ok(Head::new(name, <M as Config>::NAME, parameters, training.settings()?))
}

/// What was verified, or the first difference.
struct Shown<'a>(&'a Verified);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Verified { folder, from, to, traced, checkpoints, model, exit, first, parameter, .. } = self.0;
        writeln!(f)?;
        if let Some(first) = first {
            writeln!(f, "the runs differ from step {} on:\n\n  {}", first.step, word(&first.to_string()))?;
            match parameter {
                Some(parameter) if parameter == first => {}
                Some(parameter) => writeln!(f, "  {}", word(&parameter.to_string()))?,
                None => writeln!(f, "  all recorded parameter hashes are equal")?,
            }
            return Ok(());
        }
        if to == from {
            return writeln!(f, "nothing to compare: {} ends at step {from}", folder.display());
        }
        writeln!(f, "the same bit for bit: {}\n", folder.display())?;
        let mut table = Table::new("<<").indented(2);
        table.row(["steps".to_owned(), format!("{} to {}", count(from + 1), count(*to))]);
        table.row(["parameters".to_owned(), format!("hashes compared at {} steps", count(*traced))]);
        let steps: Vec<_> = checkpoints.iter().map(|&step| count(step)).collect();
        let steps = if steps.is_empty() { "none".to_owned() } else { steps.join(", ") };
        table.row(["checkpoints".to_owned(), steps]);
        let end = match (model, exit) {
            (true, _) => "the same".to_owned(),
            (false, Some(exit)) => format!("none to compare: the run did not complete ({})", word(exit)),
            (false, None) => "none to compare: the run has not finished".to_owned(),
        };
        table.row(["final model".to_owned(), end]);
        write!(f, "{table}")
    }
}

/// A comparison of two runs.
struct Compared<'a>(&'a Comparison);

impl Display for Compared<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Comparison {
            folders,
            exits,
            overrides,
            spec,
            data,
            environment,
            steps,
            first,
            largest,
            results,
            model,
            ..
        } = self.0;
        for (name, place) in [("one", 0), ("other", 1)] {
            let exit = word(exits[place].as_deref().unwrap_or("not finished"));
            writeln!(f, "{name:<7}{}, {} steps, {exit}", folders[place].display(), count(steps[place]))?;
            for (key, value) in &overrides[place] {
                writeln!(f, "       started with {}={}", word(key), word(value))?;
            }
        }
        let data: Vec<_> = data.iter().cloned().collect();
        let model: Vec<_> = model.iter().cloned().collect();
        for (name, changes) in
            [("spec", spec), ("data", &data), ("environment", environment), ("final model", &model)]
        {
            write!(f, "\n{name}")?;
            list(f, changes)?;
        }
        writeln!(f, "\nlosses")?;
        match (first, largest) {
            (Some(first), Some(largest)) => {
                let [one, other] = first.losses;
                writeln!(f, "  differ first at step {}: {one:?} and {other:?}", count(first.step))?;
                let [one, other] = largest.losses;
                writeln!(
                    f,
                    "  differ most at step {}: {one:?} and {other:?}, by {:.3e}",
                    count(largest.step),
                    largest.distance()
                )?;
            }
            _ => writeln!(f, "  equal at every step that both runs have taken")?,
        }
        if !results.is_empty() {
            let mut table = Table::new("<").indented(2);
            table.row(["final", "one", "other", "difference"]);
            for result in results {
                let value = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), metric);
                let [one, other] = result.values;
                let difference = one.zip(other).map(|(one, other)| format!("{:+.3e}", other - one));
                table.row([word(&result.name), value(one), value(other), difference.unwrap_or_default()]);
            }
            write!(f, "\n{table}")?;
        }
        if self.0.is_same() { writeln!(f, "\nthe runs are the same bit for bit") } else { Ok(()) }
    }
}

fn list(f: &mut Formatter<'_>, changes: &[Change]) -> std::fmt::Result {
    if changes.is_empty() {
        return writeln!(f, "  the same");
    }
    writeln!(f)?;
    changes
        .iter()
        .try_for_each(|Change { key, old, new }| writeln!(f, "  {}: {}, {}", word(key), word(old), word(new)))
}

/// Escapes text from the files of a run, which may not be trusted.
fn word(text: &str) -> String {
    /// The longest text that is shown.
    const MOST: usize = 2000;
    plain(text, MOST)
}
