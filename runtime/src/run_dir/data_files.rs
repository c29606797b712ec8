//! The files that the data of a run were read from.

use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use super::start::Start;
use crate::data::DataFile;
use crate::format::plain;

/// The file that replaced the declared one when the run in this folder was started, if one did.
///
/// A damaged manifest has none; then the fingerprint of the data shows that they differ.
pub(crate) fn recorded_data_file(run: &Path) -> Option<PathBuf> {
    let files = recorded(run);
    files.into_iter().find(DataFile::is_other).map(|file| file.path)
}

/// A sentence about the files, for an error that the data differ: which the run was started with, and which was read now.
pub(super) fn differing_files(run: &Path, start: &Start<'_>) -> String {
    let name = |file: &DataFile| {
        let sum =
            file.sha256.as_deref().map_or(String::new(), |sum| format!(" (SHA-256 {})", plain(sum, 64)));
        format!("{}{sum}", plain(&file.path.display().to_string(), 200))
    };
    match (recorded(run).as_slice(), start.data.files()) {
        ([was, ..], [is, ..]) if was != is => {
            format!("; the run was started with {}, and this is {}", name(was), name(is))
        }
        _ => String::new(),
    }
}

fn recorded(run: &Path) -> Vec<DataFile> {
    Manifest::read(&run.join("manifest.json"))
        .map_or_else(|_| Vec::new(), |manifest| manifest.data_files().to_vec())
}
