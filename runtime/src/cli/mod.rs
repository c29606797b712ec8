//! The generated program's command line.
//!
//! ```text
//! digits [train] [--data FILE]       train and write runs/digits/<time>
//! digits check                       run every check before the first step and print advice
//! digits --resume [RUN]              resume an interrupted run
//! digits eval MODEL.safetensors      evaluate a trained model
//! digits folds --k 5                 train each fold of a cross-validation and print the results
//! digits export [RUN] --out FILE     write a model for other programs
//! digits summary                     show the model layer by layer
//! digits schedule [--svg FILE.svg]   plot the learning rate of every step
//! digits find-lr [--svg FILE.svg]    run a learning-rate range test
//! digits spec                        print the full spec with its hash
//! digits verify RUN [--from STEP]    re-run a run and compare it with its folder
//! digits diff RUN RUN                compare two runs
//! digits replay RUN --to STEP        write the model as it was after a step
//! ```
//!
//! This module is the only one that prints.

mod advice;
mod arguments;
mod curve;
mod export;
mod folds;
mod interrupted;
mod plot;
mod progress;
mod record;
mod report;
mod search_result;
mod signals;

use std::io::{ErrorKind, IsTerminal, Write};

use serde_json::json;

use self::advice::Checked;
use self::arguments::{Arguments, Changes, Check, Command, Data, Eval, FindLr, Part, Schedule, Train};
use self::curve::Curve;
use self::interrupted::Interrupted;
use self::progress::{Head, NORMALIZED_LOSS, Progress};
use self::report::Report;
use self::search_result::Found;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::experiment::memory::summary;
use crate::files::{check_output, pretty, write_output};
use crate::format::{plain, plain_lines};
use crate::interrupt::Interrupt;
use crate::model::Model;
use crate::optim::Groups;
use crate::run_dir::{draw_rates, draw_search};
use crate::spec::hash;
use crate::trainer::{Exit, Outcome, RateSearch};

