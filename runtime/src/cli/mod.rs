//! The generated program's command line.
//!
//! ```text
//! digits [train]                     train and write runs/digits/<time>
//! digits check                       run every check before the first step and print advice
//! digits --resume [RUN]              resume an interrupted run
//! digits eval MODEL.safetensors      evaluate a trained model
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
mod interrupted;
mod plot;
mod progress;
mod record;
mod report;
mod search_result;
mod signals;

use std::error::Error as _;
use std::io::{ErrorKind, IsTerminal, Write};

use serde_json::json;

use self::advice::Checked;
use self::arguments::{Arguments, Changes, Check, Command, Eval, FindLr, Schedule, Train};
use self::curve::Curve;
use self::interrupted::Interrupted;
use self::progress::{Head, Progress};
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
    Train { changes, out: folder, resume, allow_spec_change, quiet }: Train,
    out: &mut dyn Write,
    is_terminal: bool,
) -> Result<()> {
    let mut training = changed(training, changes)?;
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
    let head = Head::new(name, <M as Config>::NAME, parameters, training.settings()?);
    let mut progress = Progress::new(head, out, is_terminal);
    let run = training.run_with(&mut progress);
    let (kept, seconds) = progress.close();
    let run = run?;
    let folder = run.folder.as_deref();
    if let Err(interrupted) = ended(&run.outcome) {
        let program = std::env::args_os().next().unwrap_or_else(|| name.into());
        let (outcome, program) = (&run.outcome, &*program.to_string_lossy());
        let allowed = &allow_spec_change;
        say(out, &Interrupted { outcome, program, folder, changes: &changes, allowed }.to_string())?;
        return Err(interrupted);
    }
    say(out, &Report { outcome: &run.outcome, kept: kept.as_ref(), seconds, folder }.to_string())
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
    Check { changes, out: folder }: Check,
    out: &mut dyn Write,
) -> Result<()> {
    let mut training = changed(training, changes)?;
    if let Some(folder) = folder {
        training = training.out(folder);
    }
    let parameters = training.graph()?.trained_elements();
    let head = Head::new(training.name(), <M as Config>::NAME, parameters, training.settings()?);
    let check = training.check()?;
    say(out, &format!("{}{}", head.text(&check.plan, threads()), Checked(&check)))
}

/// The number of threads of a run.
fn threads() -> usize {
    candle_core::utils::get_num_threads()
}

fn eval<M: Model>(training: Experiment<M>, arguments: Eval, out: &mut dyn Write) -> Result<()> {
    let Eval { model: path, part, changes } = arguments;
    let mut training = changed(training, changes)?;
    let model = training.load(&path)?;
    let seed = training.split_seed(&model)?;
    let evaluation = training.evaluate(&model, part.indices())?;
    let head = format!("{} on the {} data, seed {seed}\n\n", path.display(), part.name());
    say(out, &(head + &report::measures(&[(part.name(), &evaluation)])))
}

fn schedule<M: Model>(
    training: Experiment<M>,
    Schedule { svg, changes }: Schedule,
    out: &mut dyn Write,
) -> Result<()> {
    svg.as_deref().map_or(Ok(()), check_output)?;
    let mut training = changed(training, changes)?;
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
    FindLr { from, to, steps, svg, changes }: FindLr,
    out: &mut dyn Write,
) -> Result<()> {
    svg.as_deref().map_or(Ok(()), check_output)?;
    let mut training = changed(training, changes)?;
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

/// Prints lines with control characters escaped. A closed pipe is not an error. Text from a file also goes through
/// [`plain`], so that it cannot look like a line of this program.
fn say(out: &mut dyn Write, text: &str) -> Result<()> {
    print(out, &plain_lines(text))
}

/// Prints text without escaping.
fn print(out: &mut dyn Write, text: &str) -> Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::File { path: "standard output".into(), source: error })
        }
        _ => Ok(()),
    }
}

