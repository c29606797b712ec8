//! Reading the newest intact checkpoint.
//!
//! Every file in a folder is verified: if its SHA-256 is not the recorded one, the checkpoint is skipped. If the system does not
//! allow reading a checkpoint, it is not known to be damaged: that is an error, and nothing is changed.

use std::fs;
use std::path::{Path, PathBuf};

use super::checkpoint_store::Slot;
use super::checksums::{self, BEST, EMA, Fault, Files, MODEL, OPTIMIZER, STATE};
use super::logs::Logs;
use super::metrics::METRICS;
use super::state::{FORMAT, State};
use crate::error::{Error, Result};
use crate::graph::{Graph, GraphParameter};
use crate::model_file::{decode, decode_tensors};
use crate::spec::{TrainConfig, hash};
use crate::trainer::{Saved, SavedBest};

/// A checkpoint whose files are all verified.
#[derive(Debug)]
pub(crate) struct IntactCheckpoint {
    pub(super) path: PathBuf,
    pub(super) state: State,
    pub(super) files: Files,
}

/// The checkpoints of a run.
#[derive(Debug)]
pub(super) struct Found {
    /// The newest intact one.
    pub(super) checkpoint: IntactCheckpoint,
    /// It and all older ones, in order.
    pub(super) slots: Vec<Slot>,
    /// The newer ones, which are damaged, and one sentence for each.
    pub(super) damaged: Vec<(Slot, String)>,
}

/// The newest intact checkpoint in a folder, of a run with these logs.
pub(super) fn newest_intact(folder: &Path, logs: &Logs) -> Result<Found> {
    let mut slots = slots(folder)?;
    let fault = |problem: String| {
        let problem = format!("{}: {problem}", folder.display());
        Err(Error::Setting { key: "resume".to_owned(), problem })
    };
    if slots.is_empty() {
        let problem = "there is no checkpoint; checkpoints are saved if the key `checkpoint` is set, or when a run is interrupted";
        return fault(problem.to_owned());
    }
    let mut damaged = Vec::new();
    while let Some(&slot) = slots.last() {
        match IntactCheckpoint::read(folder.join(slot.name()), slot.step, logs) {
            Ok(checkpoint) => return Ok(Found { checkpoint, slots, damaged }),
            Err(Fault::Damaged(problem)) => {
                damaged.push((slot, format!("{} is damaged: {problem}", slot.name())));
            }
            // It may be the one to resume from, so it is neither skipped nor set aside.
            Err(Fault::Unknown(error)) => return Err(error),
        }
        slots.pop();
    }
    let sentences: Vec<_> = damaged.into_iter().map(|(_, sentence)| sentence).collect();
    fault(format!("no checkpoint can be used: {}", sentences.join("; ")))
}

/// The model of the newest checkpoint of a run, intact or not, if there is one.
pub(crate) fn newest_checkpoint(run: &Path) -> Option<PathBuf> {
    let place = run.join("checkpoints");
    let newest = slots(&place).ok()?.pop()?;
    Some(place.join(newest.name()).join(MODEL))
}

/// The checkpoints in a folder, in order.
pub(super) fn slots(folder: &Path) -> Result<Vec<Slot>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::file(folder))?,
    };
    let mut slots = Vec::new();
    for entry in entries {
        let name = entry.map_err(Error::file(folder))?.file_name();
        slots.extend(name.to_str().and_then(Slot::named));
    }
    slots.sort_unstable();
    Ok(slots)
}

impl IntactCheckpoint {
    pub(super) fn read(path: PathBuf, step: u64, logs: &Logs) -> Result<Self, Fault> {
        let checkpoint = Self::open(path, step)?;
        checkpoint.state.metrics.part(METRICS, &logs.metrics)?;
        checkpoint.state.trace.part(&logs.trace)?;
        Ok(checkpoint)
    }

    /// Reads a checkpoint without checking it against the logs of its run.
    pub(super) fn open(path: PathBuf, step: u64) -> Result<Self, Fault> {
        let files = checksums::read(&path)?;
        let state = files.get(STATE).map(Vec::as_slice).unwrap_or_default();
        let format = |state: &serde_json::Value| state.get("format").and_then(serde_json::Value::as_u64);
        let json: serde_json::Value =
            serde_json::from_slice(state).map_err(|error| format!("`{STATE}` is not JSON: {error}"))?;
        match format(&json) {
            None => return Err(format!("`{STATE}` has no format; this version reads {FORMAT}").into()),
            Some(format) if format != u64::from(FORMAT) => {
                let problem = format!("the checkpoint has the format {format}; this version reads {FORMAT}");
                return Err(Fault::Unknown(Error::file(path.join(STATE))(std::io::Error::other(problem))));
            }
            Some(_) => {}
        }
        let state: State = serde_json::from_value(json)
            .map_err(|error| format!("`{STATE}` is not a valid state: {error}"))?;
        if state.step != step {
            return Err(format!("`{STATE}` is for step {}", state.step).into());
        }
        if state.spec_hash != hash(&state.spec) {
            return Err(format!("`{STATE}` has a spec with another hash").into());
        }
        Ok(Self { path, state, files })
    }

