//! `SHA256SUMS`: the sums of a checkpoint's files, in the form that `sha256sum --check` reads.
//!
//! safetensors has no checksum of its own, and a digit of JSON that has flipped is JSON still. The last line is that of
//! `state.json`, so a list that was cut is told from a whole one.

use std::collections::BTreeMap;
use std::path::Path;

use crate::files::read_regular;
use crate::files::sha256;

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

/// The files of a folder, if its list is whole and they are those of the list; else what is wrong.
pub(super) fn read(folder: &Path) -> Result<Files, String> {
    let read = |name: &str| read_regular(&folder.join(name)).map_err(|error| format!("`{name}`: {error}"));
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
            return Err(format!("`{name}` is not what was written: its SHA-256 is another"));
        }
        if files.insert(name, bytes).is_some() {
            return Err(format!("`{SUMS}` names `{name}` twice"));
        }
    }
    match FILES.iter().find(|(name, is_needed)| *is_needed && !files.contains_key(name)) {
        Some((name, _)) => Err(format!("`{SUMS}` does not name `{name}`")),
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
        assert!(read(folder.path()).unwrap_err().starts_with("`optimizer.safetensors`: "));
    }
}
