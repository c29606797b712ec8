//! Resumes run folders with files that no run has written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};
use trainspec::prelude::*;

use super::campaign::{Campaign, Work, scratch};
use super::edit::{edited, edits};
use super::model_file::{Net, points};

train! {
    Kept {
        model: Net,
        data: points(),
        metrics: [Accuracy, ConfusionMatrix],
        batch: 4,
        epochs: 2,
        ema: Ema { decay: 0.5 },
        early_stop: EarlyStop { patience: 2 },
        schedule: [ReduceOnPlateau { factor: 0.5, patience: 1 }],
        checkpoint: Checkpoint { every: Epochs(1), keep: 3 },
    }
}

type Files = BTreeMap<String, Vec<u8>>;

fn files(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap_or_default());
            }
        }
    }
    files
}

fn write(folder: &Path, files: &Files) {
    let _ = fs::remove_dir_all(folder);
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// A run that was stopped after its first epoch, and the folder of its checkpoint.
fn ended() -> (Files, String) {
    let out = scratch();
    let run = Kept::experiment().out(out.path()).run().unwrap();
    let mut files = files(&run.folder.unwrap());
    let mut steps: Vec<_> =
        files.keys().filter_map(|name| name.split('/').nth(1)).map(str::to_owned).collect();
    steps.dedup();
    assert_eq!(steps.len(), 2, "{steps:?}");
    files.retain(|name, _| {
        !name.contains(&steps[1]) && !["model.safetensors", "curves.svg"].contains(&name.as_str())
    });
    (files, format!("checkpoints/{}", steps[0]))
}

/// Corrects the checksums of a changed checkpoint, so that its files are read.
fn mend(files: &mut Files, place: &str) {
    let state = format!("{place}/state.json");
    let (lines, bytes) = (files.get("metrics.jsonl").cloned().unwrap_or_default(), &files[&state]);
    if let Ok(mut json) = serde_json::from_slice::<Value>(bytes)
        && json.is_object()
    {
        json["metrics"] = serde_json::json!({ "bytes": lines.len(), "sha256": sum(&lines) });
        json["spec_hash"] = trainspec::spec::hash(&json["spec"]).into();
        files.insert(state, json.to_string().into_bytes());
    }
    let prefix = format!("{place}/");
    let sums: Vec<_> = files
        .iter()
        .filter_map(|(name, bytes)| Some((name.strip_prefix(&prefix)?, bytes)))
        .filter(|(name, _)| *name != "SHA256SUMS")
        .map(|(name, bytes)| format!("{}  {name}\n", sum(bytes)))
        .collect();
    files.insert(format!("{place}/SHA256SUMS"), sums.concat().into_bytes());
}

#[test]
fn random_run_folders_do_not_panic() {
    let out = scratch();
    let (whole, place) = ended();
    let neighbor = out.path().join("neighbor");
    write(&neighbor, &Files::from([("precious".to_owned(), b"as it is".to_vec())]));
    let folder = out.path().join("run");
    let mut names: Vec<String> = whole.keys().filter(|name| *name != "lock").cloned().collect();
    // The files from which most is read.
    names.extend(vec![format!("{place}/state.json"); 4]);
    names.extend(vec!["metrics.jsonl".to_owned(); 2]);
    // Includes training and writing the rest of the run.
    let campaign = Campaign { target: "run folder", cases: 600, each: 16, besides: 1 << 18 };
    campaign.run(&(0..names.len(), edits(), 0..5_u8), |(number, edits, mending)| -> Work<'static> {
        let mut changed = whole.clone();
        let name = &names[number];
        changed.insert(name.clone(), edited(&whole[name], &edits));
        if mending > 0 && !name.ends_with("SHA256SUMS") {
            mend(&mut changed, &place);
        }
        write(&folder, &changed);
        let size = changed.values().map(Vec::len).sum();
        let (folder, neighbor, out) = (folder.clone(), neighbor.clone(), out.path().to_owned());
        (
            size,
            Box::new(move || {
                let outcome = Kept::experiment().resume(&folder).run();
                assert_eq!(files(&neighbor)["precious"], b"as it is");
                assert_eq!(fs::read_dir(&out).unwrap().count(), 2, "nothing is created next to the run");
                outcome.map(|_| ()).map_err(|error| error.to_string())
            }),
        )
    });
}

/// Links in a run folder to external files and folders and to endless files.
#[cfg(unix)]
#[test]
fn links_in_run_folder_are_not_followed() {
    use std::os::unix::fs::symlink;

    let out = scratch();
    let (whole, place) = ended();
    let (folder, neighbor) = (out.path().join("run"), out.path().join("neighbor"));
    let elsewhere = Files::from([
        ("precious".to_owned(), b"as it is".to_vec()),
        ("checkpoints/.step-00000001.partial/model".to_owned(), b"as it is".to_vec()),
        ("checkpoints/step-00000099/state.json".to_owned(), b"as it is".to_vec()),
    ]);
    let sums = format!("{place}/SHA256SUMS");
    let model = format!("{place}/model.safetensors");
    for (name, to) in [
        ("metrics.jsonl", neighbor.join("precious")),
        ("metrics.jsonl", PathBuf::from("/dev/zero")),
        ("lock", neighbor.join("new")),
        ("checkpoints", neighbor.join("checkpoints")),
        (&place, neighbor.join("checkpoints/step-00000099")),
        ("checkpoints/step-00000099", neighbor.join("checkpoints/step-00000099")),
        ("checkpoints/.step-00000099.partial", neighbor.join("checkpoints")),
        (&sums, PathBuf::from("/dev/zero")),
        (&model, PathBuf::from("/dev/zero")),
        (&model, neighbor.join("precious")),
        ("spec.json", neighbor.join("precious")),
        ("manifest.json", neighbor.join("precious")),
        ("manifest.json", PathBuf::from("/dev/zero")),
        (".tmpAbc", neighbor.join("precious")),
        ("model.safetensors", neighbor.join("precious")),
        ("curves.svg", neighbor.join("precious")),
    ] {
        write(&neighbor, &elsewhere);
        write(&folder, &whole);
        let path = folder.join(name);
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir_all(&path);
        symlink(&to, &path).unwrap();
        let outcome = Kept::experiment().resume(&folder).run();
        assert!(files(&neighbor) == elsewhere, "{name} to {}: {:?}", to.display(), files(&neighbor).keys());
        let is_replaced =
            ["spec.json", "manifest.json", ".tmpAbc", "model.safetensors", "curves.svg"].contains(&name);
        match outcome {
            Ok(_) => assert!(is_replaced && !path.is_symlink(), "{name} to {}", to.display()),
            Err(error) => assert!(!is_replaced, "{name} to {}: {error}", to.display()),
        }
    }
}

/// Names in the checksum list that do not belong to a checkpoint.
#[test]
fn checksum_names_outside_checkpoint_are_rejected() {
    let out = scratch();
    let (whole, place) = ended();
    let folder = out.path().join("run");
    for name in [
        "../../../neighbor",
        "../../../neighbor/state.json",
        "/etc/passwd",
        "state.json/../../../x",
        "model.safetensors\0",
        "",
        ".",
    ] {
        let mut changed = whole.clone();
        let line = format!("{}  {name}\n", sum(b""));
        changed.get_mut(&format!("{place}/SHA256SUMS")).unwrap().splice(0..0, line.into_bytes());
        write(&folder, &changed);
        let problem = Kept::experiment().resume(&folder).run().unwrap_err().to_string();
        assert!(problem.contains("has a line that does not name a file"), "{problem}");
    }
}
