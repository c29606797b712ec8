//! Resumes after every step, with everything that has state.

use std::collections::BTreeMap;

use trainspec::Experiment;
use trainspec::engine::{Engine, Tape};
use trainspec::prelude::*;
use trainspec::run_dir::{Folder, Start};
use trainspec::trainer::{self, Exit};

use trainspec_tests::run_files::scratch;

use super::{Averaged, Momentum, Net, SmallImages, assert_equal, checkpoint, files, killed, lines};

train! {
    /// The loss scale overflows repeatedly.
    Half {
        model: Net,
        data: SmallImages,
        metrics: [Accuracy],
        batch: 5,
        steps: 21,
        optimizer: AdamW { lr: 0.01 },
        schedule: [Cosine],
        precision: F16 { loss_scale: Dynamic { init: 33554432, interval: 3 } },
        checkpoint: Checkpoint { every: Steps(1), keep: 100 },
    }
}

train! {
    /// Mixed samples, bounded weights, another optimizer with its own state; ends within an epoch.
    Mixed {
        model: Net,
        data: SmallImages,
        metrics: [Accuracy],
        batch: 8,
        steps: 22,
        optimizer: NAdam { lr: 0.01 },
        mix: Mixup { alpha: 0.4 },
        constrain: MaxNorm { max: 1.0 },
        early_stop: EarlyStop { monitor: ValMetric("accuracy"), patience: 6, restore_best: false },
        checkpoint: Checkpoint { every: Steps(1), keep: 100 },
    }
}

train! {
    /// Augmented samples, of which the sampler draws some several times.
    Augmented {
        model: Net,
        data: SmallImages,
        metrics: [Accuracy],
        batch: 4,
        accumulate: 2,
        steps: 11,
        optimizer: AdamW { lr: 0.01 },
        augment: [RandomCrop { padding: 1 }, FlipHorizontal, GaussianNoise { std: 0.1 }, RandAugment],
        sampler: ClassBalanced,
        checkpoint: Checkpoint { every: Steps(1), keep: 100 },
    }
}

/// Runs, then resumes from every checkpoint; returns the files and the exit of the run.
pub(super) fn from_every_step<M: Model>(
    training: impl Fn() -> Experiment<M>,
) -> (BTreeMap<String, Vec<u8>>, Exit) {
    let out = scratch();
    let run = training().out(out.path()).run().unwrap();
    let whole = files(&run.folder.unwrap());
    for name in ["model.safetensors", "metrics.jsonl", "curves.svg", "spec.json"] {
        assert!(whole.contains_key(name), "{name}");
    }
    for k in 1..=run.outcome.steps {
        let folder = out.path().join(k.to_string());
        killed(&whole, k, &folder);
        let again = training().resume(&folder).run().unwrap();
        assert_eq!(again.outcome, run.outcome, "from step {k}");
        assert_equal(&files(&folder), &whole, &format!("from step {k}"));
    }
    (whole, run.outcome.exit)
}

#[test]
fn adam_with_average_and_early_stop_resumes_identically() {
    let (files, exit) = from_every_step(Averaged::experiment);
    assert_eq!((exit, lines(&files, "step")), (Exit::Completed, 24));
    assert!(files.contains_key(&format!("{}/best.safetensors", checkpoint(24))));
    assert!(files.contains_key(&format!("{}/ema.safetensors", checkpoint(24))));
}

/// The learning rate is so high that the run soon stops improving.
#[test]
fn early_stopped_run_resumes_identically() {
    let (files, exit) = from_every_step(|| {
        Averaged::experiment().set("optimizer.lr", "3").unwrap().set("epochs", "9").unwrap()
    });
    assert!(matches!(exit, Exit::StoppedEarly { .. }), "{exit:?}");
    assert!(lines(&files, "epoch") < 9);
}

#[test]
fn momentum_with_plateau_and_uneven_accumulation_resumes_identically() {
    let (files, _) = from_every_step(Momentum::experiment);
    assert_eq!(lines(&files, "step"), 24);
    let state: serde_json::Value =
        serde_json::from_slice(&files[&format!("{}/state.json", checkpoint(24))]).unwrap();
    assert!(state["schedule"][0]["reductions"].as_f64().unwrap() > 0.0, "the plateau is of use: {state}");
}

#[test]
fn f16_with_skipped_steps_resumes_identically() {
    let (files, _) = from_every_step(Half::experiment);
    let (steps, skips) = (lines(&files, "step"), lines(&files, "skip"));
    assert_eq!(steps, 21);
    let text = std::str::from_utf8(&files["metrics.jsonl"]).unwrap();
    let last_skip =
        text.lines().enumerate().filter(|(_, line)| line.contains(r#""kind":"skip""#)).last().unwrap().0;
    assert!(skips > 2 && last_skip > 12, "{skips} skips, the last at line {last_skip}");
}

#[test]
fn mixup_and_max_norm_resume_identically() {
    let (files, _) = from_every_step(Mixed::experiment);
    assert_eq!((lines(&files, "step"), lines(&files, "epoch")), (22, 6));
}

#[test]
fn augmented_and_balanced_samples_resume_identically() {
    let (files, _) = from_every_step(Augmented::experiment);
    assert_eq!((lines(&files, "step"), lines(&files, "epoch")), (11, 3));
    let spec: serde_json::Value = serde_json::from_slice(&files["spec.json"]).unwrap();
    assert_eq!(spec["spec"]["sampler"], serde_json::json!({ "type": "ClassBalanced", "target": 0 }));
    let rules = spec["spec"]["augment"].as_array().unwrap();
    assert_eq!(rules[0], serde_json::json!({ "type": "RandomCrop", "padding": 1 }));
    assert_eq!(rules.len(), 4);
}

/// The tape engine, which programs use where the planned engine is not available, driven directly.
#[test]
fn tape_engine_resumes_identically() {
    let out = scratch();
    let mut training = Averaged::experiment();
    let (graph, data, spec) = (training.graph().unwrap(), training.data().unwrap(), training.spec().unwrap());
    let settings = training.settings().unwrap();
    let start = Start {
        name: "averaged",
        spec: &spec,
        spec_hash: &trainspec::spec::hash(&spec),
        overrides: &[],
        settings,
        graph: &graph,
        engine: "tape",
        data: &data,
    };
    let tape = || {
        let objective = Box::new(std::sync::Arc::clone(&settings.loss[0]));
        Tape::new(graph.clone(), objective, settings.seed, candle_core::Device::Cpu).unwrap()
    };
    let weights = |engine: &Tape| -> Vec<u32> {
        let tensors = engine.parameters().unwrap();
        let numbers = tensors.iter().map(|tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        numbers.flatten().map(f32::to_bits).collect()
    };
    let mut folder = Folder::create(out.path(), &start).unwrap();
    let mut engine = tape();
    let outcome = trainer::run(&mut engine, &graph, settings, &data, &mut folder).unwrap();
    folder.finish("completed", Some(&outcome)).unwrap();
    let whole = files(folder.path());
    for k in 1..=outcome.steps {
        let path = out.path().join(k.to_string());
        killed(&whole, k, &path);
        let (mut folder, saved, _) = Folder::resume(&path, &start, &[]).unwrap();
        let mut resumed = tape();
        let again = trainer::resume(&mut resumed, &graph, settings, &data, saved, &mut folder).unwrap();
        folder.finish("completed", Some(&again)).unwrap();
        assert_eq!((&again, weights(&resumed)), (&outcome, weights(&engine)), "from step {k}");
        assert_equal(&files(&path), &whole, &format!("from step {k}"));
    }
}
