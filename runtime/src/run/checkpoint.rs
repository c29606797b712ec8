//! Checkpoints: the whole state of a run at a step, in a folder that is there whole or not at all.
//!
//! `checkpoints/step-00000150/` holds `model.safetensors`, which is a model file like any other;
//! `optimizer.safetensors`, with the optimizer's numbers of each parameter under its path and their name
//! (`linear_1.weight.m`); `ema.safetensors`, a model file of the weights' average, if the run keeps one;
//! `best.safetensors`, the weights of the best epoch, if the run ends with those; and `state.json`: the place in the
//! run, the sums of the epoch so far, what is monitored, the loss scale and skipped steps, what the schedule remembers, the hashes of spec
//! and data, and the SHA-256 of the other files.

use std::fs;
use std::path::PathBuf;

use candle_core::{Device, Tensor};
use serde_json::json;

use super::whole::{pretty, sync_folder, write_synced};
use crate::data::Normalizer;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::hash::sha256;
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
    pub(super) spec_hash: String,
    pub(super) data_fingerprint: String,
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

    /// Saves the state, then removes what is no longer kept.
    pub(super) fn save(&mut self, snapshot: &Snapshot<'_>) -> Result<()> {
        let place = self.path.join(folder_name(snapshot.step));
        let aside = self.path.join(format!(".{}.partial", folder_name(snapshot.step)));
        fs::create_dir_all(&self.path).map_err(Error::file(&self.path))?;
        fs::create_dir(&aside).map_err(Error::file(&aside))?;
        let written = self.write(&aside, snapshot);
        let placed = written.and_then(|()| fs::rename(&aside, &place).map_err(Error::file(&place)));
        if let Err(error) = placed {
            // What is left aside is of no use; why it could not get to its place is the error to tell.
            let _ = fs::remove_dir_all(&aside);
            return Err(error);
        }
        sync_folder(&self.path)?;
        self.steps.push(snapshot.step);
        for step in superseded(&self.steps, self.keep, self.best) {
            let old = self.path.join(folder_name(step));
            fs::remove_dir_all(&old).map_err(Error::file(&old))?;
            self.steps.retain(|&kept| kept != step);
        }
        Ok(())
    }

    fn write(&self, folder: &std::path::Path, snapshot: &Snapshot<'_>) -> Result<()> {
        let Origin { graph, normalizer, seed, spec_hash, data_fingerprint } = &self.origin;
        let parameters: Vec<_> = snapshot.parameters.iter().map(|(_, tensor)| tensor.clone()).collect();
        let mut files = vec![
            ("model.safetensors", encode(graph, &parameters, normalizer.as_ref(), Some(*seed))?),
            ("optimizer.safetensors", encode_tensors(&self.optimizer(snapshot), &json!({}))?),
        ];
        if let Some(best) = snapshot.monitored.and_then(|monitored| monitored.parameters) {
            files.push(("best.safetensors", encode(graph, best, normalizer.as_ref(), Some(*seed))?));
        }
        if let Some(average) = snapshot.average {
            let tensors = average
                .iter()
                .zip(&graph.parameters)
                .map(|(numbers, about)| Tensor::from_slice(numbers, about.shape.axes(), &Device::Cpu))
                .collect::<candle_core::Result<Vec<_>>>()?;
            files.push(("ema.safetensors", encode(graph, &tensors, normalizer.as_ref(), Some(*seed))?));
        }
        let mut sums = serde_json::Map::new();
        for (name, bytes) in &files {
            write_synced(&folder.join(name), bytes)?;
            sums.insert((*name).to_owned(), sha256(bytes).into());
        }
        let monitored = snapshot.monitored.map(|monitored| {
            // JSON has no infinite numbers; `metric::number` reads this back.
            let best = monitored.best;
            json!({
                "best": if best.is_finite() { json!(best) } else { json!(best.to_string()) },
                "best_epoch": monitored.best_epoch,
                "without_improvement": monitored.without_improvement,
            })
        });
        let state = json!({
            "step": snapshot.step,
            "epoch": snapshot.epoch,
            "step_in_epoch": snapshot.step_in_epoch,
            "totals": snapshot.totals.to_json()?,
            "schedule": snapshot.schedule,
            "monitored": monitored,
            "scaling": snapshot.scaling,
            "spec_hash": spec_hash,
            "data_fingerprint": data_fingerprint,
            "sha256": sums,
        });
        write_synced(&folder.join("state.json"), pretty(&state).as_bytes())?;
        sync_folder(folder)
    }

    fn optimizer(&self, snapshot: &Snapshot<'_>) -> Vec<NamedTensor> {
        let trained = self.origin.graph.parameters.iter().zip(snapshot.optimizer_state);
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

fn folder_name(step: u64) -> String {
    format!("step-{step:08}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Line, graph};
    use crate::train::{Monitored, Scaling, Totals};

    fn checkpoints(path: &std::path::Path, keep: usize) -> Checkpoints {
        let origin = Origin {
            graph: graph(),
            normalizer: None,
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
        checkpoints.save(&snapshot)
    }

    fn names(path: &std::path::Path) -> Vec<String> {
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
                "best.safetensors",
                "ema.safetensors",
                "model.safetensors",
                "optimizer.safetensors",
                "state.json"
            ]
        );
        let state: serde_json::Value =
            serde_json::from_slice(&fs::read(path.join("state.json")).unwrap()).unwrap();
        assert_eq!(state["step"], 150);
        assert_eq!(state["step_in_epoch"], 3);
        let scaling: Scaling = serde_json::from_value(state["scaling"].clone()).unwrap();
        assert_eq!((scaling.loss_scale, scaling.good_steps, scaling.skipped), (Some(512.0), 3, 7));
        assert_eq!(state["monitored"]["best_epoch"], 1);
        assert_eq!(state["schedule"][1]["reductions"], 2.0);
        for name in ["best.safetensors", "ema.safetensors", "model.safetensors", "optimizer.safetensors"] {
            assert_eq!(state["sha256"][name], sha256(fs::read(path.join(name)).unwrap()));
        }
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
        checkpoints(out.path(), 1).save(&Snapshot { parameters, ..snapshot }).unwrap();
        let state = fs::read(out.path().join("checkpoints/step-00000001/state.json")).unwrap();
        let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
        let best = crate::metric::number::deserialize(&state["monitored"]["best"]).unwrap();
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
