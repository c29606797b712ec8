//! Re-runs a run and compares it with its record, bit for bit.

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
use super::restore::IntactCheckpoint;
use super::start::Start;
use super::state::Records;
use super::tensors::{TensorDifference, first_difference};
use super::trace::{TRACE, Trace, line_difference, line_of};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::trainer::{Event, Observer, Outcome, Saved, Snapshot, TracePoint};

/// The result of verifying a run: [`Experiment::verify`](crate::Experiment::verify).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The run's folder.
    pub folder: PathBuf,
    /// The step of the checkpoint from which it started; 0 is the start of the run.
    pub from: u64,
    /// The last step that was compared.
    pub to: u64,
    /// How many lines of `trace.jsonl` were compared: the hashes of all parameters at a step.
    pub traced: u64,
    /// The steps of the checkpoints that were compared, file by file, including that of an interruption.
    pub checkpoints: Vec<u64>,
    /// Whether the final model was compared. It is if the run came to its end.
    pub model: bool,
    /// How the recorded run ended; `None` if its process was killed.
    pub exit: Option<String>,
    /// The first difference between the runs.
    pub first: Option<Difference>,
    /// The first parameter that differs, at the first recorded step that shows it. There may be none though something else
    /// differs, for example where a line of a log was edited.
    pub parameter: Option<Difference>,
}

impl Verified {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.first.is_none()
    }
}

/// A difference between the record and the re-run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The number of optimizer steps taken when it shows.
    pub step: u64,
    /// The file of the run folder that has it.
    pub file: String,
    /// A parameter's path, or the key of a value.
    pub what: String,
    /// The recorded value.
    pub old: String,
    /// The value of the re-run.
    pub new: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { step, file, what, old, new } = self;
        write!(f, "step {step}: `{what}` in {file} was {old}, is {new}")
    }
}