    /// Restores the state for a run of this graph and these settings. Every tensor must match by path and shape, and there
    /// may be no other.
    pub(crate) fn decode(&self, graph: &Graph, settings: &TrainConfig) -> Result<Saved> {
        let file = |name: &'static str| self.files.get(name).map(|bytes| (self.path.join(name), bytes));
        let model = |name| -> Result<Option<Vec<Vec<f32>>>> {
            let Some((path, bytes)) = file(name) else { return Ok(None) };
            let parameters = decode(bytes, &path, graph)?.parameters;
            check_numbers(&path, graph, &parameters)?;
            Ok(Some(parameters))
        };
        let missing = || Error::Internal("a file of an intact checkpoint is missing");
        let (path, bytes) = file(OPTIMIZER).ok_or_else(missing)?;
        let State {
            step, epoch, step_in_epoch, before_evaluation, totals, scaling, schedule, monitored, ..
        } = &self.state;
        let best = model(BEST)?;
        Ok(Saved {
            step: *step,
            epoch: *epoch,
            step_in_epoch: *step_in_epoch,
            before_evaluation: *before_evaluation,
            parameters: model(MODEL)?.ok_or_else(missing)?,
            optimizer_state: optimizer_state(bytes, &path, graph, settings, *step > 0)?,
            scaling: *scaling,
            average: model(EMA)?,
            totals: totals.clone(),
            schedule: schedule.clone(),
            monitored: monitored.map(|monitored| SavedBest {
                best: monitored.value,
                best_epoch: monitored.epoch,
                without_improvement: monitored.without_improvement,
                parameters: best,
            }),
        })
    }
}

/// Checks that no weight is NaN or infinite, and that no variance of batch norm is negative. The run itself saved these
/// values, so an older checkpoint would lead to the same.
fn check_numbers(path: &Path, graph: &Graph, parameters: &[Vec<f32>]) -> Result<()> {
    for (parameter, values) in graph.parameters.iter().zip(parameters) {
        if let Some(fault) = parameter.fault(values) {
            let problem = format!("`{}` {fault}", parameter.path);
            return Err(Error::ModelFile { path: path.to_owned(), problem });
        }
    }
    Ok(())
}

/// The optimizer's state by parameter and slot; a parameter that is not trained has empty slots. Before the first step
/// there is none.
fn optimizer_state(
    bytes: &[u8],
    path: &Path,
    graph: &Graph,
    settings: &TrainConfig,
    has_begun: bool,
) -> Result<Vec<Vec<Vec<f32>>>> {
    let optimizer = &*settings.optimizer;
    let names = optimizer.state_names();
    let lengths: Vec<Vec<usize>> = graph
        .parameters
        .iter()
        .map(|parameter| (0..names.len()).map(|slot| optimizer.slot_length(slot, parameter)).collect())
        .collect();
    let mut expected: Vec<(String, &[usize])> = Vec::new();
    for (parameter, lengths) in graph.parameters.iter().zip(&lengths).filter(|_| has_begun) {
        for (name, length) in names.iter().zip(lengths).filter(|(_, length)| **length > 0) {
            expected.push((format!("{}.{name}", parameter.path), state_axes(parameter, length)));
        }
    }
    let what = format!("the state of `{}`", optimizer.name());
    let mut slots = decode_tensors(bytes, path, &expected, &what)?.into_iter();
    if !has_begun {
        return Ok(Vec::new());
    }
    let mut of = |length: &usize| if *length > 0 { slots.next().unwrap_or_default() } else { Vec::new() };
    Ok(lengths.iter().map(|lengths| lengths.iter().map(&mut of).collect()).collect())
}

/// The axes of a part of the optimizer's state: those of the parameter, if it has a value for each element, otherwise one.
pub(super) fn state_axes<'a>(parameter: &'a GraphParameter, length: &'a usize) -> &'a [usize] {
    if *length == parameter.shape.elements() { parameter.shape.axes() } else { std::slice::from_ref(length) }
}
