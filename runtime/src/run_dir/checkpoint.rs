//! Checkpoints: the complete state of a run at a step, in a folder that is written atomically.
//!
//! `checkpoints/step-00000150/` holds `model.safetensors`, which is a model file like any other;
//! `optimizer.safetensors`, with the optimizer's state of each parameter under its path and the state's name
//! (`linear_1.weight.m`); `ema.safetensors`, a model file of the averaged weights, if the run keeps an average;
//! `best.safetensors`, the weights of the best epoch, if the run ends with those; `state.json`: the position in the
//! run, the totals of the epoch so far, the monitored value, the loss scale and skipped steps, the state of the schedule,
//! the lengths of `metrics.jsonl` and `trace.jsonl`, the spec and the fingerprint of the data; and `SHA256SUMS` over all of
//! these. The checkpoint of an interrupted run is named `step-00000150-interrupted`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::append_log::Log;
use super::checkpoint_store::{CheckpointStore, InPlace, Slot};
use super::checksums::{BEST, EMA, Files, MODEL, OPTIMIZER, STATE};
use super::restore::state_axes;
use super::start::Start;
use super::state::{Best, FORMAT, Records, State};
use super::writer::Writer;
use crate::data::ModelNormalizers;
use crate::error::{Error, Result};
use crate::files::pretty;
use crate::graph::Graph;
use crate::model_file::{NamedTensor, TensorFile, model};
use crate::trainer::Snapshot;

/// The lengths of a run's logs at a checkpoint, and their files, to be synced before the checkpoint relies on them.
pub(super) struct Recording {
    pub(super) records: Records,
    pub(super) logs: [Log; 2],
}

/// The checkpoints of one run.
///
/// A checkpoint is written in two parts. While the run waits, the state is copied as the bytes of its files.
/// Then a thread writes them while the run continues. There is one copy at a time: if the next checkpoint is due before the last
/// is on the disk, the run waits.
pub(super) struct Checkpoints {
    writer: Writer,
    origin: Origin,
    /// The last step of the best epoch so far.
    best: Option<u64>,
}

/// What does not change during a run.
pub(super) struct Origin {
    pub(super) graph: Graph,
    pub(super) normalizers: ModelNormalizers,
    pub(super) seed: u64,
    pub(super) spec: Value,
    pub(super) spec_hash: String,
    pub(super) data_fingerprint: String,
}

impl Origin {
    pub(super) fn of(start: &Start<'_>) -> Self {
        Self {
            seed: start.settings.seed,
            graph: start.graph.clone(),
            normalizers: start.data.model_normalizers(),
            spec: start.spec.clone(),
            spec_hash: start.spec_hash.to_owned(),
            data_fingerprint: start.data.fingerprint().to_owned(),
        }
    }
}

impl Checkpoints {
    /// Creates an empty store below `path` that keeps the newest `keep` checkpoints.
    pub(super) fn new(path: PathBuf, keep: usize, origin: Origin) -> Self {
        Self { writer: Writer::new(CheckpointStore::new(path, keep)), origin, best: None }
    }

    /// Records that the epoch that ended with this step is the best so far.
    pub(super) fn best(&mut self, step: u64) {
        self.best = Some(step);
    }

    /// Continues with these checkpoints. Removes what a stopped process left incomplete, and sets those of `damaged`
    /// aside.
    pub(super) fn resume(&mut self, slots: Vec<Slot>, best: Option<u64>, damaged: &[Slot]) -> Result<()> {
        self.best = best;
        self.writer.wait()?.resume(slots, best, damaged)
    }

    /// Copies the state and saves it in the background. Then removes the checkpoints that are no longer kept.
    ///
    /// # Errors
    /// If the previous checkpoint could not be saved.
    pub(super) fn save(&mut self, snapshot: &Snapshot<'_>, recording: Recording) -> Result<()> {
        // Before another copy is made.
        self.writer.wait()?;
        let files = self.origin.files(snapshot, recording.records)?;
        let (slot, logs, best) = (Slot::due(snapshot.step), recording.logs, self.best);
        self.writer.start(move |shelf| {
            // The logs on the disk must never be behind the state.
            logs.iter().try_for_each(Log::sync)?;
            shelf.add(slot, files, best)
        })
    }

