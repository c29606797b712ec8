//! Reads the files of a run for byte-by-byte comparison.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder for many runs: in memory where available, since each run waits for the disk repeatedly, and a killed process
/// leaves the same files there.
///
/// # Panics
/// If it cannot be made.
#[must_use]
pub fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

/// The bytes of each file by its path relative to the run folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Reads every file below a run folder.
///
/// # Panics
/// If one cannot be read.
#[must_use]
pub fn every_file(run: &Path) -> Files {
    let mut files = BTreeMap::new();
    let mut folders = vec![run.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(run).expect("below the run").to_str().expect("names are text");
                files.insert(name.to_owned(), fs::read(&path).expect("a file"));
            }
        }
    }
    files
}

/// Reads every file of a run except the manifest, which records times.
///
/// # Panics
/// If one cannot be read.
#[must_use]
pub fn files(run: &Path) -> Files {
    let mut files = every_file(run);
    files.remove("manifest.json");
    files
}

/// Asserts that both have the same files with the same bytes.
///
/// # Panics
/// If not.
#[track_caller]
pub fn assert_equal(found: &Files, expected: &Files, what: &str) {
    assert!(found.keys().eq(expected.keys()), "{what}: {:?} against {:?}", found.keys(), expected.keys());
    for (name, bytes) in expected {
        assert!(found[name] == *bytes, "{what}: {name} differs");
    }
}

/// Returns the only run of a program below `runs/<name>`, if any.
///
/// # Panics
/// If there are more.
#[must_use]
pub fn only(program: &Path) -> Option<PathBuf> {
    let mut runs = fs::read_dir(program).ok()?.map(|entry| entry.expect("an entry").path());
    let run = runs.next();
    assert!(runs.next().is_none(), "more than one run below {}", program.display());
    run
}
