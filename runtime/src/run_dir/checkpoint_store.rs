//! The checkpoints of a run on the disk: how one is put in place, and which ones are kept.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::checksums::{SUMS, line};
use crate::error::{Error, Result};
use crate::files::{hex, sync, sync_folder, write_synced};
use crate::model_file::TensorFile;

/// The name of a checkpoint's folder.
///
/// They are ordered by their position in the run. A checkpoint of an interruption may have the same step as a due one; it is
/// then the older one, saved before the evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    /// The number of optimizer steps taken.
    pub(super) step: u64,
    /// Whether the spec asks for it. Otherwise it is of an interruption, and is removed once a later one exists or the run
    /// has ended, so that a run leaves the same files whether it was interrupted or not.
    pub(super) is_due: bool,
}

/// The checkpoints of a run on the disk.
#[derive(Debug)]
pub(super) struct CheckpointStore {
    path: PathBuf,
    keep: usize,
    /// The existing checkpoints, in order.
    slots: Vec<Slot>,
}

/// The content of a checkpoint file.
pub(super) trait Content {
    /// Writes all of it.
    fn write(&self, to: &mut dyn Write) -> io::Result<()>;
}

impl Content for Vec<u8> {
    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(self)
    }
}

/// A file that is written from where its values are, without a copy.
pub(super) enum InPlace<'a> {
    Bytes(Vec<u8>),
    Tensors(TensorFile<'a>),
}

impl Content for InPlace<'_> {
    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Bytes(bytes) => to.write_all(bytes),
            Self::Tensors(file) => file.write(to),
        }
    }
}

impl Slot {
    pub(super) fn due(step: u64) -> Self {
        Self { step, is_due: true }
    }

    pub(super) fn of_interruption(step: u64) -> Self {
        Self { step, is_due: false }
    }

    /// `step-00000150`, or `step-00000150-interrupted`.
    pub(super) fn name(self) -> String {
        format!("step-{:08}{}", self.step, if self.is_due { "" } else { "-interrupted" })
    }

    /// Parses the result of [`Slot::name`].
    pub(super) fn named(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("step-")?;
        let (step, is_due) = rest.strip_suffix("-interrupted").map_or((rest, true), |step| (step, false));
        let slot = Self { step: step.parse().ok()?, is_due };
        (slot.name() == name).then_some(slot)
    }
}

impl CheckpointStore {
    /// Creates an empty store at `path` that keeps the newest `keep` checkpoints.
    pub(super) fn new(path: PathBuf, keep: usize) -> Self {
        Self { path, keep: keep.max(1), slots: Vec::new() }
    }

    /// Opens the existing store. Removes what a stopped process left partly written or partly removed, and sets `damaged`
    /// aside. `best` is the last step of the best epoch so far.
    pub(super) fn resume(&mut self, slots: Vec<Slot>, best: Option<u64>, damaged: &[Slot]) -> Result<()> {
        let entries = fs::read_dir(&self.path).map_err(Error::file(&self.path))?;
        for entry in entries {
            let entry = entry.map_err(Error::file(&self.path))?;
            let is_partial = |name: &str| name.starts_with(".step-") && name.ends_with(".partial");
            if entry.file_name().to_str().is_some_and(is_partial) {
                remove(&entry.path())?;
            }
        }
        for slot in damaged {
            let aside = self.path.join(format!("{}.damaged", slot.name()));
            remove(&aside)?;
            let place = self.path.join(slot.name());
            fs::rename(&place, &aside).map_err(Error::file(&place))?;
        }
        sync_folder(&self.path)?;
        self.slots = slots;
        // The process may have stopped before it removed what its last checkpoint supersedes.
        self.remove(&superseded(&self.slots, self.keep, best))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether the newest checkpoint is of this step.
    pub(super) fn has(&self, step: u64) -> bool {
        self.slots.last().is_some_and(|slot| slot.step == step)
    }

    /// Writes a checkpoint to a temporary folder, renames it, and only then removes what is no longer kept. `best` is the
    /// last step of the best epoch so far.
    pub(super) fn add(
        &mut self,
        slot: Slot,
        files: impl IntoIterator<Item = (&'static str, impl Content)>,
        best: Option<u64>,
    ) -> Result<()> {
        let place = self.path.join(slot.name());
        let aside = self.aside(slot);
        if !self.path.is_dir() {
            fs::create_dir_all(&self.path).map_err(Error::file(&self.path))?;
            self.path.parent().map_or(Ok(None), sync_folder)?;
        }
        fs::create_dir(&aside).map_err(Error::file(&aside))?;
        let written = write(&aside, files);
        let placed = written.and_then(|()| fs::rename(&aside, &place).map_err(Error::file(&place)));
        if let Err(error) = placed {
            // The temporary folder is of no use. The error to report is why it could not be renamed.
            let _ = fs::remove_dir_all(&aside);
            return Err(error);
        }
        sync_folder(&self.path)?;
        self.slots.push(slot);
        self.remove(&superseded(&self.slots, self.keep, best))
    }

    /// Removes the checkpoints of interruptions, of a run that has ended, and the folder if there are no others.
    pub(super) fn clear(&mut self) -> Result<()> {
        let slots: Vec<_> = self.slots.iter().copied().filter(|slot| !slot.is_due).collect();
        self.remove(&slots)?;
        if !slots.is_empty() && self.slots.is_empty() {
            // The folder may hold files of the user, or a damaged checkpoint.
            let _ = fs::remove_dir(&self.path);
        }
        Ok(())
    }

    /// Renames them first, so that no checkpoint stays in place with some of its files removed.
    fn remove(&mut self, slots: &[Slot]) -> Result<()> {
        for &slot in slots {
            let (place, aside) = (self.path.join(slot.name()), self.aside(slot));
            match fs::rename(&place, &aside) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::file(&place)(error)),
                _ => remove(&aside)?,
            }
            self.slots.retain(|kept| *kept != slot);
        }
        Ok(())
    }