    /// Saves the state of an interrupted run directly from memory. Does nothing if there is a checkpoint of this step: only an
    /// evaluation may have followed, which a resumed run repeats.
    pub(super) fn save_interrupted(&mut self, snapshot: &Snapshot<'_>, recording: Recording) -> Result<()> {
        // The failure of an earlier checkpoint is reported after this one has been tried.
        let earlier = self.writer.wait().map(|_| ());
        let shelf = self.writer.wait()?;
        if !shelf.has(snapshot.step) {
            let files = self.origin.in_place(snapshot, recording.records)?;
            recording.logs.iter().try_for_each(Log::sync)?;
            shelf.add(Slot::of_interruption(snapshot.step), files, self.best)?;
        }
        earlier
    }

    /// The model file with these weights.
    pub(super) fn model<'a>(&'a self, weights: &'a [Vec<f32>]) -> Result<TensorFile<'a>> {
        let Origin { graph, normalizers, seed, .. } = &self.origin;
        model(graph, weights, normalizers, Some(*seed))
    }

    /// Returns the error of a checkpoint that could not be saved, if it is known by now.
    pub(super) fn poll(&mut self) -> Result<()> {
        self.writer.poll()
    }

    /// Waits until all pending checkpoints are saved.
    pub(super) fn wait(&mut self) -> Result<()> {
        self.writer.wait().map(|_| ())
    }

    /// Removes the checkpoints of interruptions, of a run that has ended.
    pub(super) fn clear(&mut self) -> Result<()> {
        self.writer.wait()?.clear()
    }
}

impl Origin {
    /// The files of a checkpoint in memory: a copy of the state.
    pub(super) fn files(&self, snapshot: &Snapshot<'_>, records: Records) -> Result<Files> {
        let files = self.in_place(snapshot, records)?.into_iter();
        let bytes = files.map(|(name, file)| match file {
            InPlace::Bytes(bytes) => Ok((name, bytes)),
            InPlace::Tensors(file) => Ok((name, file.to_bytes()?)),
        });
        bytes.collect()
    }

