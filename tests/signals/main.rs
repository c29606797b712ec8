//! A run that is interrupted at any instant keeps its state, and goes on to the files of one that was not, byte for byte.
//!
//! Seen to fail when an end is looked for at the end of an epoch only, when a window is left half taken, when an epoch that is to be
//! evaluated yet is not evaluated by the resumed run, when it is told another learning rate, when the checkpoint of an
//! interruption stays or counts as one that is kept, and when the program ends with 0.

#![allow(missing_docs, clippy::unwrap_used)]

mod background;
mod instants;
#[cfg(unix)]
mod processes;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

type Files = BTreeMap<String, Vec<u8>>;

/// Every file of a run by its name, but for the manifest, which tells of times.
fn files(run: &Path) -> Files {
    let mut files = BTreeMap::new();
    let mut folders = vec![run.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(run).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name != "manifest.json" {
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

fn manifest(run: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap()
}

#[track_caller]
fn assert_equal(found: &Files, expected: &Files, what: &str) {
    assert!(found.keys().eq(expected.keys()), "{what}: {:?} against {:?}", found.keys(), expected.keys());
    for (name, bytes) in expected {
        assert!(found[name] == *bytes, "{what}: {name} differs");
    }
}

/// The only run below a folder, if there is one.
fn only(program: &Path) -> Option<std::path::PathBuf> {
    let mut runs = fs::read_dir(program).ok()?.map(|entry| entry.unwrap().path());
    let run = runs.next();
    assert!(runs.next().is_none(), "more than one run");
    run
}
