//! A run that is made again and compared with its record, bit by bit.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::append_log::AppendLog;
use super::checkpoint::Origin;
use super::checkpoint_store::Slot;
use super::checksums::{BEST, EMA, Fault, Files, MODEL, OPTIMIZER, STATE};
use super::difference::changes;
use super::manifest::result;
use super::metrics::{METRICS, Metrics};
use super::record::Record;
use super::restore::Whole;
use super::start::Start;
use super::state::Records;
use super::tensors::{TensorDifference, first_difference};
use super::trace::{TRACE, Trace, line_difference, line_of};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::trainer::{Event, Observer, Outcome, Saved, Snapshot, TracePoint};

/// What verifying a run has shown: [`Experiment::verify`](crate::Experiment::verify).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The run's folder.
    pub folder: PathBuf,
    /// The step of the checkpoint that it began with; 0 is the start.
    pub from: u64,
    /// The last step that was compared.
    pub to: u64,
    /// How many lines of `trace.jsonl` were compared: the hashes of all parameters at a step.
    pub traced: u64,
    /// The steps of the checkpoints that were compared, file by file; that of an interruption among them.
    pub checkpoints: Vec<u64>,
    /// Whether the final model was compared. It is if the run came to its end.
    pub model: bool,
    /// How the recorded run ended; `None` if it was ended from outside.
    pub exit: Option<String>,
    /// Where the runs part: the first thing that differs.
    pub first: Option<Difference>,
    /// The first parameter that differs, at the first step at which the record can tell; none may, though something else
    /// does, as where a line of a log was changed and not the run.
    pub parameter: Option<Difference>,
}

impl Verified {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.first.is_none()
    }
}

/// Something of a record that is not what the run made again gives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Optimizer steps taken when it shows.
    pub step: u64,
    /// The file of the run folder in which it stands.
    pub file: String,
    /// A parameter's path, or the key of a number.
    pub what: String,
    /// What is on record.
    pub was: String,
    /// What the run gives.
    pub is: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { step, file, what, was, is } = self;
        write!(f, "step {step}: `{what}` in {file} was {was}, is {is}")
    }
}

/// Compares the events of a run with a record.
pub(crate) struct Verifier<'a> {
    record: &'a Record,
    origin: Origin,
    observer: &'a mut dyn Observer,
    metrics: Metrics,
    trace: Trace,
    /// The lines that are still to come.
    metrics_left: &'a [u8],
    trace_left: &'a [u8],
    /// The checkpoints that are still to come.
    slots_left: Vec<Slot>,
    /// The step whose state is asked for.
    asked: Option<u64>,
    state: Option<State>,
    verified: Verified,
    is_over: bool,
}

/// The weights at a step, and their average.
pub(crate) struct State {
    pub(crate) parameters: Vec<Vec<f32>>,
    pub(crate) average: Option<Vec<Vec<f32>>>,
}

