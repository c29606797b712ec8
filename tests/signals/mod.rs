//! A run that is interrupted at any instant saves its state, and resumes to the files of an uninterrupted run, byte for byte.
//!
//! Seen to fail when interruption is checked only at the end of an epoch, when a window is interrupted halfway, when the
//! resumed run does not evaluate a pending epoch, when it reports another learning rate, when the checkpoint of an
//! interruption remains or counts as a retained one, and when the program exits with 0.

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
