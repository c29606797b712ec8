//! The property of every spec: a check and a run reject it before its first step with the same message, or it runs to
//! completion on both engines.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use candle_core::Device;
use trainspec::engine::Tape;
use trainspec::layer::Role;
use trainspec::prelude::*;
use trainspec::spec::{Precision, TrainConfig};
use trainspec::trainer::{self, Event, StepReport};
use trainspec::{Error, Experiment};

use super::dice::Dice;
use super::draw::{About, CHANGES};
use trainspec_tests::run_files::every_file as files;

/// A changed key by its index in [`CHANGES`], and the seed of its value.
pub(crate) type Drawn = (usize, u64);

/// The outcome of a spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It was rejected before the first step.
    Refused,
    /// It ran to completion.
    Finished,
    /// Values became infinite or NaN, which no rule can know in advance.
    OutOfRange,
}

/// A declared program of any model.
pub(crate) trait AnyProgram {
    /// Runs the program with these keys changed, on both engines.
    fn judge(&self, changes: &[Drawn]) -> Result<Seen, String>;
    /// Runs the program with one key set to any text.
    fn set_any(&self, seed: u64) -> Result<Seen, String>;
}

/// A program with its declaration.
pub(crate) struct Program<M: 'static>(pub(crate) fn() -> Experiment<M>);

impl<M: Model> AnyProgram for Program<M> {
    fn judge(&self, changes: &[Drawn]) -> Result<Seen, String> {
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge_changed(changes)));
        let judged = judged.unwrap_or_else(|panic| Err(format!("panic: {}", said(&*panic))));
        judged.map_err(|problem| format!("{problem}\nof {}: {}", self.0().name(), self.shown(changes)))
    }

    fn set_any(&self, seed: u64) -> Result<Seen, String> {
        let mut shown = String::new();
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge_text(seed, &mut shown)));
        let judged = judged.unwrap_or_else(|panic| Err(format!("panic: {}", said(&*panic))));
        judged.map_err(|problem| format!("{problem}\nof {} --set {shown}", self.0().name()))
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Returns a fault unless the condition holds.
fn hold(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}

impl<M: Model> Program<M> {
    /// Returns the settings as JSON, whether or not they are valid.
    fn shown(&self, changes: &[Drawn]) -> String {
        let mut json = None;
        let keys: Vec<_> = changes.iter().map(|(key, _)| CHANGES[*key].0).collect();
        let drawn = catch_unwind(AssertUnwindSafe(|| {
            let _ = self.changed(changes, |settings| json = Some(settings.to_json()));
        }));
        format!("{changes:?} {keys:?} {} {drawn:?}", json.unwrap_or_default())
    }

    /// Returns the program with its keys changed, and the error of the first rejected change.
    pub(crate) fn changed(
        &self,
        changes: &[Drawn],
        look: impl FnOnce(&TrainConfig),
    ) -> Result<Experiment<M>, Error> {
        let mut sorted = changes.to_vec();
        sorted.sort_by_key(|(key, _)| *key);
        let mut training = self.0();
        let graph = training.graph()?;
        let trained = graph.parameters.iter().filter(|parameter| parameter.role != Role::Statistic);
        let paths: Vec<String> = trained.map(|parameter| parameter.path.clone()).collect();
        let samples = training.data()?.train().len();
        let mut refused = None;
        let training = training.with_config(|settings| {
            for (key, seed) in sorted {
                let about = About { paths: &paths, samples };
                if let Err(error) = CHANGES[key].1(settings, &mut Dice::new(seed), &about) {
                    refused = Some(error);
                    break;
                }
            }
            look(settings);
        });
        refused.map_or(Ok(training), Err)
    }