impl<'a> Verifier<'a> {
    /// Before the first step after the checkpoint `whole`, or of the run. Ends at the step `asked`, if there is one.
    pub(crate) fn new(
        record: &'a Record,
        start: &Start<'_>,
        whole: Option<(&Whole, &Saved)>,
        asked: Option<u64>,
        observer: &'a mut dyn Observer,
    ) -> Result<Self> {
        let mut verified = Verified {
            folder: record.path.clone(),
            from: 0,
            to: 0,
            traced: 0,
            checkpoints: Vec::new(),
            model: false,
            exit: record.manifest.exit().map(ToOwned::to_owned),
            first: None,
            parameter: None,
        };
        let (mut metrics, mut trace) = (record.logs.metrics.as_slice(), record.logs.trace.as_slice());
        if record.manifest.exit().is_none() {
            // A process that was ended may have left half a line.
            (metrics, trace) = (whole_lines(metrics), whole_lines(trace));
        }
        let fault = |problem| Error::Setting { key: "verify".to_owned(), problem };
        // What lies before the part that is made again, in both files.
        let (before, traced) = match whole {
            None => (&[][..], &[][..]),
            Some((whole, _)) => {
                let state = &whole.state;
                (
                    state.metrics.part(METRICS, metrics).map_err(fault)?,
                    state.trace.part(trace).map_err(fault)?,
                )
            }
        };
        let own = match whole {
            None => Trace::begin(AppendLog::unwritten(&[]), start.graph)?,
            Some((whole, saved)) => {
                (verified.from, verified.to) = (saved.step, saved.step);
                Trace::go_on(AppendLog::unwritten(traced), start.graph, &whole.state.trace)?
            }
        };
        let is_later = |slot: &Slot| whole.is_none_or(|(_, saved)| slot.step > saved.step);
        let mut verifier = Self {
            metrics: Metrics::of(AppendLog::unwritten(before)),
            trace: own,
            metrics_left: metrics.get(before.len()..).unwrap_or_default(),
            trace_left: trace.get(traced.len()..).unwrap_or_default(),
            slots_left: record.slots.iter().copied().filter(is_later).collect(),
            record,
            origin: Origin::of(start),
            observer,
            asked,
            state: None,
            verified,
            is_over: false,
        };
        match whole {
            // The head of the file.
            None => verifier.compare(TRACE, 0),
            Some((whole, saved)) => verifier.compare_saved(traced, &whole.path, saved),
        }
        Ok(verifier)
    }

    /// The state of a checkpoint with what was traced at its step.
    fn compare_saved(&mut self, traced: &[u8], place: &Path, saved: &Saved) {
        let Some(line) = line_of(traced, saved.step) else { return };
        let point = TracePoint {
            step: saved.step,
            epoch: saved.epoch,
            parameters: &saved.parameters,
            optimizer_state: &saved.optimizer_state,
            average: saved.average.as_deref(),
        };
        if let Some((change, of_parameter)) = self.trace.difference(&line, &point) {
            let name = place.file_name().unwrap_or_default().to_string_lossy();
            let file = format!("checkpoints/{name}");
            self.differs(saved.step, &file, change, of_parameter);
        }
    }

    /// Whether there is nothing left to look at.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The state that was asked for, if the record is what the run gives.
    pub(crate) fn into_state(self, step: u64) -> Result<State> {
        if let Some(difference) = self.verified.parameter.or(self.verified.first) {
            return Err(Error::Differs { path: self.verified.folder, difference: difference.to_string() });
        }
        self.state
            .ok_or_else(|| Error::Experiment { step, problem: "the run ends before this step".to_owned() })
    }

    /// What was found, when the run came to an end with this model, or was ended here.
    pub(crate) fn finish(mut self, outcome: Option<&Outcome>, model: &[u8]) -> Result<Verified> {
        let Some(outcome) = outcome else { return Ok(self.verified) };
        let step = outcome.steps;
        self.miss_checkpoint(step + 1);
        for (name, left) in [(METRICS, self.metrics_left), (TRACE, self.trace_left)] {
            if !left.is_empty() {
                let lines = left.split_inclusive(|&byte| byte == b'\n').count();
                let further = format!("there, {lines} of them");
                self.differs(
                    step,
                    name,
                    ("lines behind the end".to_owned(), further, "not there".to_owned()),
                    false,
                );
            }
        }
        if !self.record.is_complete() {
            return Ok(self.verified);
        }
        match self.record.file(MODEL)? {
            None => {
                let missing = ("the file".to_owned(), "not there".to_owned(), "the final model".to_owned());
                self.differs(step, MODEL, missing, false);
            }
            Some(recorded) => {
                self.verified.model = true;
                if let Some(difference) = first_difference(&recorded, model, &paths(&self.origin.graph)) {
                    self.differs(step, MODEL, difference, true);
                }
            }
        }
        let recorded = self.record.manifest.result().cloned().unwrap_or_default();
        if let Some(change) = changes(&recorded, &result(outcome)).into_iter().next() {
            let what = format!("result.{}", change.key);
            self.differs(step, "manifest.json", (what, change.was, change.is), false);
        }
        Ok(self.verified)
    }