/// Compares the events of a re-run with the record.
pub(crate) struct Verifier<'a> {
    record: &'a Record,
    origin: Origin,
    observer: &'a mut dyn Observer,
    metrics: Metrics,
    trace: Trace,
    /// The lines that are left to compare.
    metrics_left: &'a [u8],
    trace_left: &'a [u8],
    /// The checkpoints that are left to compare.
    slots_left: Vec<Slot>,
    /// The step whose state is requested.
    requested: Option<u64>,
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
    /// Before the first step after `checkpoint`, or of the run. Stops at the step `requested`, if there is one.
    pub(crate) fn new(
        record: &'a Record,
        start: &Start<'_>,
        checkpoint: Option<(&IntactCheckpoint, &Saved)>,
        requested: Option<u64>,
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
            // A process that was killed may have left an incomplete line.
            (metrics, trace) = (whole_lines(metrics), whole_lines(trace));
        }
        let fault = |problem| Error::Setting { key: "verify".to_owned(), problem };
        // The part before the re-run, in both files.
        let (before, traced) = match checkpoint {
            None => (&[][..], &[][..]),
            Some((checkpoint, _)) => {
                let state = &checkpoint.state;
                (
                    state.metrics.part(METRICS, metrics).map_err(fault)?,
                    state.trace.part(trace).map_err(fault)?,
                )
            }
        };
        let own = match checkpoint {
            None => Trace::begin(AppendLog::unwritten(&[]), start.graph)?,
            Some((checkpoint, saved)) => {
                (verified.from, verified.to) = (saved.step, saved.step);
                Trace::resume(AppendLog::unwritten(traced), start.graph, &checkpoint.state.trace)?
            }
        };
        let is_later = |slot: &Slot| checkpoint.is_none_or(|(_, saved)| slot.step > saved.step);
        let mut verifier = Self {
            metrics: Metrics::of(AppendLog::unwritten(before)),
            trace: own,
            metrics_left: metrics.get(before.len()..).unwrap_or_default(),
            trace_left: trace.get(traced.len()..).unwrap_or_default(),
            slots_left: record.slots.iter().copied().filter(is_later).collect(),
            record,
            origin: Origin::of(start),
            observer,
            requested,
            state: None,
            verified,
            is_over: false,
        };
        match checkpoint {
            // The head of the file.
            None => verifier.compare(TRACE, 0),
            Some((checkpoint, saved)) => verifier.compare_saved(traced, &checkpoint.path, saved),
        }
        Ok(verifier)
    }

    /// Compares the state of a checkpoint with the trace at its step.
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

    /// Returns whether nothing is left to compare.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The requested state, if the record matches the re-run.
    pub(crate) fn into_state(self, step: u64) -> Result<State> {
        if let Some(difference) = self.verified.parameter.or(self.verified.first) {
            return Err(Error::Differs { path: self.verified.folder, difference: difference.to_string() });
        }
        self.state
            .ok_or_else(|| Error::Training { step, problem: "the run ends before this step".to_owned() })
    }

    /// The result, after the run ended with this model or was stopped here.
    pub(crate) fn finish(mut self, outcome: Option<&Outcome>, model: &[u8]) -> Result<Verified> {
        let Some(outcome) = outcome else { return Ok(self.verified) };
        let step = outcome.steps;
        self.miss_checkpoint(step + 1);
        for (name, left) in [(METRICS, self.metrics_left), (TRACE, self.trace_left)] {
            if !left.is_empty() {
                let lines = left.split_inclusive(|&byte| byte == b'\n').count();
                let further = format!("present, {lines} of them");
                self.differs(
                    step,
                    name,
                    ("lines after the end".to_owned(), further, "missing".to_owned()),
                    false,
                );
            }
        }
        if !self.record.is_complete() {
            return Ok(self.verified);
        }
        match self.record.file(MODEL)? {
            None => {
                let missing = ("the file".to_owned(), "missing".to_owned(), "the final model".to_owned());
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
            self.differs(step, "manifest.json", (what, change.old, change.new), false);
        }
        Ok(self.verified)
    }

    /// Records a difference if it is the first one, or the first of a parameter. After that the re-run can stop.
    fn differs(
        &mut self,
        step: u64,
        file: &str,
        (what, old, new): (String, String, String),
        of_parameter: bool,
    ) {
        let difference = Difference { step, file: file.to_owned(), what, old, new };
        if of_parameter {
            self.verified.parameter.get_or_insert_with(|| difference.clone());
            self.is_over = true;
        }
        self.verified.first.get_or_insert(difference);
    }

    /// Compares the last line of a log with the next recorded one.
    fn compare(&mut self, name: &'static str, step: u64) {
        let (left, made) = if name == METRICS {
            (&mut self.metrics_left, self.metrics.line())
        } else {
            (&mut self.trace_left, self.trace.line())
        };
        let text = |line| String::from_utf8_lossy(line).trim_end().to_owned();
        let Some(line) = next_line(left) else {
            if self.record.is_complete() {
                let missing = ("a line".to_owned(), "missing".to_owned(), text(made));
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
        let change = change.map(|change| (change.key, change.old, change.new));
        let spelling =
            || ("a line".to_owned(), "formatted differently".to_owned(), "as a run writes it".to_owned());
        self.differs(step, name, change.unwrap_or_else(spelling), false);
    }

    /// Compares the checkpoints that were saved at the current position of the run.
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
        let checkpoint = IntactCheckpoint::open(place, step);
        // A run can be interrupted at several points after a step: before and after an evaluation, or a skipped step.
        if let Ok(checkpoint) = &checkpoint
            && !slot.is_due
            && !checkpoint.state.is_of(snapshot, &records)
        {
            return Ok(());
        }
        self.slots_left.retain(|left| *left != slot);
        let made = self.origin.files(snapshot, records)?;
        let recorded = match checkpoint {
            Ok(checkpoint) => checkpoint.files,
            Err(Fault::Unknown(error)) => return Err(error),
            Err(Fault::Damaged(problem)) => {
                let damage =
                    ("the checkpoint".to_owned(), format!("damaged ({problem})"), "intact".to_owned());
                self.differs(step, &format!("checkpoints/{name}"), damage, false);
                return Ok(());
            }
        };
        self.verified.checkpoints.push(step);
        for (file, difference, of_parameter) in differences(&recorded, &made, &self.origin.graph) {
            self.differs(step, &format!("checkpoints/{name}/{file}"), difference, of_parameter);
        }
        Ok(())
    }

    /// Returns whether the record of a stopped run has been compared to its last line.
    fn has_ended(&self) -> bool {
        !self.record.is_complete() && self.metrics_left.is_empty() && self.trace_left.is_empty()
    }

    /// Reports a checkpoint of an interruption that should have come before this step.
    fn miss_checkpoint(&mut self, next: u64) {
        let passed = self.slots_left.iter().find(|slot| !slot.is_due && slot.step < next).copied();
        if let Some(slot) = passed {
            self.slots_left.retain(|left| *left != slot);
            let never = (
                "the position in the run".to_owned(),
                "another".to_owned(),
                "not one of this run".to_owned(),
            );
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
                if self.requested == Some(snapshot.step) {
                    self.state = Some(State {
                        parameters: snapshot.parameters.to_vec(),
                        average: snapshot.average.as_deref().map(<[_]>::to_vec),
                    });
                    self.is_over = true;
                }
            }
            _ => {}
        }
        // A request for a state is for that of the record.
        self.is_over |= self.requested.is_some() && self.verified.first.is_some();
        Ok(())
    }
}

impl Observer for Verifier<'_> {
    fn on(&mut self, event: &Event<'_>) -> Result<()> {
        self.see(event)?;
        if self.is_over {
            return Err(Error::Internal("a run continues that is no longer checked"));
        }
        self.observer.on(event)
    }

    fn wants_state(&self, step: u64) -> bool {
        self.requested == Some(step) || self.slots_left.iter().any(|slot| slot.step == step)
    }
}

fn paths(graph: &Graph) -> Vec<&str> {
    graph.parameters.iter().map(|parameter| parameter.path.as_str()).collect()
}

/// The first difference in each file of a checkpoint, tensor files first, and whether it is in a parameter or its
/// state.
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
                change.map(|change| (change.key, change.old, change.new))
            }
            (Some(was), Some(is)) => first_difference(was, is, &paths),
            (None, None) => None,
            (was, _) => {
                let text = |is_there: bool| if is_there { "present" } else { "missing" }.to_owned();
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

/// Splits off the next line with its end, and leaves the rest.
fn next_line<'a>(left: &mut &'a [u8]) -> Option<&'a [u8]> {
    let line = left.split_inclusive(|&byte| byte == b'\n').next()?;
    *left = &left[line.len()..];
    Some(line)
}

fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |place| place + 1);
    &bytes[..end]
}