/// Formats an error and its sources on one line, without repetition. Control characters are escaped, since the text may
/// come from a file.
fn sentence(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text += ": ";
            text += &words;
        }
        source = cause.source();
    }
    plain(&text, usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::experiment;

    fn program(line: &str) -> Result<String> {
        let mut out = Vec::new();
        let command = Arguments::read("line", "", line.split_whitespace().map(Into::into)).unwrap();
        run(experiment(), command, &mut out, false)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn train_reports_progress_and_result() {
        let folder = tempfile::tempdir().unwrap();
        let text = program(&format!("line --epochs 2 --out {}", folder.path().display())).unwrap();
        assert!(text.starts_with("line: Line, 6 parameters, AdamW at 1.00e-3, seed 0, cpu with "), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("epoch ")).count(), 2, "{text}");
        assert!(text.contains("\ncompleted after 2 epochs, "), "{text}");
        assert!(text.contains("model.safetensors"), "{text}");
    }

    #[test]
    fn resume_reports_its_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().display();
        program(&format!("line -q --epochs 2 --out {out}")).unwrap();
        let text = program(&format!("line --resume --epochs 2 --out {out}")).unwrap();
        assert!(text.starts_with("resuming from ") && text.contains("step-00000010\n\nline: Line"), "{text}");
        assert!(text.contains("\ncompleted after 2 epochs, 10 steps"), "{text}");
        let problem = program(&format!("line --resume --out {out}")).unwrap_err().to_string();
        assert!(problem.contains("`epochs` was 2, is 3; "), "{problem}");
        let text = program(&format!("line --resume --allow-spec-change epochs --out {out}")).unwrap();
        assert!(text.contains("step-00000010\nchanged: `epochs` was 2, is 3\n\nline: "), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("epoch ")).count(), 1, "{text}");
        let run = std::fs::read_dir(folder.path().join("line")).unwrap().next().unwrap().unwrap().path();
        std::fs::write(run.join("checkpoints/step-00000015/state.json"), "{}").unwrap();
        let text = program(&format!("line --resume {} --allow-spec-change epochs", run.display())).unwrap();
        let words = "skipped: step-00000015 is damaged: `state.json` has changed since it was written";
        assert!(text.starts_with(words), "{text}");
        let problem = program(&format!("line --resume {} --out {out}", run.display())).unwrap_err();
        assert!(problem.to_string().contains("remove `--out`"), "{problem}");
    }

    #[test]
    fn verify_diff_and_replay_read_run_folder() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().display();
        program(&format!("line -q --seed 3 --out {out}")).unwrap();
        program(&format!("line -q --seed 4 --out {out}")).unwrap();
        let mut runs: Vec<_> = std::fs::read_dir(folder.path().join("line"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        runs.sort_by_key(|run| run.display().to_string().len());
        let [one, other] = runs.as_slice() else { panic!("{runs:?}") };

        let text = program(&format!("line verify {}", one.display())).unwrap();
        assert!(text.starts_with("comparing ") && text.contains(" from the start\n"), "{text}");
        for words in [
            "the same bit for bit: ",
            "steps        1 to 15",
            "at 3 steps",
            "checkpoints  10, 15",
            "final model  the same",
        ] {
            assert!(text.contains(words), "`{words}` is not in: {text}");
        }
        let text = program(&format!("line verify {} --from 10 -q", one.display())).unwrap();
        assert_eq!(text, "");
        let problem = program(&format!("line verify {} --from 3", one.display())).unwrap_err().to_string();
        assert!(
            problem.contains("no checkpoint of step 3; expected one of 10, 15, or the start"),
            "{problem}"
        );

        let text = program(&format!("line diff {} {}", one.display(), other.display())).unwrap();
        for words in [
            "started with seed=",
            "\nspec\n  seed: ",
            "\nenvironment  the same\n",
            "differ first at step 1: ",
        ] {
            assert!(text.contains(words), "`{words}` is not in: {text}");
        }
        let text = program(&format!("line diff {0} {0}", one.display())).unwrap();
        assert!(text.ends_with("the runs are the same bit for bit\n"), "{text}");

        let file = folder.path().join("ten");
        let line = format!("line replay {} --to 10 --out {}", one.display(), file.display());
        assert!(program(&line).unwrap().contains("the model after step 10: "));
        let checkpoint = one.join("checkpoints/step-00000010/model.safetensors");
        assert!(std::fs::read(&file).unwrap() == std::fs::read(checkpoint).unwrap());
        assert!(program(&line).unwrap_err().to_string().contains("the file exists"));
        let problem = program(&format!("line replay {} --to 16", one.display())).unwrap_err().to_string();
        assert!(problem.contains("no step 16; expected a step from 1 to 15"), "{problem}");
    }

    #[test]
    fn find_lr_suggests_learning_rate_and_draws_curve() {
        let folder = tempfile::tempdir().unwrap();
        let svg = folder.path().join("found.svg");
        let text = program(&format!("line find-lr --from 1e-4 --to 100 --steps 60 --svg {}", svg.display()))
            .unwrap();
        assert!(text.starts_with("line: AdamW, "), "{text}");
        assert!(text.contains("  suggested"), "{text}");
        assert!(std::fs::read_to_string(svg).unwrap().contains("line: loss against learning rate"));
        let wrong = program("line find-lr --from 1 --to 0.5").unwrap_err().to_string();
        assert!(wrong.contains("to is 0.5; expected a learning rate above `from`, 1"), "{wrong}");
    }

    #[test]
    fn quiet_flag_prints_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(program(&format!("line train -q --out {}", folder.path().display())).unwrap(), "");
    }

    #[test]
    fn eval_uses_split_of_training_run() {
        let out = tempfile::tempdir().unwrap();
        let folder = experiment().out(out.path()).seed(7).run().unwrap().folder.unwrap();
        let model = folder.join("model.safetensors");
        let text = program(&format!("line eval {} --part train", model.display())).unwrap();
        assert!(text.contains("on the training data, seed 7\n"), "{text}");
        // The location of the file does not matter.
        let elsewhere = out.path().join("copy");
        std::fs::copy(&model, &elsewhere).unwrap();
        let text = program(&format!("line eval {}", elsewhere.display())).unwrap();
        assert!(text.contains("on the test data, seed 7\n"), "{text}");
        let text = program(&format!("line eval {} --seed 8", elsewhere.display())).unwrap();
        assert!(text.contains("on the test data, seed 8\n"), "{text}");
    }

    #[test]
    fn spec_and_summary_do_not_open_data() {
        let spec: serde_json::Value =
            serde_json::from_str(&program("line spec --set optimizer.lr=0.5").unwrap()).unwrap();
        assert_eq!(spec["spec"]["optimizer"]["lr"], 0.5);
        assert_eq!(spec["hash"], hash(&spec["spec"]));
        assert!(program("line summary --set batch=7").unwrap().contains("[7, 3]"));
    }

    /// Two spellings of a value give the same spec.
    #[test]
    fn equal_values_have_equal_spec_hash() {
        let hash = |set: &str| {
            let spec: serde_json::Value =
                serde_json::from_str(&program(&format!("line spec --set {set}")).unwrap()).unwrap();
            spec["hash"].as_str().unwrap().to_owned()
        };
        for spellings in [
            ["optimizer.weight_decay=-0", "optimizer.weight_decay=0", "optimizer.weight_decay=-0.0"],
            ["optimizer.lr=.001", "optimizer.lr=1e-3", "optimizer.lr=+0.0010"],
            ["optimizer.lr=1.", "optimizer.lr=1", "optimizer.lr=+1e0"],
            ["batch=+8", "batch=8", "batch=08"],
        ] {
            let hashes: std::collections::BTreeSet<_> = spellings.map(hash).into_iter().collect();
            assert_eq!(hashes.len(), 1, "{spellings:?}");
        }
        let error = program("line --set seed=-1").unwrap_err();
        assert!(sentence(&error).contains("expected a whole number, 0 or more"), "{}", sentence(&error));
    }

    #[test]
    fn schedule_command_draws_without_training() {
        let out = tempfile::tempdir().unwrap();
        let file = out.path().join("rates.svg");
        let line = format!("line schedule --set optimizer.lr=0.02 --svg {}", file.display());
        let text = program(&line).unwrap();
        // 18 samples in batches of 4 are 5 steps per epoch.
        assert!(text.starts_with("line: AdamW at 2.00e-2; 15 steps, 5 per epoch\n"), "{text}");
        assert!(text.contains("  Constant           1         15   2.00e-2  2.00e-2\n"), "{text}");
        assert!(std::fs::read_to_string(file).unwrap().contains("line: learning rate"));
        assert!(program("line schedule --svg /proc/no/rates.svg").is_err());
    }

    #[test]
    fn set_option_errors_name_the_key() {
        let error = program("line --set optimizer.lr=-1").unwrap_err();
        assert_eq!(sentence(&error), "optimizer.lr: AdamW: lr is -1; expected a number above 0");
        let error = program("line --set optimizer.lrr=1").unwrap_err();
        assert!(
            sentence(&error).contains("unknown key `lrr`; did you mean `lr`? expected one of"),
            "{error}"
        );
        let error = program("line --set precison=F32").unwrap_err();
        let said = sentence(&error);
        assert!(
            said.starts_with(
                "precison: unknown key `precison`; did you mean `precision`? expected one of accumulate, "
            ),
            "{said}"
        );
    }

    #[test]
    fn control_characters_in_keys_are_escaped() {
        let key = "optimizer.lr\u{1b}[2J\n";
        let error = experiment().set(key, "1").map(|_| ()).unwrap_err();
        assert!(sentence(&error).contains("lr\\u{1b}[2J\\n"), "{}", sentence(&error));
        assert!(!sentence(&error).contains(char::is_control));
    }

    /// An exit, a key and its value that were written to mislead the reader.
    #[test]
    fn control_characters_in_run_folder_are_escaped() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        program(&format!("line -q --seed 3 --out {}", out.display())).unwrap();
        let run = std::fs::read_dir(out.join("line")).unwrap().next().unwrap().unwrap().path();
        let path = run.join("manifest.json");
        let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        manifest["exit"] = json!("completed\u{1b}[2J\u{202e}\nthe runs are the same bit for bit");
        manifest["overrides"] = json!([{ "key": "seed\u{9b}31m", "value": "3\r4" }]);
        manifest["threads"] = json!(77);
        manifest["device"] = json!("cpu\u{2066}\u{7}");
        std::fs::write(&path, manifest.to_string()).unwrap();
        program(&format!("line -q --seed 4 --out {}", out.display())).unwrap();
        let newest = crate::run_dir::newest(out, "line").unwrap();
        let text = program(&format!("line diff {} {}", run.display(), newest.display())).unwrap();
        for words in [
            "completed\\u{1b}[2J\\u{202e}\\nthe runs are the same bit for bit\n",
            "started with seed\\u{9b}31m=3\\r4\n",
            "device: \"cpu\\u{2066}",
        ] {
            assert!(text.contains(words), "`{words}` is not in: {text}");
        }
        let is_shown = |letter: char| letter == '\n' || !(letter.is_control() || letter == '\u{202e}');
        assert!(text.chars().all(is_shown) && !text.contains('\u{2066}'), "{text}");
        // The keys of the run are invalid; the error escapes them, too.
        let problem = sentence(&program(&format!("line verify {}", run.display())).unwrap_err());
        assert!(problem.contains("seed\\u{9b}31m"), "{problem}");
    }

    /// The output path is checked before the work.
    #[test]
    fn output_path_is_checked_before_computing() {
        for line in ["find-lr --svg", "schedule --svg", "export x.safetensors --out"] {
            let folder = tempfile::tempdir().unwrap();
            let problem =
                program(&format!("line {line} {}", folder.path().display())).unwrap_err().to_string();
            assert!(problem.ends_with("this is a folder; pass a file name"), "{problem}");
        }
    }

    #[test]
    fn exported_model_evaluates_like_original() {
        let out = tempfile::tempdir().unwrap();
        let folder = experiment().out(out.path()).run().unwrap().folder.unwrap();
        let file = out.path().join("exported.safetensors");
        let text = program(&format!("line export {} --out {}", folder.display(), file.display())).unwrap();
        assert!(text.contains("  3 tensors with 9 values; inputs are not normalized\n"), "{text}");
        assert!(text.ends_with("exported.safetensors\n"), "{text}");
        let measured = |path: &std::path::Path| {
            let text = program(&format!("line eval {}", path.display())).unwrap();
            text.split_once('\n').unwrap().1.to_owned()
        };
        assert_eq!(measured(&file), measured(&folder.join("model.safetensors")));
        let model = folder.join("model.safetensors");
        let problem = program(&format!("line export {} --out {0}", model.display())).unwrap_err().to_string();
        assert!(problem.contains("is the model to export; choose another file"), "{problem}");
    }

    #[test]
    fn missing_model_file_is_named_once() {
        let text = sentence(&program("line eval nowhere.safetensors").unwrap_err());
        assert!(text.starts_with("nowhere.safetensors: "), "{text}");
        assert_eq!(text.matches("No such file").count(), 1, "{text}");
    }
}
