//! A run that is stopped after any step and resumed leaves the files of an uninterrupted run, byte for byte.
//!
//! Seen to fail when the optimizer's state, the average, the loss scale, its steps since the last change, the skipped steps
//! (which consume samples), the schedule's state, the sums of the epoch, the early stopping state, the curves or the step of
//! the best checkpoint are not restored, and when lines of `metrics.jsonl` after the checkpoint remain.

#![allow(missing_docs, clippy::unwrap_used)]

mod damage;
mod every_step;
mod killed_runs;
mod optimizers;
mod refusals;

use std::fs;
use std::path::{Path, PathBuf};

use trainspec::prelude::*;
use trainspec::trainer::{Event, Resumed};
use trainspec::{Experiment, Result};
use trainspec_tests::run_files::{Files, assert_equal, files, scratch};
use trainspec_tests::small_images::SmallImages;

#[model]
fn Net(image: Image<1, 6, 6>) -> Logits<3> {
    let x = image.conv2d(out = 3, kernel = 3, bias = false).batch_norm().relu();
    x.flatten().dropout(p = 0.3).linear(out = 3)
}

train! {
    /// 8 steps an epoch; stops early or takes 24.
    Averaged {
        model: Net,
        data: SmallImages,
        metrics: [Accuracy, F1, ConfusionMatrix, Auroc],
        batch: 4,
        epochs: 3,
        seed: 5,
        optimizer: AdamW { lr: 0.02 },
        schedule: [Warmup { steps: 5 }, Cosine { floor: 1e-4 }],
        clip: GlobalNorm { max: 1.0 },
        ema: Ema { decay: 0.9, warmup: true },
        gradient_norms: true,
        early_stop: EarlyStop { patience: 2 },
        checkpoint: Checkpoint { every: Steps(1), keep: 100 },
    }
}

train! {
    /// 3 steps an epoch, the last of fewer micro-batches, of which the last is smaller.
    Momentum {
        model: Net,
        data: SmallImages,
        metrics: [Accuracy],
        batch: 4,
        accumulate: 3,
        epochs: 8,
        optimizer: Sgd { lr: 0.5, momentum: 0.9, weight_decay: 1e-3 },
        schedule: [ReduceOnPlateau { factor: 0.5, patience: 0, cooldown: 1 }],
        gradient_noise: GradientNoise { eta: 1e-4 },
        checkpoint: Checkpoint { every: Steps(1), keep: 100 },
    }
}

fn checkpoint(step: u64) -> String {
    format!("checkpoints/step-{step:08}")
}

/// The folder of a run that was stopped after step `k`: the lines written after its last checkpoint are complete, followed
/// by a truncated one, or truncated, or missing.
fn killed(whole: &Files, k: u64, to: &Path) {
    let state: serde_json::Value =
        serde_json::from_slice(&whole[&format!("{}/state.json", checkpoint(k))]).unwrap();
    let recorded = state["metrics"]["bytes"].as_u64().unwrap() as usize;
    for (name, bytes) in whole {
        let is_later = name.starts_with("checkpoints/") && *name > format!("{}~", checkpoint(k));
        if is_later || ["model.safetensors", "curves.svg"].contains(&name.as_str()) {
            continue;
        }
        let mut bytes = bytes.clone();
        if name == "metrics.jsonl" {
            match k % 3 {
                0 => bytes.truncate(recorded),
                1 => bytes.truncate(recorded + 7),
                _ => bytes.extend_from_slice(b"{\"kind\":\"st"),
            }
        }
        write(&to.join(name), &bytes);
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn lines(files: &Files, kind: &str) -> usize {
    let text = std::str::from_utf8(&files["metrics.jsonl"]).unwrap();
    text.lines().filter(|line| line.starts_with(&format!(r#"{{"kind":"{kind}""#))).count()
}

/// A stopped run of 24 steps, and the report of the resumed run.
fn ended() -> (tempfile::TempDir, PathBuf, Files) {
    let out = scratch();
    let whole = files(&Averaged::experiment().out(out.path()).run().unwrap().folder.unwrap());
    let folder = out.path().join("killed");
    killed(&whole, 20, &folder);
    (out, folder, whole)
}

fn resumed(training: Experiment<Net>, folder: &Path) -> Result<Resumed> {
    let mut said = None;
    let mut look = |event: &Event<'_>| {
        if let Event::Resume(resumed) = event {
            said = Some((*resumed).clone());
        }
        Ok(())
    };
    training.resume(folder).run_with(&mut look)?;
    Ok(said.unwrap())
}
