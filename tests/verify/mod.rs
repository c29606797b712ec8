//! Re-runs a run and compares it with its run folder, bit by bit; compares two runs; replays a model.
//!
//! Seen to fail when a hash omits a parameter, when the hash chain is not restored on resume, when only the last step is
//! compared, when the files of a checkpoint are not, when that of an interruption is compared at the wrong position or not at
//! all, and when a replay is not checked against the run folder.

#![allow(missing_docs, clippy::unwrap_used)]

mod interrupted;
mod losses;
mod old;
mod replayed;
mod tampered;
mod whole;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use trainspec::prelude::*;
use trainspec_tests::run_files::{Files, every_file as files};
use trainspec_tests::small_images::SmallImages;

#[model]
fn Net(image: Image<1, 6, 6>) -> Logits<3> {
    let x = image.conv2d(out = 3, kernel = 3, bias = false).batch_norm().relu();
    x.flatten().dropout(p = 0.3).linear(out = 3)
}

train! {
    /// 8 steps an epoch, 24 in total, with everything that has state.
    Averaged {
        model: Net,
        data: SmallImages,
        metrics: [Accuracy, F1, ConfusionMatrix],
        batch: 4,
        epochs: 3,
        seed: 5,
        optimizer: AdamW { lr: 0.02 },
        schedule: [Warmup { steps: 5 }, Cosine { floor: 1e-4 }],
        clip: GlobalNorm { max: 1.0 },
        ema: Ema { decay: 0.9, warmup: true },
        early_stop: EarlyStop { patience: 3 },
        checkpoint: Checkpoint { every: Steps(6), keep: 100 },
    }
}

fn write(folder: &Path, files: &Files) {
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn checkpoint(step: u64) -> String {
    format!("checkpoints/step-{step:08}")
}

fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The files of a run of [`Averaged`].
static WHOLE: LazyLock<Files> = LazyLock::new(|| {
    let out = tempfile::tempdir().unwrap();
    files(&Averaged::experiment().out(out.path()).run().unwrap().folder.unwrap())
});

/// The folder of a run of [`Averaged`].
fn ended() -> (tempfile::TempDir, PathBuf) {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("ended");
    write(&folder, &WHOLE);
    (out, folder)
}

/// The files of a run that was stopped after step `k`: with lines after its last checkpoint, more in one log than in the other,
/// and half a line.
fn killed(whole: &Files, k: u64) -> Files {
    let last = |name: &String| !name.starts_with("checkpoints/") || *name < format!("{}~", checkpoint(k));
    let mut files: Files = whole
        .iter()
        .filter(|(name, _)| last(name) && !["model.safetensors", "curves.svg"].contains(&name.as_str()))
        .map(|(name, bytes)| (name.clone(), bytes.clone()))
        .collect();
    let until = |bytes: &[u8], step: u64| -> Vec<u8> {
        let lines = bytes.split_inclusive(|&byte| byte == b'\n');
        let kept = lines.take_while(|line| json(line)["step"].as_u64().unwrap_or(0) <= step);
        kept.flatten().copied().collect()
    };
    for (name, half) in [("metrics.jsonl", "{\"kind\":\"st"), ("trace.jsonl", "{\"step\":")] {
        let lines = until(&whole[name], k);
        files.insert(name.to_owned(), [lines.as_slice(), half.as_bytes()].concat());
    }
    let mut manifest = json(&whole["manifest.json"]);
    for key in ["end", "exit", "result"] {
        manifest[key] = serde_json::Value::Null;
    }
    files.insert("manifest.json".to_owned(), serde_json::to_vec(&manifest).unwrap());
    files
}