    /// The path of a checkpoint that is incomplete.
    fn aside(&self, slot: Slot) -> PathBuf {
        self.path.join(format!(".{}.partial", slot.name()))
    }
}

/// Writes the files and the list of their checksums. The memory of each file is freed once it is written.
fn write(folder: &Path, files: impl IntoIterator<Item = (&'static str, impl Content)>) -> Result<()> {
    let mut sums = String::new();
    for (name, content) in files {
        let path = folder.join(name);
        let mut file =
            Summed { file: File::create_new(&path).map_err(Error::file(&path))?, hash: Sha256::new() };
        content.write(&mut file).map_err(Error::file(&path))?;
        sync(&file.file).map_err(Error::file(&path))?;
        sums += &line(name, &hex(&file.hash.finalize()));
    }
    write_synced(&folder.join(SUMS), sums.as_bytes())?;
    sync_folder(folder).map(|_| ())
}

/// A writer that also hashes what is written.
struct Summed {
    file: File,
    hash: Sha256,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Returns which checkpoints to remove: all but the newest `keep` and the one of the best epoch, which is the first that
/// was saved at its end or later. Those of interruptions do not count; all are removed except one that is the newest of all.
fn superseded(slots: &[Slot], keep: usize, best: Option<u64>) -> Vec<Slot> {
    let due = || slots.iter().filter(|slot| slot.is_due);
    let of_best = best.and_then(|best| due().find(|slot| slot.step >= best));
    let old = due().count().saturating_sub(keep);
    let old = due().take(old).filter(|&slot| Some(slot) != of_best);
    let newest = slots.last();
    let passed = slots.iter().filter(|&slot| !slot.is_due && Some(slot) != newest);
    old.chain(passed).copied().collect()
}

/// Removes a folder, if it exists.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file(path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::checksums::{Files, STATE};
    use super::*;

    fn names(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn steps(slots: &[u64], keep: usize, best: Option<u64>) -> Vec<u64> {
        let slots: Vec<_> = slots.iter().copied().map(Slot::due).collect();
        superseded(&slots, keep, best).iter().map(|slot| slot.step).collect()
    }

    #[test]
    fn best_checkpoint_is_first_at_or_after_best_epoch() {
        assert_eq!(steps(&[10, 20, 30, 40], 1, Some(15)), [10, 30]);
        assert_eq!(steps(&[10, 20, 30, 40], 1, Some(50)), [10, 20, 30]);
        assert_eq!(steps(&[10, 20], 3, None), [0_u64; 0]);
    }

    /// Otherwise 15 would be that of the best epoch, and 25 one of the newest two.
    #[test]
    fn interruption_checkpoints_do_not_affect_retention() {
        let mut slots = [Slot::due(10), Slot::of_interruption(15), Slot::due(20), Slot::of_interruption(25)];
        assert_eq!(superseded(&slots, 2, Some(15)), [Slot::of_interruption(15)]);
        slots[3] = Slot::due(30);
        assert_eq!(superseded(&slots, 1, Some(15)), [Slot::due(10), Slot::of_interruption(15)]);
    }

    #[test]
    fn checkpoint_names_round_trip() {
        for slot in [Slot::due(0), Slot::due(150), Slot::due(1_234_567_890), Slot::of_interruption(7)] {
            assert_eq!(Slot::named(&slot.name()), Some(slot));
        }
        for name in ["step-7", "step-00000007.damaged", ".step-00000007.partial", "step-+0000007", "step-"] {
            assert_eq!(Slot::named(name), None, "{name}");
        }
        assert!(Slot::of_interruption(7) < Slot::due(7) && Slot::due(6) < Slot::of_interruption(7));
    }

    /// A failed rename leaves everything in place.
    #[test]
    fn old_checkpoint_is_removed_only_after_new_one_is_saved() {
        let out = tempfile::tempdir().unwrap();
        let mut shelf = CheckpointStore::new(out.path().to_owned(), 1);
        let files = || Files::from([(STATE, b"{}".to_vec())]);
        shelf.add(Slot::due(1), files(), None).unwrap();
        fs::create_dir_all(out.path().join("step-00000002/of another")).unwrap();
        assert!(shelf.add(Slot::due(2), files(), None).is_err());
        assert_eq!(names(out.path()), ["step-00000001", "step-00000002"]);
        shelf.add(Slot::due(3), files(), None).unwrap();
        assert_eq!(names(out.path()), ["step-00000002", "step-00000003"]);
    }

    #[test]
    fn interruption_checkpoint_is_removed_when_run_completes() {
        let out = tempfile::tempdir().unwrap();
        let path = out.path().join("checkpoints");
        let mut shelf = CheckpointStore::new(path.clone(), 1);
        let files = || Files::from([(STATE, b"{}".to_vec())]);
        shelf.add(Slot::of_interruption(1), files(), None).unwrap();
        shelf.add(Slot::of_interruption(2), files(), None).unwrap();
        assert_eq!(names(&path), ["step-00000002-interrupted"]);
        shelf.clear().unwrap();
        assert!(!path.exists());
    }
}
