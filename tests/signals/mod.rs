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

use std::fs;
use std::path::Path;

use trainspec_tests::run_files::{Files, assert_equal, files, only};

fn manifest(run: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap()
}
