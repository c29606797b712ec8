//! The commands that look at the records of runs: `verify`, `diff` and `replay`.

use std::fmt::{Display, Formatter};
use std::io::Write;
use std::path::PathBuf;

use super::arguments::{Diff, Replay, Verify};
use super::progress::{Head, Progress};
use super::say;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::files::check_output;
use crate::format::Table;
use crate::format::{count, metric, plain};
use crate::model::Model;
use crate::run_dir::{Change, Comparison, Verified, diff};

/// Makes a run again and says whether it is what is on record; if it is not, that is an error.
pub(super) fn verify<M: Model>(
    mut training: Experiment<M>,
    Verify { run, from, quiet }: Verify,
    out: &mut dyn Write,
    is_terminal: bool,
) -> Result<()> {
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

/// Says in what two runs differ.
pub(super) fn compare(Diff { runs }: &Diff, out: &mut dyn Write) -> Result<()> {
    let [one, other] = runs.as_slice() else { return Err(Error::Internal("`diff` is not given two runs")) };
    say(out, &Compared(&diff(one, other)?).to_string())
}

/// Writes the model as it was at a step.
pub(super) fn replay<M: Model>(
    mut training: Experiment<M>,
    Replay { run, to, average, out: file, quiet }: Replay,
    out: &mut dyn Write,
    is_terminal: bool,
) -> Result<()> {
    let file = file.unwrap_or_else(|| {
        PathBuf::from(format!(
            "{}-step-{to:08}{}.safetensors",
            training.name(),
            if average { "-average" } else { "" }
        ))
    });
    // A link that leads nowhere is there, too.
    if file.symlink_metadata().is_ok() {
        let source = std::io::Error::other("there already; give another place with `--out`, or remove it");
        return Err(Error::File { path: file, source });
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
            problem: "the run keeps no average of its weights; remove `--average`".to_owned(),
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

/// What was verified, or where the runs part.
struct Shown<'a>(&'a Verified);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Verified { folder, from, to, traced, checkpoints, model, exit, first, parameter, .. } = self.0;
        writeln!(f)?;
        if let Some(first) = first {
            writeln!(f, "different from step {} on:\n\n  {}", first.step, word(&first.to_string()))?;
            match parameter {
                Some(parameter) if parameter == first => {}
                Some(parameter) => writeln!(f, "  {}", word(&parameter.to_string()))?,
                None => writeln!(f, "  no parameter differs at a step of which there are hashes")?,
            }
            return Ok(());
        }
        if to == from {
            return writeln!(f, "nothing is on record behind step {from} of {}", folder.display());
        }
        writeln!(f, "the same bit for bit: {}\n", folder.display())?;
        let mut table = Table::new("<<").indented(2);
        table.row(["steps".to_owned(), format!("{} to {}", count(from + 1), count(*to))]);
        table.row(["parameters".to_owned(), format!("by their hashes, at {} steps", count(*traced))]);
        let steps: Vec<_> = checkpoints.iter().map(|&step| count(step)).collect();
        let steps = if steps.is_empty() { "none".to_owned() } else { steps.join(", ") };
        table.row(["checkpoints".to_owned(), steps]);
        let end = match (model, exit) {
            (true, _) => "the same".to_owned(),
            (false, Some(exit)) => format!("none to compare: the run ended otherwise ({})", word(exit)),
            (false, None) => "none to compare: the run has not ended by itself".to_owned(),
        };
        table.row(["final model".to_owned(), end]);
        write!(f, "{table}")
    }
}

/// Two runs beside each other.
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
            let exit = word(exits[place].as_deref().unwrap_or("not ended by itself"));
            writeln!(f, "{name:<7}{}, {} steps, {exit}", folders[place].display(), count(steps[place]))?;
            for (key, value) in &overrides[place] {
                writeln!(f, "       with_init with {}={}", word(key), word(value))?;
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
            _ => writeln!(f, "  the same at each step that both have taken")?,
        }
        if !results.is_empty() {
            let mut table = Table::new("<").indented(2);
            table.row(["in the end", "one", "other", "difference"]);
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
        .try_for_each(|Change { key, was, is }| writeln!(f, "  {}: {}, {}", word(key), word(was), word(is)))
}

/// A word out of a run's files, which another may have written.
fn word(text: &str) -> String {
    /// As much as an error may say.
    const MOST: usize = 2000;
    plain(text, MOST)
}
