//! Checkpoints: the whole state of a run at a step, in a folder that is there whole or not at all.
//!
//! `checkpoints/step-00000150/` holds `model.safetensors`, which is a model file like any other;
//! `optimizer.safetensors`, with the optimizer's numbers of each parameter under its path and their name
//! (`linear_1.weight.m`); `ema.safetensors`, a model file of the weights' average, if the run keeps one;
//! `best.safetensors`, the weights of the best epoch, if the run ends with those; `state.json`: the place in the
//! run, the sums of the epoch so far, what is monitored, the loss scale and skipped steps, what the schedule remembers, how far
//! `metrics.jsonl` and `trace.jsonl` were, the spec and the fingerprint of the data; and `SHA256SUMS` over all of these.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde_json::{Value, json};

use super::start::Start;
use super::state::{Best, FORMAT, Records, State};
use super::sums::{self, BEST, EMA, Files, MODEL, OPTIMIZER, STATE, SUMS};
use super::whole::{pretty, sync_folder, write_synced};
use crate::data::Normalizer;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::train::Snapshot;
use crate::trained::file::{NamedTensor, encode, encode_tensors};

/// The checkpoints of one run.
pub(super) struct Checkpoints {
    path: PathBuf,
    keep: usize,
    origin: Origin,
    /// The steps of those that are there, in their order.
    steps: Vec<u64>,
    /// The last step of the best epoch so far.
    best: Option<u64>,
}

/// What does not change in a run.
pub(super) struct Origin {
    pub(super) graph: Graph,
    pub(super) normalizer: Option<Normalizer>,
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
            normalizer: start.data.normalizer().cloned(),
            spec: start.spec.clone(),
            spec_hash: start.spec_hash.to_owned(),
            data_fingerprint: start.data.fingerprint().to_owned(),
        }
    }
}

impl Checkpoints {
    /// Checkpoints below `path`, of which the newest `keep` stay.
    pub(super) fn new(path: PathBuf, keep: usize, origin: Origin) -> Self {
        Self { path, keep: keep.max(1), origin, steps: Vec::new(), best: None }
    }

    /// Notes that the epoch that ended with this step is the best so far.
    pub(super) fn best(&mut self, step: u64) {
        self.best = Some(step);
    }

    /// Goes on with the checkpoints of these steps. What a process that was ended left half written goes, and those of the
    /// steps in `damaged` are set aside.
    pub(super) fn take_up(&mut self, steps: Vec<u64>, best: Option<u64>, damaged: &[u64]) -> Result<()> {
        let entries = fs::read_dir(&self.path).map_err(Error::file(&self.path))?;
        for entry in entries {
            let entry = entry.map_err(Error::file(&self.path))?;
            let is_partial = |name: &str| name.starts_with(".step-") && name.ends_with(".partial");
            if entry.file_name().to_str().is_some_and(is_partial) {
                remove(&entry.path())?;
            }
        }
        for &step in damaged {
            let aside = self.path.join(format!("{}.damaged", folder_name(step)));
            remove(&aside)?;
            let place = self.path.join(folder_name(step));
            fs::rename(&place, &aside).map_err(Error::file(&place))?;
        }
        sync_folder(&self.path)?;
        (self.steps, self.best) = (steps, best);
        Ok(())
    }

    /// Saves the state, then removes what is no longer kept.
    pub(super) fn save(&mut self, snapshot: &Snapshot<'_>, records: Records) -> Result<()> {
        let place = self.path.join(folder_name(snapshot.step));
        let aside = self.path.join(format!(".{}.partial", folder_name(snapshot.step)));
        if !self.path.is_dir() {
            fs::create_dir_all(&self.path).map_err(Error::file(&self.path))?;
            self.path.parent().map_or(Ok(()), sync_folder)?;
        }
        fs::create_dir(&aside).map_err(Error::file(&aside))?;
        let written = self.write(&aside, snapshot, records);
        let placed = written.and_then(|()| fs::rename(&aside, &place).map_err(Error::file(&place)));
        if let Err(error) = placed {
            // What is left aside is of no use; why it could not get to its place is the error to tell.
            let _ = fs::remove_dir_all(&aside);
            return Err(error);
        }
        sync_folder(&self.path)?;
        self.steps.push(snapshot.step);
        for step in superseded(&self.steps, self.keep, self.best) {
            remove(&self.path.join(folder_name(step)))?;
            self.steps.retain(|&kept| kept != step);
        }
        Ok(())
    }