    fn judge_changed(&self, changes: &[Drawn]) -> Result<Seen, String> {
        let out = tempfile::tempdir().map_err(|error| error.to_string())?;
        let again = || self.changed(changes, |_| ()).map(|training| training.out(out.path()));
        let training = match again() {
            Ok(training) => training,
            Err(error) => return refused(&error),
        };
        let told = |error: Error| error.to_string();
        let check = again().map_err(told)?.check();

        let (mut first, mut has_started) = (None, false);
        let mut look = |event: &Event<'_>| {
            match event {
                Event::Begin(_) => has_started = true,
                Event::Step(report) if report.step == 1 => first = Some((*report).clone()),
                _ => {}
            }
            Ok(())
        };
        let run = training.run_with(&mut look);
        let run = match run {
            Err(error) if !has_started => {
                let (check, error_text) = (check.err().map(|error| error.to_string()), error.to_string());
                hold(check.as_ref() == Some(&error_text), || {
                    format!("a run says `{error_text}`, a check {check:?}")
                })?;
                // A rejected run leaves no files.
                hold(fs::read_dir(out.path()).is_ok_and(|mut entries| entries.next().is_none()), || {
                    format!("`{error_text}`, but there is a folder")
                })?;
                return refused(&error);
            }
            run => run,
        };
        let check = check.map_err(|error| format!("a check says `{error}`, but the run begins"))?;
        Self::reads_back(&again)?;
        let spans = again().and_then(|mut training| training.schedule()).map_err(told)?.spans();
        let ends = spans
            .iter()
            .scan(0, |end, span| (span.first == *end + 1).then(|| std::mem::replace(end, span.last)));
        let fills =
            ends.count() == spans.len() && spans.last().is_some_and(|span| span.last == check.plan.steps);
        hold(fills, || format!("the phases do not fill the {} steps: {spans:?}", check.plan.steps))?;
        let on_tape = by_tape(again().map_err(told)?)?;
        let run = match (run, on_tape) {
            (Ok(run), on_tape) => {
                if let Err(error) = &on_tape.ended {
                    // In 16 bits, rounding decides what is just out of range.
                    let is_f32 = on_tape.format == Precision::F32;
                    hold(!is_f32, || format!("one engine ends with `{error}`, the other does not"))?;
                    return out_of_range(error);
                }
                agree(first.as_ref(), &on_tape)?;
                run
            }
            (Err(error), _) => return out_of_range(&error),
        };
        let is_whole = run.outcome.exit != trainer::Exit::Completed || run.outcome.steps == check.plan.steps;
        hold(is_whole, || format!("{:?} instead of {:?}", run.outcome, check.plan))?;
        if let Some(folder) = run.folder {
            Self::resumes(&again, &folder, changes.iter().fold(0, |sum, (_, seed)| sum ^ seed))?;
        }
        Ok(Seen::Finished)
    }

    /// Asserts that each key round-trips through JSON.
    fn reads_back(again: &impl Fn() -> Result<Experiment<M>, Error>) -> Result<(), String> {
        let told = |error: Error| format!("the settings do not come back from JSON: {error}");
        let mut training = again().map_err(told)?;
        let json = training.settings().map_err(told)?.to_json();
        for (key, value) in json.as_object().into_iter().flatten() {
            if (key == "epochs" || key == "steps") && value.is_null() {
                continue;
            }
            training = training.set(key, &value.to_string()).map_err(told)?;
        }
        let back = training.settings().map_err(told)?.to_json();
        hold(back == json, || format!("{json} comes back as {back}"))
    }

    /// Asserts that a run stopped after one of its checkpoints and resumed leaves the same files.
    fn resumes(
        again: &impl Fn() -> Result<Experiment<M>, Error>,
        whole: &Path,
        seed: u64,
    ) -> Result<(), String> {
        let files = files(whole);
        let mut checkpoints: Vec<_> = files.keys().filter_map(|name| checkpoint_of(name)).collect();
        checkpoints.dedup();
        if checkpoints.is_empty() {
            return Ok(());
        }
        let chosen = Dice::new(seed).one_of(&checkpoints);
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        for (name, bytes) in &files {
            let is_later = checkpoint_of(name).is_some_and(|checkpoint| checkpoint > chosen);
            if is_later || name == "model.safetensors" || name == "curves.svg" {
                continue;
            }
            let path = folder.path().join(name);
            let written = fs::create_dir_all(path.parent().unwrap_or(folder.path()));
            written.and_then(|()| fs::write(path, bytes)).map_err(|error| error.to_string())?;
        }
        let run = again().map_err(|error| error.to_string())?.resume(folder.path()).run();
        run.map_err(|error| format!("it does not go on from {chosen}: {error}"))?;
        let found = self::files(folder.path());
        let differs = |(name, bytes): &(&String, &Vec<u8>)| {
            *name != "manifest.json" && found.get(*name) != Some(*bytes)
        };
        let different: Vec<_> = files.iter().filter(differs).map(|(name, _)| name).collect();
        hold(different.is_empty() && found.len() == files.len(), || {
            format!("from {chosen} on {different:?} of {:?} differ: {:?}", files.keys(), found.keys())
        })
    }
}