    /// Notes a difference, if it is the first, or the first of a parameter; then there is no need to go on.
    fn differs(
        &mut self,
        step: u64,
        file: &str,
        (what, was, is): (String, String, String),
        of_parameter: bool,
    ) {
        let difference = Difference { step, file: file.to_owned(), what, was, is };
        if of_parameter {
            self.verified.parameter.get_or_insert_with(|| difference.clone());
            self.is_over = true;
        }
        self.verified.first.get_or_insert(difference);
    }

    /// Compares the newest line of a log with the next on record.
    fn compare(&mut self, name: &'static str, step: u64) {
        let (left, made) = if name == METRICS {
            (&mut self.metrics_left, self.metrics.line())
        } else {
            (&mut self.trace_left, self.trace.line())
        };
        let text = |line| String::from_utf8_lossy(line).trim_end().to_owned();
        let Some(line) = next_line(left) else {
            if self.record.is_complete() {
                let missing = ("a line".to_owned(), "not there".to_owned(), text(made));
                self.differs(step, name, missing, false);
            }
            return;
        };
        if name == TRACE && step > 0 {
            self.verified.traced += 1;
        }
        if line == made {
            return;
        }
        let read = |line| serde_json::from_slice::<Value>(line);
        let (Ok(was), Ok(is)) = (read(line), read(made)) else {
            let lines = ("a line".to_owned(), text(line), text(made));
            return self.differs(step, name, lines, false);
        };
        if name == TRACE
            && let Some((change, of_parameter)) = line_difference(&was, &is, self.trace.paths())
        {
            return self.differs(step, name, change, of_parameter);
        }
        // A line whose bytes differ though its values do not was not written by a run.
        let change = changes(&was, &is).into_iter().next();
        let change = change.map(|change| (change.key, change.was, change.is));
        let spelling =
            || ("a line".to_owned(), "spelled in another way".to_owned(), "what a run writes".to_owned());
        self.differs(step, name, change.unwrap_or_else(spelling), false);
    }

    /// The checkpoints that were made where the run stands now.
    fn compare_checkpoints(&mut self, snapshot: &Snapshot<'_>) -> Result<()> {
        let here = |slot: &Slot| slot.step == snapshot.step && !(slot.is_due && snapshot.before_evaluation);
        for slot in self.slots_left.clone().into_iter().filter(here) {
            self.compare_checkpoint(slot, snapshot)?;
        }
        Ok(())
    }

    fn compare_checkpoint(&mut self, slot: Slot, snapshot: &Snapshot<'_>) -> Result<()> {
        let (step, name) = (slot.step, slot.name());
        let records = Records { metrics: self.metrics.recorded(), trace: self.trace.recorded() };
        let place = self.record.path.join("checkpoints").join(&name);
        let whole = Whole::open(place, step);
        // A run can be interrupted at more than one place after a step: before and behind an evaluation, or a skipped step.
        if let Ok(whole) = &whole
            && !slot.is_due
            && !whole.state.is_of(snapshot, &records)
        {
            return Ok(());
        }
        self.slots_left.retain(|left| *left != slot);
        let made = self.origin.files(snapshot, records)?;
        let recorded = match whole {
            Ok(whole) => whole.files,
            Err(Fault::Unknown(error)) => return Err(error),
            Err(Fault::Damaged(problem)) => {
                let whole =
                    ("the checkpoint".to_owned(), format!("not whole ({problem})"), "whole".to_owned());
                self.differs(step, &format!("checkpoints/{name}"), whole, false);
                return Ok(());
            }
        };
        self.verified.checkpoints.push(step);
        for (file, difference, of_parameter) in differences(&recorded, &made, &self.origin.graph) {
            self.differs(step, &format!("checkpoints/{name}/{file}"), difference, of_parameter);
        }
        Ok(())
    }

    /// Whether the record of a run that was ended has been looked at to its last line.
    fn has_ended(&self) -> bool {
        !self.record.is_complete() && self.metrics_left.is_empty() && self.trace_left.is_empty()
    }