    fn write(&self, folder: &Path, snapshot: &Snapshot<'_>, records: Records) -> Result<()> {
        let files = self.origin.files(snapshot, records)?;
        for (name, bytes) in &files {
            write_synced(&folder.join(name), bytes)?;
        }
        write_synced(&folder.join(SUMS), sums::list(&files).as_bytes())?;
        sync_folder(folder)
    }
}

impl Origin {
    /// The files of a checkpoint.
    pub(super) fn files(&self, snapshot: &Snapshot<'_>, records: Records) -> Result<Files> {
        let Origin { graph, normalizer, seed, .. } = self;
        let model = |tensors: &[Tensor]| encode(graph, tensors, normalizer.as_ref(), Some(*seed));
        let parameters: Vec<_> = snapshot.parameters.iter().map(|(_, tensor)| tensor.clone()).collect();
        let mut files = Files::from([
            (MODEL, model(&parameters)?),
            (OPTIMIZER, encode_tensors(&self.optimizer(snapshot), &json!({}))?),
            (STATE, self.state(snapshot, records)?.into_bytes()),
        ]);
        if let Some(best) = snapshot.monitored.and_then(|monitored| monitored.parameters) {
            files.insert(BEST, model(best)?);
        }
        if let Some(average) = snapshot.average {
            let tensors = average
                .iter()
                .zip(&graph.parameters)
                .map(|(numbers, about)| Tensor::from_slice(numbers, about.shape.axes(), &Device::Cpu))
                .collect::<candle_core::Result<Vec<_>>>()?;
            files.insert(EMA, model(&tensors)?);
        }
        Ok(files)
    }