/// Runs on the other engine.
struct OnTape {
    first: Option<StepReport>,
    format: Precision,
    ended: Result<(), Error>,
}

fn by_tape<M: Model>(mut training: Experiment<M>) -> Result<OnTape, String> {
    let told = |error: Error| error.to_string();
    let (graph, data) = (training.graph().map_err(told)?, training.data().map_err(told)?);
    let settings = training.settings().map_err(told)?;
    let objective = Box::new(Arc::clone(&settings.loss[0]));
    let tape = Tape::new(graph.clone().with_init(settings.init), objective, settings.seed, Device::Cpu);
    let mut tape = tape.map_err(told)?.with_format(settings.precision.format());
    let mut first = None;
    let mut look = |event: &Event<'_>| {
        if let Event::Step(report) = event
            && report.step == 1
        {
            first = Some((*report).clone());
        }
        Ok(())
    };
    let ended = trainer::run(&mut tape, &graph, settings, &data, &mut look).map(|_| ());
    Ok(OnTape { first, format: settings.precision, ended })
}

/// The first step of both engines, of the same weights on the same samples. They differ in the order of their sums: a graph
/// here has up to 12 layers, each of sums of up to 72 terms, whose roundings add up to at most 12 * 72 half units of the last
/// place, which backward doubles and a normalization over few values, such as a batch, may enlarge 16 times.
fn agree(planned: Option<&StepReport>, tape: &OnTape) -> Result<(), String> {
    let (Some(planned), Some(first)) = (planned, &tape.first) else { return Ok(()) };
    if tape.format != Precision::F32 {
        return Ok(());
    }
    let share = 16.0 * 2.0 * 12.0 * 72.0 * 0.5 * f64::from(f32::EPSILON);
    let close = |a: f64, b: f64| (a - b).abs() <= share * a.abs().max(b.abs()).max(1.0);
    let agrees = planned.lr.to_bits() == first.lr.to_bits()
        && close(planned.loss, first.loss)
        && close(planned.gradient_norm, first.gradient_norm);
    hold(agrees, || format!("the engines differ: {planned:?}, {first:?}"))
}

/// An error names its key and the correction.
pub(crate) fn refused(error: &Error) -> Result<Seen, String> {
    let text = error.to_string();
    let names_its_key = match error {
        Error::Setting { key, problem } => !key.is_empty() || problem.starts_with("unknown key ``"),
        // `batch is 0; …`, `CrossEntropy: label_smoothing is 1; …`.
        Error::Rule(rule) => rule.contains("; ") || rule.contains(": "),
        Error::Dataset(_) | Error::TooLittleMemory { .. } => true,
        _ => false,
    };
    hold(names_its_key, || format!("a refusal that names no key: {error:?}"))?;
    hold(!text.contains("internal error"), || format!("{error:?}"))?;
    Ok(Seen::Refused)
}

/// After its first step, a run fails only on non-finite values.
pub(crate) fn out_of_range(error: &Error) -> Result<Seen, String> {
    let text = error.to_string();
    let of_numbers = ["is not finite", "too large for f32", "the loss is NaN", "the loss is inf"];
    let is_of_numbers =
        matches!(error, Error::Training { .. }) && of_numbers.iter().any(|words| text.contains(words));
    hold(is_of_numbers, || format!("it fails after it has started: {error:?}"))?;
    Ok(Seen::OutOfRange)
}

fn checkpoint_of(name: &str) -> Option<&str> {
    name.strip_prefix("checkpoints/")?.split('/').next()
}