    /// A checkpoint of an interruption that should have come before this step was taken.
    fn miss_checkpoint(&mut self, next: u64) {
        let passed = self.slots_left.iter().find(|slot| !slot.is_due && slot.step < next).copied();
        if let Some(slot) = passed {
            self.slots_left.retain(|left| *left != slot);
            let never =
                ("the place in the run".to_owned(), "another".to_owned(), "none of this run".to_owned());
            self.differs(slot.step, &format!("checkpoints/{}", slot.name()), never, false);
        }
    }

    fn see(&mut self, event: &Event<'_>) -> Result<()> {
        if let Event::Step(report) = event {
            self.miss_checkpoint(report.step);
        }
        match event {
            Event::Step(report) | Event::Skip(report) if self.has_ended() => {
                self.miss_checkpoint(report.step);
                self.is_over = true;
            }
            Event::Step(report) | Event::Skip(report) => {
                self.trace.step(report);
                self.metrics.step(report)?;
                self.compare(METRICS, report.step);
                if report.skip.is_none() {
                    self.verified.to = report.step;
                }
            }
            Event::Trace(point) => {
                self.trace.point(point)?;
                self.compare(TRACE, point.step);
            }
            Event::Epoch(report) => {
                self.trace.epoch(report);
                self.metrics.epoch(report)?;
                self.compare(METRICS, report.step);
            }
            Event::Checkpoint(snapshot) => {
                self.compare_checkpoints(snapshot)?;
                if self.asked == Some(snapshot.step) {
                    self.state = Some(State {
                        parameters: snapshot.parameters.to_vec(),
                        average: snapshot.average.map(<[_]>::to_vec),
                    });
                    self.is_over = true;
                }
            }
            _ => {}
        }
        // Whoever asks for a state asks for that of the record.
        self.is_over |= self.asked.is_some() && self.verified.first.is_some();
        Ok(())
    }
}

impl Observer for Verifier<'_> {
    fn on(&mut self, event: &Event<'_>) -> Result<()> {
        self.see(event)?;
        if self.is_over {
            return Err(Error::Internal("a run that is looked at no further goes on"));
        }
        self.observer.on(event)
    }

    fn wants_state(&self, step: u64) -> bool {
        self.asked == Some(step) || self.slots_left.iter().any(|slot| slot.step == step)
    }
}

fn paths(graph: &Graph) -> Vec<&str> {
    graph.parameters.iter().map(|parameter| parameter.path.as_str()).collect()
}

/// In what each file of a checkpoint differs first, those of tensors first, and whether that is a parameter or what is kept
/// of one.
fn differences(was: &Files, is: &Files, graph: &Graph) -> Vec<(&'static str, TensorDifference, bool)> {
    let paths = paths(graph);
    let is_parameter = |what: &str| {
        paths
            .iter()
            .any(|path| what.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    };
    let mut found = Vec::new();
    for name in [MODEL, OPTIMIZER, EMA, BEST, STATE] {
        let difference = match (was.get(name), is.get(name)) {
            (Some(was), Some(is)) if name == STATE => {
                let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
                let change = changes(&read(was), &read(is)).into_iter().next();
                change.map(|change| (change.key, change.was, change.is))
            }
            (Some(was), Some(is)) => first_difference(was, is, &paths),
            (None, None) => None,
            (was, _) => {
                let text = |is_there: bool| if is_there { "there" } else { "not there" }.to_owned();
                Some(("the file".to_owned(), text(was.is_some()), text(was.is_none())))
            }
        };
        found.extend(difference.map(|difference| {
            let of_parameter = name != STATE && is_parameter(&difference.0);
            (name, difference, of_parameter)
        }));
    }
    found
}

/// The next line with its end, and what follows is left.
fn next_line<'a>(left: &mut &'a [u8]) -> Option<&'a [u8]> {
    let line = left.split_inclusive(|&byte| byte == b'\n').next()?;
    *left = &left[line.len()..];
    Some(line)
}

fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |place| place + 1);
    &bytes[..end]
}