    fn state(&self, snapshot: &Snapshot<'_>, records: Records) -> Result<String> {
        let state = State {
            format: FORMAT,
            step: snapshot.step,
            epoch: snapshot.epoch,
            step_in_epoch: snapshot.step_in_epoch,
            totals: snapshot.totals.to_json()?,
            scaling: snapshot.scaling,
            schedule: snapshot.schedule.clone(),
            monitored: snapshot.monitored.map(|monitored| Best {
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

    fn optimizer(&self, snapshot: &Snapshot<'_>) -> Vec<NamedTensor> {
        let trained = self.graph.parameters.iter().zip(snapshot.optimizer_state);
        trained
            .filter(|(parameter, _)| parameter.is_trained())
            .flat_map(|(parameter, slots)| {
                snapshot.state_names.iter().zip(slots).map(|(name, numbers)| {
                    let path = format!("{}.{name}", parameter.path);
                    (path, parameter.shape.axes().to_vec(), numbers.clone())
                })
            })
            .collect()
    }
}

/// Which checkpoints go: all but the newest `keep`, and but the one of the best epoch, which is the first
/// that was made at its end or later.
fn superseded(steps: &[u64], keep: usize, best: Option<u64>) -> Vec<u64> {
    let of_best = best.and_then(|best| steps.iter().copied().find(|&step| step >= best));
    let old = steps.len().saturating_sub(keep);
    steps.iter().copied().take(old).filter(|&step| Some(step) != of_best).collect()
}

pub(super) fn folder_name(step: u64) -> String {
    format!("step-{step:08}")
}

/// Removes a folder, if it is there.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file(path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Line, graph};
    use crate::train::{Monitored, Scaling, Totals};

    fn checkpoints(path: &Path, keep: usize) -> Checkpoints {
        let origin = Origin {
            graph: graph(),
            normalizer: None,
            spec: json!({}),
            spec_hash: "spec".to_owned(),
            data_fingerprint: "data".to_owned(),
            seed: 7,
        };
        Checkpoints::new(path.join("checkpoints"), keep, origin)
    }

    fn save(checkpoints: &mut Checkpoints, step: u64, is_best: bool) -> Result<()> {
        let graph = graph();
        let tensors: Vec<_> = crate::engine::initial(&graph, 1, &Device::Cpu).unwrap();
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
            parameters: graph.parameters.iter().map(|p| p.path.as_str()).zip(tensors.clone()).collect(),
            state_names: &["m", "v"],
            optimizer_state: &state,
            scaling: Scaling { loss_scale: Some(512.0), good_steps: 3, skipped_in_a_row: 0, skipped: 7 },
            average: is_best.then_some(&average),
            totals: &Totals::default(),
            schedule: json!([null, { "reductions": 2.0 }]),
            monitored: is_best.then_some(Monitored {
                best: 0.25,
                best_epoch: 1,
                without_improvement: 2,
                parameters: Some(&tensors),
            }),
        };
        checkpoints.save(&snapshot, Records::default())
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
    fn a_checkpoint_holds_the_whole_state_and_the_sums_of_its_files() {
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
        assert_eq!(sums::read(&path).unwrap().len(), 5);
        let bytes = fs::read(path.join("optimizer.safetensors")).unwrap();
        let mut paths = Vec::new();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        paths.extend(file.names());
        paths.sort_unstable();
        assert_eq!(paths, ["line_1.bias.m", "line_1.bias.v", "line_1.weight.m", "line_1.weight.v"]);
        let model = crate::Trained::<Line>::load(path.join("model.safetensors")).unwrap();
        let x = Tensor::zeros((1, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(model.predict_tensor(&x).is_ok());
        let average = crate::Trained::<Line>::load(path.join("ema.safetensors")).unwrap();
        for (path, tensor) in average.parameters() {
            assert!(
                tensor.to_vec1::<f32>().unwrap().iter().all(|number| number.to_bits() == 0.25_f32.to_bits()),
                "{path}"
            );
        }
    }

    /// A first evaluation may be infinite, and the best so far.
    #[test]
    fn a_best_value_without_a_number_in_json_is_kept() {
        let graph = graph();
        let snapshot = Snapshot {
            step: 1,
            epoch: 1,
            step_in_epoch: 1,
            parameters: Vec::new(),
            state_names: &[],
            optimizer_state: &[],
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
        let tensors = crate::engine::initial(&graph, 1, &Device::Cpu).unwrap();
        let parameters = graph.parameters.iter().map(|p| p.path.as_str()).zip(tensors).collect();
        let out = tempfile::tempdir().unwrap();
        checkpoints(out.path(), 1).save(&Snapshot { parameters, ..snapshot }, Records::default()).unwrap();
        let state = fs::read(out.path().join("checkpoints/step-00000001/state.json")).unwrap();
        let state: Value = serde_json::from_slice(&state).unwrap();
        let best = crate::metric::number::deserialize(&state["monitored"]["value"]).unwrap();
        assert_eq!(best.to_bits(), f64::INFINITY.to_bits());
    }

    #[test]
    fn the_newest_and_the_best_stay() {
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
    fn the_best_is_the_first_checkpoint_at_or_after_its_epoch() {
        assert_eq!(superseded(&[10, 20, 30, 40], 1, Some(15)), [10, 30]);
        assert_eq!(superseded(&[10, 20, 30, 40], 1, Some(50)), [10, 20, 30]);
        assert_eq!(superseded(&[10, 20], 3, None), [0_u64; 0]);
    }

    #[test]
    fn a_checkpoint_that_cannot_be_written_leaves_nothing_half_done() {
        let out = tempfile::tempdir().unwrap();
        let mut checkpoints = checkpoints(out.path(), 1);
        save(&mut checkpoints, 1, false).unwrap();
        // The same step again: the place is taken, so the rename is refused.
        assert!(save(&mut checkpoints, 1, false).is_err());
        assert_eq!(names(&out.path().join("checkpoints")), ["step-00000001"]);
    }
}
