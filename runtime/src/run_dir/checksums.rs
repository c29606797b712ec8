//! `SHA256SUMS`: the sums of a checkpoint's files, in the form that `sha256sum --check` reads.
//!
//! safetensors has no checksum of its own, and a digit of JSON that has flipped is JSON still. The last line is that of
//! `state.json`, so a list that was cut is told from a whole one.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::Error;
use crate::files::{is_no_file, read_file, sha256};

/// The list.
pub(super) const SUMS: &str = "SHA256SUMS";
/// What is no tensor.
pub(super) const STATE: &str = "state.json";
/// The parameters and running statistics.
pub(super) const MODEL: &str = "model.safetensors";
/// The optimizer's state.
pub(super) const OPTIMIZER: &str = "optimizer.safetensors";
/// The weights of the best epoch.
pub(super) const BEST: &str = "best.safetensors";
/// The average of the weights.
pub(super) const EMA: &str = "ema.safetensors";

/// Every file that a checkpoint can have, in the order of the alphabet, and whether each has it.
const FILES: [(&str, bool); 5] =
    [(BEST, false), (EMA, false), (MODEL, true), (OPTIMIZER, true), (STATE, true)];

/// The files of a checkpoint by their names.
pub(super) type Files = BTreeMap<&'static str, Vec<u8>>;

/// The line of a file with this sum.
pub(super) fn line(name: &str, sum: &str) -> String {
    format!("{sum}  {name}\n")
}

/// Why a checkpoint is not used.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is not what was written.
    Damaged(String),
    /// It may be what was written: the system does not let it be read, or another version wrote it.
    Unknown(Error),
}

impl From<String> for Fault {
    fn from(problem: String) -> Self {
        Self::Damaged(problem)
    }
}

/// The files of a folder, if its list is whole and they are those of the list; else what is wrong.
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
    let list = String::from_utf8(read(SUMS)?).map_err(|_| format!("`{SUMS}` is no text"))?;
    let lines = list.strip_suffix('\n').ok_or_else(|| format!("`{SUMS}` is cut"))?;
    let mut files = Files::new();
    for line in lines.split('\n') {
        let known = line
            .split_once("  ")
            .and_then(|(sum, name)| Some((sum, FILES.iter().find(|(known, _)| *known == name)?.0)));
        let (sum, name) = known.ok_or_else(|| format!("`{SUMS}` has a line that names no file"))?;
        let bytes = read(name)?;
        if sha256(&bytes) != sum {
            return Err(format!("`{name}` is not what was written: its SHA-256 is another").into());
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
    fn the_list_ends_with_the_state() {
        assert!(FILES.is_sorted());
        assert_eq!(FILES.last().map(|(name, _)| *name), Some(STATE));
    }

    /// Every bit of the list and of a file, and every length.
    #[test]
    fn one_bit_or_one_byte_less_is_seen() {
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

    /// A link to itself is neither there nor not there to the system, which stands for all that it may refuse.
    #[cfg(unix)]
    #[test]
    fn what_cannot_be_read_is_not_known_to_be_damaged() {
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