/// Runs the command line of a declared run.
///
/// On an error it prints one line to standard error and exits the process: with code 2 if the command line is invalid,
/// with code 1 for every other error.
///
/// Ctrl-C (SIGINT), SIGTERM and SIGHUP request an [`Interrupt`]: a run saves its state and prints how to resume it, and
/// the process exits with 130, 143 or 129. A second signal exits immediately.
///
/// # Errors
/// Currently none; the `Result` lets a program's `main` use `?` next to this call.
pub fn main<M: Model>(training: Experiment<M>) -> Result<()> {
    let command = match Arguments::read(training.name(), training.about(), std::env::args_os()) {
        Ok(command) => command,
        Err(error) => error.exit(),
    };
    // Not locked: the progress bar draws on it from another thread.
    let mut stdout = std::io::stdout();
    let is_terminal = stdout.is_terminal();
    let interrupt = Interrupt::new();
    if command.works_for_long()
        && let Err(error) = signals::listen(&interrupt)
    {
        let _ = writeln!(std::io::stderr(), "note: a signal will stop the program without saving: {error}");
    }
    // Of several processes, the first one prints, and the one whose error it is.
    let is_first = training.world().is_first();
    let mut sink = std::io::sink();
    let out: &mut dyn Write = if is_first { &mut stdout } else { &mut sink };
    if let Err(error) = run(training.interrupted_by(&interrupt), command, out, is_terminal && is_first) {
        let (text, code) = match &error {
            Error::Interrupted(cause) => (error.to_string(), cause.exit_code()),
            _ => (format!("error: {}", sentence(&error)), 1),
        };
        if is_first || !matches!(error, Error::Interrupted(_) | Error::Process { .. }) {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
        std::process::exit(code);
    }
    Ok(())
}

fn run<M: Model>(
    training: Experiment<M>,
    command: Command,
    out: &mut dyn Write,
    is_terminal: bool,
) -> Result<()> {
    match command {
        Command::Train(arguments) => train(training, arguments, out, is_terminal),
        Command::Check(arguments) => check(training, arguments, out),
        Command::Eval(arguments) => eval(training, arguments, out),
        Command::Folds(arguments) => folds::folds(training, arguments, out, is_terminal),
        Command::Export(arguments) => export::export(&training, &arguments, out),
        Command::Summary(changes) => {
            let mut training = changed(training, changes)?;
            let graph = training.graph()?;
            let settings = training.settings()?;
            let optimizer = &*settings.optimizer;
            let rate = settings.base_rate();
            let treatments = Groups(&settings.groups).treatments(&graph.parameters, optimizer, rate)?;
            let summary = summary(&graph, settings, settings.batch);
            say(out, &summary.with_treatments(&graph, &treatments, rate).to_string())
        }
        Command::Verify(arguments) => record::verify(training, arguments, out, is_terminal),
        Command::Diff(arguments) => record::compare(&arguments, out),
        Command::Replay(arguments) => record::replay(training, arguments, out, is_terminal),
        Command::Schedule(arguments) => schedule(training, arguments, out),
        Command::FindLr(arguments) => find_lr(training, arguments, out),
        Command::Spec(changes) => {
            let mut training = changed(training, changes)?;
            let spec = training.spec()?;
            let settings = training.settings()?;
            let mut shown = json!({ "hash": hash(&spec), "spec": spec });
            if settings.base_rate().to_bits() != settings.optimizer.lr().to_bits() {
                shown["scaled_lr"] = json!(settings.base_rate());
            }
            // JSON for other programs, without text from files.
            print(out, &pretty(&shown))
        }
    }
}

fn train<M: Model>(
    training: Experiment<M>,
    Train { changes, out: folder, resume, allow_spec_change, quiet, data }: Train,
    out: &mut dyn Write,
    is_terminal: bool,
) -> Result<()> {
    let mut training = with_data(changed(training, changes)?, data);
    if let Some(folder) = folder {
        if let Some(Some(run)) = &resume {
            let problem = format!("a run is resumed in its own folder, {}; remove `--out`", run.display());
            return Err(Error::Setting { key: "out".to_owned(), problem });
        }
        training = training.out(folder);
    }
    training = match resume {
        None => training,
        Some(None) => training.resume_newest(),
        Some(Some(run)) => training.resume(run),
    };
    for key in &allow_spec_change {
        training = training.allow_spec_change(key.trim());
    }
    let changes = training.overrides().to_vec();
    if quiet {
        return ended(&training.run()?.outcome);
    }
    let parameters = training.graph()?.trained_elements();
    let name = training.name();
    let other = training.other_data_file()?;
    let head = Head::new(name, <M as Config>::NAME, parameters, training.settings()?).with_data(other);
    let mut progress = Progress::new(head, out, is_terminal);
    let run = training.run_with(&mut progress);
    let (kept, seconds, load) = progress.close();
    let run = run?;
    let folder = run.folder.as_deref();
    if let Err(interrupted) = ended(&run.outcome) {
        let program = std::env::args_os().next().unwrap_or_else(|| name.into());
        let (outcome, program) = (&run.outcome, &*program.to_string_lossy());
        let allowed = &allow_spec_change;
        say(out, &Interrupted { outcome, program, folder, changes: &changes, allowed }.to_string())?;
        return Err(interrupted);
    }
    let normalizes_targets = !run.model.target_normalizers().is_empty();
    let (outcome, kept) = (&run.outcome, kept.as_ref());
    say(out, &Report { outcome, kept, seconds, load, normalizes_targets, folder }.to_string())
}

/// Returns an error if the run was interrupted.
fn ended(outcome: &Outcome) -> Result<()> {
    match outcome.exit {
        Exit::Interrupted { cause } => Err(Error::Interrupted(cause)),
        _ => Ok(()),
    }
}

fn check<M: Model>(
    training: Experiment<M>,
    Check { changes, data, out: folder }: Check,
    out: &mut dyn Write,
) -> Result<()> {
    let mut training = with_data(changed(training, changes)?, data);
    if let Some(folder) = folder {
        training = training.out(folder);
    }
    let parameters = training.graph()?.trained_elements();
    let other = training.other_data_file()?;
    let head =
        Head::new(training.name(), <M as Config>::NAME, parameters, training.settings()?).with_data(other);
    let check = training.check()?;
    say(out, &format!("{}{}", head.text(&check.plan, threads()), Checked(&check)))
}

/// The number of threads of a run.
fn threads() -> usize {
    candle_core::utils::get_num_threads()
}

fn eval<M: Model>(training: Experiment<M>, arguments: Eval, out: &mut dyn Write) -> Result<()> {
    let Eval { model: path, part, changes, data } = arguments;
    let mut training = with_data(changed(training, changes)?, data);
    if part != Part::Test {
        training = training.with_fold_of(&path);
    }
    let model = training.load(&path)?;
    let seed = training.split_seed(&model)?;
    let normalizes_targets = !model.target_normalizers().is_empty();
    let evaluation = training.evaluate(&model, part.indices())?;
    let head = format!("{} on the {} data, seed {seed}\n\n", path.display(), part.name());
    let note = if normalizes_targets { format!("\n  {NORMALIZED_LOSS}\n") } else { String::new() };
    say(out, &(head + &report::measures(&[(part.name(), &evaluation)]) + &note))
}

fn schedule<M: Model>(
    training: Experiment<M>,
    Schedule { svg, changes, data }: Schedule,
    out: &mut dyn Write,
) -> Result<()> {
    svg.as_deref().map_or(Ok(()), check_output)?;
    let mut training = with_data(changed(training, changes)?, data);
    let schedule = training.schedule()?;
    let name = training.name();
    let curve = Curve { name, settings: training.settings()?, schedule: &schedule };
    say(out, &curve.to_string())?;
    let Some(path) = svg else { return Ok(()) };
    // More points than a plot has columns, however long the run is.
    let (steps, most) = (schedule.steps(), 100_000);
    let places = (0..steps).step_by(steps.div_ceil(most) as usize).chain([steps - 1]);
    let picture = draw_rates(name, places.map(|k| (k + 1, schedule.rate(k))));
    write_output(&path, picture.as_bytes())?;
    say(out, &format!("\n  {}\n", path.display()))
}

fn find_lr<M: Model>(
    training: Experiment<M>,
    FindLr { from, to, steps, svg, changes, data }: FindLr,
    out: &mut dyn Write,
) -> Result<()> {
    svg.as_deref().map_or(Ok(()), check_output)?;
    let mut training = with_data(changed(training, changes)?, data);
    let name = training.name();
    let settings = training.settings()?;
    let (optimizer, usual) = (settings.optimizer.name(), settings.optimizer.usual_rates());
    let curve = training.find_rate(RateSearch { from, to, steps })?;
    say(out, &Found { name, optimizer, usual, curve: &curve }.to_string())?;
    let Some(path) = svg else { return Ok(()) };
    write_output(&path, draw_search(name, &curve).as_bytes())?;
    say(out, &format!("\n  {}\n", path.display()))
}

fn changed<M: Model>(mut training: Experiment<M>, changes: Changes) -> Result<Experiment<M>> {
    for (key, value) in changes.keys() {
        training = training.set(&key, &value)?;
    }
    Ok(training)
}

fn with_data<M: Model>(training: Experiment<M>, Data { file }: Data) -> Experiment<M> {
    match file {
        Some(file) => training.data_file(file),
        None => training,
    }
}

/// Prints lines with control characters escaped. A closed pipe is not an error. Text from a file also goes through
/// [`plain`], so that it cannot look like a line of this program.
fn say(out: &mut dyn Write, text: &str) -> Result<()> {
    print(out, &plain_lines(text))
}

/// Prints text without escaping.
fn print(out: &mut dyn Write, text: &str) -> Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::File { path: "standard output".into(), cause: error })
        }
        _ => Ok(()),
    }
}

/// Formats an error on one line; its text includes that of its cause. Control characters are escaped, since the text may come from a
/// file.
fn sentence(error: &Error) -> String {
    plain(&error.to_string(), usize::MAX)
}

#[cfg(test)]
mod tests;
