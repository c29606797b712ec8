//! The same spec, seed and data give the same bytes: in one process, in several, with any number of threads.

#![allow(missing_docs, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the program in a new folder and returns the folder of its run.
fn run(out: &Path, threads: &str, seed: &str) -> PathBuf {
    let output = Command::new(env!("CARGO_BIN_EXE_program"))
        .args(["--quiet", "--seed", seed, "--out"])
        .arg(out)
        .env("RAYON_NUM_THREADS", threads)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut runs: Vec<_> =
        std::fs::read_dir(out.join("small_digits")).unwrap().map(|entry| entry.unwrap().path()).collect();
    runs.sort();
    runs.pop().unwrap()
}

/// Returns every file of a run that must not depend on when and how it ran, by name.
fn bytes(run: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![run.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(run).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if name != "manifest.json" {
                // Only the manifest records times and threads.
                files.push((name, std::fs::read(path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn runs_with_equal_seed_are_byte_identical() {
    let folder = tempfile::tempdir().unwrap();
    let first = bytes(&run(&folder.path().join("a"), "2", "11"));
    let names: Vec<_> = first.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["model.safetensors", "metrics.jsonl", "spec.json"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(names.iter().any(|name| name.ends_with("optimizer.safetensors")), "{names:?}");
    for threads in ["2", "1", "3"] {
        let again = bytes(&run(&folder.path().join(threads), threads, "11"));
        for ((name, first), (again_name, again)) in first.iter().zip(&again) {
            assert_eq!(name, again_name);
            assert!(first == again, "{name} differs with {threads} threads");
        }
        assert_eq!(first.len(), again.len());
    }
    let other = bytes(&run(&folder.path().join("other"), "2", "12"));
    let model = |files: &[(String, Vec<u8>)]| {
        files.iter().find(|(name, _)| name == "model.safetensors").map(|(_, bytes)| bytes.clone())
    };
    assert_ne!(model(&first), model(&other), "another seed produces another model");
}
