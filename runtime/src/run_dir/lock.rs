//! One process at a time in a run folder.

use std::fs::{File, TryLockError};
use std::io::{Error as IoError, ErrorKind};
use std::path::Path;

use crate::error::{Error, Result};
use crate::files::regular;

/// A run folder that is this process's own until the value is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the folder.
    pub(super) fn take(folder: &Path) -> Result<Self> {
        let path = folder.join("lock");
        match regular(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::file(&path)(error)),
            _ => {}
        }
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::file(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            // A file system without locks is no reason not to train.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(Self { file }),
            Err(TryLockError::Error(source)) => Err(Error::File { path, source }),
            Err(TryLockError::WouldBlock) => Err(busy(folder)),
        }
    }
}

impl Lock {
    /// Sees to it that nobody is at work in a folder as long as it is looked at; nothing is written. There is no lock where
    /// there is no file of one.
    pub(super) fn look(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join("lock");
        let file = match regular(&path).and_then(|_| File::open(&path)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(Error::file(&path))?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(None),
            Err(TryLockError::Error(source)) => Err(Error::File { path, source }),
            Err(TryLockError::WouldBlock) => Err(busy(folder)),
        }
    }
}

fn busy(folder: &Path) -> Error {
    let problem = "another process is at work in this run folder; wait for it, or end it";
    let source = IoError::new(ErrorKind::WouldBlock, problem);
    Error::File { path: folder.to_owned(), source }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that was started at this very moment may have it open still.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        let problem = Lock::take(folder.path()).unwrap_err().to_string();
        assert!(problem.contains("another process is at work in this run folder"), "{problem}");
        assert!(Lock::look(folder.path()).is_err());
        drop(lock);
        let (one, other) = (Lock::look(folder.path()).unwrap(), Lock::look(folder.path()).unwrap());
        assert!(one.is_some() && other.is_some() && Lock::take(folder.path()).is_err());
        drop((one, other));
        Lock::take(folder.path()).unwrap();
    }
}
