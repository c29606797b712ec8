//! Where a run's checkpoints stand: how one gets to its place, and which ones stay.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::checksums::{SUMS, line};
use crate::error::{Error, Result};
use crate::files::{hex, sync_folder, write_synced};
use crate::model_file::TensorFile;

/// The name of a checkpoint's folder.
///
/// In their order one comes after the other in the run: one of an interruption may be of the same step as one that is due, and
/// is then older, made before the evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    /// Steps taken.
    pub(super) step: u64,
    /// Whether the spec asks for it; else it is of an interruption, and goes when a later one is there or the run has ended, so
    /// that a run leaves the same files whether it was interrupted or not.
    pub(super) is_due: bool,
}

/// The checkpoints of a run on the disk.
#[derive(Debug)]
pub(super) struct CheckpointStore {
    path: PathBuf,
    keep: usize,
    /// Those that are there, in their order.
    slots: Vec<Slot>,
}

/// What a file of a checkpoint holds.
pub(super) trait Content {
    /// Writes all of it.
    fn write(&self, to: &mut dyn Write) -> io::Result<()>;
}

impl Content for Vec<u8> {
    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(self)
    }
}

/// A file that is written from where its numbers are, without a copy.
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

    /// What [`Slot::name`] gave.
    pub(super) fn named(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("step-")?;
        let (step, is_due) = rest.strip_suffix("-interrupted").map_or((rest, true), |step| (step, false));
        let slot = Self { step: step.parse().ok()?, is_due };
        (slot.name() == name).then_some(slot)
    }
}

impl CheckpointStore {
    /// An empty one at `path`, on which the newest `keep` stay.
    pub(super) fn new(path: PathBuf, keep: usize) -> Self {
        Self { path, keep: keep.max(1), slots: Vec::new() }
    }

    /// Goes on with what stands there. What a process that was ended left half written or half removed goes, and `damaged` is
    /// set aside. `best` is the last step of the best epoch so far.
    pub(super) fn take_up(&mut self, slots: Vec<Slot>, best: Option<u64>, damaged: &[Slot]) -> Result<()> {
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
        // The process may have been ended before it removed what its last checkpoint supersedes.
        self.remove(&superseded(&self.slots, self.keep, best))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the newest checkpoint is of this step.
    pub(super) fn has(&self, step: u64) -> bool {
        self.slots.last().is_some_and(|slot| slot.step == step)
    }

    /// Writes a checkpoint aside, brings it to its place, and only then removes what is no longer kept. `best` is the last step
    /// of the best epoch so far.
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
            // What is left aside is of no use; why it could not get to its place is the error to tell.
            let _ = fs::remove_dir_all(&aside);
            return Err(error);
        }
        sync_folder(&self.path)?;
        self.slots.push(slot);
        self.remove(&superseded(&self.slots, self.keep, best))
    }

    /// Removes the checkpoints of interruptions, of a run that has ended, and the folder if there were no others.
    pub(super) fn clear(&mut self) -> Result<()> {
        let slots: Vec<_> = self.slots.iter().copied().filter(|slot| !slot.is_due).collect();
        self.remove(&slots)?;
        if !slots.is_empty() && self.slots.is_empty() {
            // There may be something of the user's, or something that is damaged.
            let _ = fs::remove_dir(&self.path);
        }
        Ok(())
    }

    /// Takes them from their places first, so that none stands there of which some files are gone.
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

    /// Where a checkpoint is that is not whole.
    fn aside(&self, slot: Slot) -> PathBuf {
        self.path.join(format!(".{}.partial", slot.name()))
    }
}

/// Writes the files and the list of their sums; each file's memory is given back when it is written.
fn write(folder: &Path, files: impl IntoIterator<Item = (&'static str, impl Content)>) -> Result<()> {
    let mut sums = String::new();
    for (name, content) in files {
        let path = folder.join(name);
        let mut file =
            Summed { file: File::create_new(&path).map_err(Error::file(&path))?, hash: Sha256::new() };
        content.write(&mut file).map_err(Error::file(&path))?;
        file.file.sync_all().map_err(Error::file(&path))?;
        sums += &line(name, &hex(&file.hash.finalize()));
    }
    write_synced(&folder.join(SUMS), sums.as_bytes())?;
    sync_folder(folder).map(|_| ())
}

/// A file with the sum of what was written to it.
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

/// Which checkpoints go: all but the newest `keep`, and but the one of the best epoch, which is the first that was made at its
/// end or later. Those of interruptions count for neither; all go but one that is the newest of all.
fn superseded(slots: &[Slot], keep: usize, best: Option<u64>) -> Vec<Slot> {
    let due = || slots.iter().filter(|slot| slot.is_due);
    let of_best = best.and_then(|best| due().find(|slot| slot.step >= best));
    let old = due().count().saturating_sub(keep);
    let old = due().take(old).filter(|&slot| Some(slot) != of_best);
    let newest = slots.last();
    let passed = slots.iter().filter(|&slot| !slot.is_due && Some(slot) != newest);
    old.chain(passed).copied().collect()
}

/// Removes a folder, if it is there.
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
    fn the_best_is_the_first_checkpoint_at_or_after_its_epoch() {
        assert_eq!(steps(&[10, 20, 30, 40], 1, Some(15)), [10, 30]);
        assert_eq!(steps(&[10, 20, 30, 40], 1, Some(50)), [10, 20, 30]);
        assert_eq!(steps(&[10, 20], 3, None), [0_u64; 0]);
    }

    /// 15 would else be that of the best epoch, and 25 one of the newest two.
    #[test]
    fn those_of_interruptions_count_for_nothing() {
        let mut slots = [Slot::due(10), Slot::of_interruption(15), Slot::due(20), Slot::of_interruption(25)];
        assert_eq!(superseded(&slots, 2, Some(15)), [Slot::of_interruption(15)]);
        slots[3] = Slot::due(30);
        assert_eq!(superseded(&slots, 1, Some(15)), [Slot::due(10), Slot::of_interruption(15)]);
    }

    #[test]
    fn a_name_is_that_of_its_slot_alone() {
        for slot in [Slot::due(0), Slot::due(150), Slot::due(1_234_567_890), Slot::of_interruption(7)] {
            assert_eq!(Slot::named(&slot.name()), Some(slot));
        }
        for name in ["step-7", "step-00000007.damaged", ".step-00000007.partial", "step-+0000007", "step-"] {
            assert_eq!(Slot::named(name), None, "{name}");
        }
        assert!(Slot::of_interruption(7) < Slot::due(7) && Slot::due(6) < Slot::of_interruption(7));
    }

    /// What cannot get to its place costs nothing that was there.
    #[test]
    fn nothing_goes_before_another_is_in_its_place() {
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
    fn an_interruption_leaves_no_trace_in_a_run_that_has_ended() {
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
