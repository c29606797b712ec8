//! `SHA256SUMS`: the checksums of a checkpoint's files, in the format that `sha256sum --check` reads.
//!
//! safetensors has no checksum of its own, and JSON with a flipped digit is still JSON. The last line is that of
//! `state.json`, so a truncated list is detected.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::Error;
use crate::files::{is_no_file, read_file, sha256};

/// The list.
pub(super) const SUMS: &str = "SHA256SUMS";
/// The state other than tensors.
pub(super) const STATE: &str = "state.json";
/// The parameters and running statistics.
pub(super) const MODEL: &str = "model.safetensors";
/// The optimizer's state.
pub(super) const OPTIMIZER: &str = "optimizer.safetensors";
/// The weights of the best epoch.
pub(super) const BEST: &str = "best.safetensors";
/// The average of the weights.
pub(super) const EMA: &str = "ema.safetensors";

/// All files that a checkpoint can have, in alphabetical order, and whether each is required.
const FILES: [(&str, bool); 5] =
    [(BEST, false), (EMA, false), (MODEL, true), (OPTIMIZER, true), (STATE, true)];

/// The files of a checkpoint by name.
pub(super) type Files = BTreeMap<&'static str, Vec<u8>>;

/// The line of a file with this checksum.
pub(super) fn line(name: &str, sum: &str) -> String {
    format!("{sum}  {name}\n")
}

/// Why a checkpoint is not used.
#[derive(Debug)]
pub(super) enum Fault {
    /// Its content is not what was written.
    Damaged(String),
    /// It may be intact: the system does not allow reading it, or another version wrote it.
    Unknown(Error),
}

impl From<String> for Fault {
    fn from(problem: String) -> Self {
        Self::Damaged(problem)
    }
}

/// Reads the files of a folder if its list is complete and matches them; otherwise returns what is wrong.
pub(super) fn read(folder: &Path) -> Result<Files, Fault> {
    let read = |name: &str| {
        let path = folder.join(name);
        read_file(&path).map_err(|error| {
            if is_no_file(&error) {
                Fault::Damaged(format!("`{name}`: {error}"))
            } else {
                Fault::Unknown(Error::file(path)(error))
            }
        })
    };
    let list = String::from_utf8(read(SUMS)?).map_err(|_| format!("`{SUMS}` is not text"))?;
    let lines = list.strip_suffix('\n').ok_or_else(|| format!("`{SUMS}` is cut short"))?;
    let mut files = Files::new();
    for line in lines.split('\n') {
        let known = line
            .split_once("  ")
            .and_then(|(sum, name)| Some((sum, FILES.iter().find(|(known, _)| *known == name)?.0)));
        let (sum, name) = known.ok_or_else(|| format!("`{SUMS}` has a line that does not name a file"))?;
        let bytes = read(name)?;
        if sha256(&bytes) != sum {
            return Err(format!("`{name}` has changed since it was written: its SHA-256 differs").into());
        }
        if files.insert(name, bytes).is_some() {
            return Err(format!("`{SUMS}` names `{name}` twice").into());
        }
    }
    match FILES.iter().find(|(name, is_needed)| *is_needed && !files.contains_key(name)) {
        Some((name, _)) => Err(format!("`{SUMS}` does not name `{name}`").into()),
        None => Ok(files),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn checksum_list_is_sorted_with_state_last() {
        assert!(FILES.is_sorted());
        assert_eq!(FILES.last().map(|(name, _)| *name), Some(STATE));
    }

    /// Flips every bit of the list and of a file, and tries every length.
    #[test]
    fn flipped_bits_and_truncation_are_detected() {
        let folder = tempfile::tempdir().unwrap();
        let files: Files = [(MODEL, b"model".to_vec()), (OPTIMIZER, vec![]), (STATE, b"{}".to_vec())].into();
        for (name, bytes) in &files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let list: String = files.iter().map(|(name, bytes)| line(name, &sha256(bytes))).collect();
        fs::write(folder.path().join(SUMS), list).unwrap();
        assert_eq!(read(folder.path()).unwrap(), files);
        for name in [SUMS, MODEL, STATE] {
            let path = folder.path().join(name);
            let whole = fs::read(&path).unwrap();
            for bit in 0..whole.len() * 8 {
                let mut flipped = whole.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                fs::write(&path, flipped).unwrap();
                assert!(read(folder.path()).is_err(), "bit {bit} of {name}");
            }
            for length in 0..whole.len() {
                fs::write(&path, &whole[..length]).unwrap();
                assert!(read(folder.path()).is_err(), "{length} bytes of {name}");
            }
            fs::write(&path, whole).unwrap();
        }
        fs::remove_file(folder.path().join(OPTIMIZER)).unwrap();
        let Err(Fault::Damaged(problem)) = read(folder.path()) else { panic!("a file is gone") };
        assert!(problem.starts_with("`optimizer.safetensors`: "), "{problem}");
    }

    /// Of a link to itself, the system reports neither that it exists nor that it does not. It stands for all other errors.
    #[cfg(unix)]
    #[test]
    fn unreadable_file_is_not_reported_as_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SUMS);
        std::os::unix::fs::symlink(&path, &path).unwrap();
        let Err(Fault::Unknown(error)) = read(folder.path()) else { panic!("it cannot be read") };
        assert!(error.to_string().contains("SHA256SUMS: "), "{error}");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(read(folder.path()), Err(Fault::Damaged(_))));
    }
}