    /// The files of a checkpoint, which borrow their values from the snapshot.
    fn in_place<'a>(
        &'a self,
        snapshot: &'a Snapshot<'_>,
        records: Records,
    ) -> Result<BTreeMap<&'static str, InPlace<'a>>> {
        let Self { graph, normalizers, seed, .. } = self;
        let model =
            |numbers: &'a [Vec<f32>]| model(graph, numbers, normalizers, Some(*seed)).map(InPlace::Tensors);
        let mut files = BTreeMap::from([
            (MODEL, model(&snapshot.parameters)?),
            (OPTIMIZER, InPlace::Tensors(TensorFile::new(self.optimizer(snapshot), &json!({}))?)),
            (STATE, InPlace::Bytes(self.state(snapshot, records)?.into_bytes())),
        ]);
        if let Some(best) = snapshot.monitored.as_ref().and_then(|monitored| monitored.parameters.as_deref())
        {
            files.insert(BEST, model(best)?);
        }
        if let Some(average) = snapshot.average.as_deref() {
            files.insert(EMA, model(average)?);
        }
        Ok(files)
    }

    fn state(&self, snapshot: &Snapshot<'_>, records: Records) -> Result<String> {
        let state = State {
            format: FORMAT,
            step: snapshot.step,
            epoch: snapshot.epoch,
            step_in_epoch: snapshot.step_in_epoch,
            before_evaluation: snapshot.before_evaluation,
            totals: snapshot.totals.to_json()?,
            scaling: snapshot.scaling,
            schedule: snapshot.schedule.clone(),
            monitored: snapshot.monitored.as_ref().map(|monitored| Best {
                value: monitored.best,
                epoch: monitored.best_epoch,
                without_improvement: monitored.without_improvement,
            }),
            metrics: records.metrics,
            trace: records.trace,
            spec: self.spec.clone(),
            spec_hash: self.spec_hash.clone(),
            data_fingerprint: self.data_fingerprint.clone(),
        };
        let json = serde_json::to_value(&state);
        Ok(pretty(&json.map_err(|_| Error::Internal("a run's state is not JSON"))?))
    }

    fn optimizer<'a>(&self, snapshot: &'a Snapshot<'_>) -> Vec<NamedTensor<'a>> {
        let trained = self.graph.parameters.iter().zip(&*snapshot.optimizer_state);
        trained
            .filter(|(parameter, _)| parameter.is_trained())
            .flat_map(|(parameter, slots)| {
                let slots = snapshot.state_names.iter().zip(slots).filter(|(_, numbers)| !numbers.is_empty());
                slots.map(|(name, numbers)| {
                    let path = format!("{}.{name}", parameter.path);
                    (path, state_axes(parameter, &numbers.len()).to_vec(), Cow::Borrowed(&**numbers))
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use candle_core::{Device, Tensor};

    use super::super::append_log::AppendLog;
    use super::super::checksums;
    use super::*;
    use crate::fixture::{Line, graph};
    use crate::trainer::{Monitored, Scaling, Totals};

    fn checkpoints(path: &Path, keep: usize) -> Checkpoints {
        let origin = Origin {
            graph: graph(),
            normalizers: ModelNormalizers::default(),
            spec: json!({}),
            spec_hash: "spec".to_owned(),
            data_fingerprint: "data".to_owned(),
            seed: 7,
        };
        Checkpoints::new(path.join("checkpoints"), keep, origin)
    }

    fn recording() -> Recording {
        let log = || AppendLog::unwritten(&[]).log().unwrap();
        Recording { records: Records::default(), logs: [log(), log()] }
    }

    fn save(checkpoints: &mut Checkpoints, step: u64, is_best: bool) -> Result<()> {
        let graph = graph();
        let numbers: Vec<_> = crate::engine::initial_numbers(&graph, 1).collect();
        let state: Vec<_> = graph
            .parameters
            .iter()
            .map(|parameter| {
                vec![vec![0.5; if parameter.is_trained() { parameter.shape.elements() } else { 0 }]; 2]
            })
            .collect();
        let average: Vec<_> =
            graph.parameters.iter().map(|parameter| vec![0.25; parameter.shape.elements()]).collect();
        let snapshot = Snapshot {
            step,
            epoch: 2,
            step_in_epoch: 3,
            before_evaluation: false,
            parameters: numbers.as_slice().into(),
            state_names: &["m", "v"],
            optimizer_state: Cow::Borrowed(&state),
            scaling: Scaling { loss_scale: Some(512.0), good_steps: 3, skipped_in_a_row: 0, skipped: 7 },
            average: is_best.then_some(average.as_slice().into()),
            totals: &Totals::default(),
            schedule: json!([null, { "reductions": 2.0 }]),
            monitored: is_best.then_some(Monitored {
                best: 0.25,
                best_epoch: 1,
                without_improvement: 2,
                parameters: Some(numbers.as_slice().into()),
            }),
        };
        checkpoints.save(&snapshot, recording())?;
        checkpoints.wait()
    }

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn checkpoint_contains_complete_state_and_checksums() {
        let out = tempfile::tempdir().unwrap();
        save(&mut checkpoints(out.path(), 3), 150, true).unwrap();
        let path = out.path().join("checkpoints/step-00000150");
        assert_eq!(
            names(&path),
            [
                "SHA256SUMS",
                "best.safetensors",
                "ema.safetensors",
                "model.safetensors",
                "optimizer.safetensors",
                "state.json"
            ]
        );
        let state: Value = serde_json::from_slice(&fs::read(path.join("state.json")).unwrap()).unwrap();
        assert_eq!(state["step"], 150);
        assert_eq!(state["step_in_epoch"], 3);
        let scaling: Scaling = serde_json::from_value(state["scaling"].clone()).unwrap();
        assert_eq!((scaling.loss_scale, scaling.good_steps, scaling.skipped), (Some(512.0), 3, 7));
        assert_eq!(state["monitored"]["epoch"], 1);
        assert_eq!(state["schedule"][1]["reductions"], 2.0);
        assert_eq!(checksums::read(&path).unwrap().len(), 5);
        let bytes = fs::read(path.join("optimizer.safetensors")).unwrap();
        let mut paths = Vec::new();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        paths.extend(file.names());
        paths.sort_unstable();
        assert_eq!(paths, ["line_1.bias.m", "line_1.bias.v", "line_1.weight.m", "line_1.weight.v"]);
        let model = crate::TrainedModel::<Line>::load(path.join("model.safetensors")).unwrap();
        let x = Tensor::zeros((1, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(model.predict_tensor(&x).is_ok());
        let average = crate::TrainedModel::<Line>::load(path.join("ema.safetensors")).unwrap();
        for (path, tensor) in average.parameters() {
            assert!(
                tensor.to_vec1::<f32>().unwrap().iter().all(|number| number.to_bits() == 0.25_f32.to_bits()),
                "{path}"
            );
        }
    }

    /// The loss of a first evaluation may be infinite, and still the best so far.
    #[test]
    fn infinite_best_value_round_trips() {
        let graph = graph();
        let snapshot = Snapshot {
            step: 1,
            epoch: 1,
            step_in_epoch: 1,
            before_evaluation: false,
            parameters: Cow::Borrowed(&[]),
            state_names: &[],
            optimizer_state: Cow::Borrowed(&[]),
            scaling: Scaling::default(),
            average: None,
            totals: &Totals::default(),
            schedule: json!([]),
            monitored: Some(Monitored {
                best: f64::INFINITY,
                best_epoch: 1,
                without_improvement: 0,
                parameters: None,
            }),
        };
        let parameters = crate::engine::initial_numbers(&graph, 1).collect();
        let out = tempfile::tempdir().unwrap();
        let mut checkpoints = checkpoints(out.path(), 1);
        checkpoints.save(&Snapshot { parameters: Cow::Owned(parameters), ..snapshot }, recording()).unwrap();
        checkpoints.wait().unwrap();
        let state = fs::read(out.path().join("checkpoints/step-00000001/state.json")).unwrap();
        let state: Value = serde_json::from_slice(&state).unwrap();
        let best = crate::metric::number::deserialize(&state["monitored"]["value"]).unwrap();
        assert_eq!(best.to_bits(), f64::INFINITY.to_bits());
    }

    #[test]
    fn newest_and_best_checkpoints_are_retained() {
        let out = tempfile::tempdir().unwrap();
        let mut checkpoints = checkpoints(out.path(), 2);
        for step in 1..=6 {
            if step == 2 {
                checkpoints.best(step);
            }
            save(&mut checkpoints, step, false).unwrap();
        }
        let kept = ["step-00000002", "step-00000005", "step-00000006"];
        assert_eq!(names(&out.path().join("checkpoints")), kept);
    }

    #[test]
    fn failed_checkpoint_write_leaves_no_partial_folder() {
        let out = tempfile::tempdir().unwrap();
        let mut checkpoints = checkpoints(out.path(), 1);
        save(&mut checkpoints, 1, false).unwrap();
        // The same step again: the target exists, so the rename fails.
        assert!(save(&mut checkpoints, 1, false).is_err());
        assert_eq!(names(&out.path().join("checkpoints")), ["step-00000001"]);
    }
}
