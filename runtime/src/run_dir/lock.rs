//! One process at a time in a run folder.

use std::fs::{self, File, TryLockError};
use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::files::{is_unsupported, regular};

/// The exclusive lock on a run folder, held until the value is dropped or the process ends in any way.
///
/// The lock file is left behind only if it existed before, or is [kept](Lock::keep): reading a folder leaves it
/// unchanged.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
    is_new: bool,
    /// Why there is no lock, on a file system without locks.
    missing: Option<IoError>,
}

/// The lock on a folder of run folders.
pub(crate) struct FolderLock(#[expect(dead_code, reason = "it is held")] Lock);

impl FolderLock {
    /// Locks the folder, and keeps the lock file.
    ///
    /// # Errors
    /// If another process has locked it.
    pub(crate) fn take(folder: &Path) -> Result<Self> {
        let mut lock = Lock::take(folder)?;
        lock.keep();
        Ok(Self(lock))
    }
}

impl Lock {
    /// Locks the folder.
    pub(super) fn take(folder: &Path) -> Result<Self> {
        let path = folder.join("lock");
        loop {
            match regular(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::file(&path)(error)),
                _ => {}
            }
            let (file, is_new) = match File::options().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    match File::options().write(true).open(&path) {
                        // It was removed in the meantime.
                        Err(error) if error.kind() == ErrorKind::NotFound => continue,
                        file => (file, false),
                    }
                }
                file => (file, true),
            };
            let file = file.map_err(Error::file(&path))?;
            // A new file that is not kept is removed before another process has it.
            let mut lock = Self { file, path: path.clone(), is_new: false, missing: None };
            match lock.file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::Error(error)) if is_unsupported(&error) => lock.missing = Some(error),
                Err(TryLockError::Error(source)) => return Err(Error::File { path, cause: source }),
                Err(TryLockError::WouldBlock) => return Err(busy(folder)),
            }
            if lock.is_in_place() {
                lock.is_new = is_new;
                return Ok(lock);
            }
        }
    }

    /// Makes sure that no process is using a folder while it is read. Nothing is written. Without a lock file there
    /// is no lock.
    pub(super) fn take_shared(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join("lock");
        loop {
            let file = match regular(&path).and_then(|_| File::open(&path)) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                file => file.map_err(Error::file(&path))?,
            };
            let lock = Self { file, path: path.clone(), is_new: false, missing: None };
            match lock.file.try_lock_shared() {
                Ok(()) if lock.is_in_place() => return Ok(Some(lock)),
                Ok(()) => {}
                Err(TryLockError::Error(error)) if is_unsupported(&error) => return Ok(None),
                Err(TryLockError::Error(source)) => return Err(Error::File { path, cause: source }),
                Err(TryLockError::WouldBlock) => return Err(busy(folder)),
            }
        }
    }

    /// Keeps the lock file for the next process.
    pub(super) fn keep(&mut self) {
        self.is_new = false;
    }

    /// Why there is no lock, on a file system without locks.
    pub(super) fn missing(&self) -> Option<&IoError> {
        self.missing.as_ref()
    }

    /// Returns whether the file is still the one at its path: its previous owner may have removed it.
    #[cfg(unix)]
    fn is_in_place(&self) -> bool {
        use std::os::unix::fs::MetadataExt;

        let of = |about: fs::Metadata| (about.dev(), about.ino());
        fs::metadata(&self.path).is_ok_and(|at| self.file.metadata().is_ok_and(|own| of(at) == of(own)))
    }

    /// Lock files are not removed on this system.
    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "there is nothing to look at")]
    fn is_in_place(&self) -> bool {
        true
    }
}

fn busy(folder: &Path) -> Error {
    let problem = "another process is using this run folder; wait for it, or stop it";
    let source = IoError::new(ErrorKind::WouldBlock, problem);
    Error::File { path: folder.to_owned(), cause: source }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.is_new && cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
        // Closing the file is not enough: a process started at this very moment may still have it open.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_is_exclusive_per_folder() {
        let folder = tempfile::tempdir().unwrap();
        let mut lock = Lock::take(folder.path()).unwrap();
        lock.keep();
        let problem = Lock::take(folder.path()).unwrap_err().to_string();
        assert!(problem.contains("another process is using this run folder"), "{problem}");
        assert!(Lock::take_shared(folder.path()).is_err());
        drop(lock);
        let (one, other) =
            (Lock::take_shared(folder.path()).unwrap(), Lock::take_shared(folder.path()).unwrap());
        assert!(one.is_some() && other.is_some() && Lock::take(folder.path()).is_err());
        drop((one, other));
        Lock::take(folder.path()).unwrap();
    }

    /// A file that is not kept is removed, and a process that has it open by then takes the new one.
    #[cfg(unix)]
    #[test]
    fn temporary_lock_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = Lock::take(folder.path()).unwrap();
        let opened = File::open(&path).unwrap();
        assert!(Lock::take(folder.path()).is_err());
        assert!(path.exists(), "who is refused does not remove it");
        drop(lock);
        assert!(!path.exists() && Lock::take_shared(folder.path()).unwrap().is_none());
        let mut kept = Lock::take(folder.path()).unwrap();
        kept.keep();
        let stale = Lock { file: opened, path: path.clone(), is_new: false, missing: None };
        assert!(!stale.is_in_place() && kept.is_in_place());
        drop(kept);
        assert!(path.exists());
    }
}
