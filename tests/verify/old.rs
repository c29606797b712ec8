//! Run folders of each past format, unchanged and still usable.
//!
//! A new format gets its own folder, next to the old ones, which remain. Until a format is released, `OLD=overwrite cargo
//! test -p trainspec-tests --test runs verify` rewrites its folder.

use std::fs;
use std::path::PathBuf;

use trainspec::data::PreparedDataset;
use trainspec::prelude::*;

use super::losses::{is_overwritten, kept};
// The spec of a recorded run contains the text of `data`.
use super::SmallImages as Blots;
use super::{Net, checkpoint, files, json, write};

train! {
    /// 8 steps an epoch, 16 in total; the newest checkpoint is of the tenth.
    Kept {
        model: Net,
        data: Blots,
        metrics: [Accuracy],
        batch: 4,
        epochs: 2,
        seed: 5,
        optimizer: AdamW { lr: 0.02 },
        ema: Ema { decay: 0.9, warmup: true },
        early_stop: EarlyStop { patience: 2 },
        checkpoint: Checkpoint { every: Steps(10), keep: 1 },
    }
}

/// The folder of the format.
fn folder(format: u32) -> PathBuf {
    let folder = kept().join(format!("v{format}"));
    if format == 1 && is_overwritten() {
        let out = tempfile::tempdir().unwrap();
        let mut files = files(&Kept::experiment().out(out.path()).run().unwrap().folder.unwrap());
        // Fields that describe a machine and a repository, not the format.
        let mut manifest = json(&files["manifest.json"]);
        (manifest["command"], manifest["git"]) = (serde_json::json!(["kept"]), serde_json::Value::Null);
        let text = format!("{manifest:#}\n");
        files.insert("manifest.json".to_owned(), text.into_bytes());
        let _ = fs::remove_dir_all(&folder);
        write(&folder, &files);
    }
    folder
}

#[test]
fn format_1_folder_is_read_resumed_and_verified() {
    let whole = files(&folder(1));
    assert!(whole.values().map(Vec::len).sum::<usize>() < 100_000);
    let manifest = json(&whole["manifest.json"]);
    let out = tempfile::tempdir().unwrap();
    let copy = out.path().join("copy");
    write(&copy, &whole);

    // Its model predicts, with the same accuracy.
    let is_same_machine = manifest["system"]["arch"] == std::env::consts::ARCH;
    let model = Kept::experiment().load(copy.join("model.safetensors")).unwrap();
    let evaluation = Kept::experiment().evaluate(&model, PreparedDataset::test).unwrap();
    let recorded = manifest["result"]["test"]["loss"].as_f64().unwrap();
    assert!((evaluation.loss - recorded).abs() <= 1e-5 * recorded, "{} against {recorded}", evaluation.loss);
    assert!(Net::load(copy.join(checkpoint(10)).join("ema.safetensors")).is_ok());

    // It resumes from its checkpoint with the same result, on a machine of the same architecture.
    let run = Kept::experiment().resume(&copy).run().unwrap();
    assert_eq!(run.outcome.steps, 16);
    if is_same_machine {
        for name in ["metrics.jsonl", "trace.jsonl", "spec.json"] {
            assert!(fs::read(copy.join(name)).unwrap() == whole[name], "{name} differs");
        }
        assert_eq!(evaluation.loss.to_bits(), recorded.to_bits());
        let original = out.path().join("original");
        write(&original, &whole);
        for (place, from) in [(&original, None), (&original, Some(10)), (&copy, None)] {
            let verified = Kept::experiment().verify(place, from).unwrap();
            assert!(verified.is_same() && verified.model, "{:?}", verified.first);
        }
    }
}
