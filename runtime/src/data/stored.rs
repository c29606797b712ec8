//! The bytes of an array: in memory, or in a file from which each sample is read when it is used.

use std::fs::File;
use std::io::{self, BufRead};
use std::path::Path;
use std::sync::Arc;

use super::file::Origin;
use crate::error::{Error, Result};

/// The largest array that is read into memory.
pub(super) const IN_MEMORY: u64 = 64 << 20;

/// Bytes that can be read in any order.
#[derive(Clone)]
pub(super) enum Stored {
    Memory(Arc<Vec<u8>>),
    /// From a place in a file on. Positioned reads leave no pages in the process, unlike a memory map, and a file that became
    /// shorter is an error, not a signal.
    File {
        file: Arc<Positioned>,
        path: Arc<Path>,
        start: u64,
        length: u64,
    },
}

impl Stored {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    /// This many bytes of a file from `start` on, which the file has.
    pub(super) fn in_file(file: File, path: &Path, start: u64, length: u64) -> Self {
        Self::File { file: Arc::new(Positioned::new(file)), path: path.into(), start, length }
    }

    /// Calls `read` with `length` bytes from `start` on; `None` if there are not so many.
    pub(super) fn read<R>(
        &self,
        start: u64,
        length: usize,
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>> {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                let part = start.checked_add(length).and_then(|end| bytes.get(start..end));
                Ok(part.map(read))
            }
            Self::File { file, path, start: first, length: all } => {
                if start.checked_add(length as u64).is_none_or(|end| end > *all) {
                    return Ok(None);
                }
                let mut bytes = vec![0; length];
                file.read(&mut bytes, first + start).map_err(|cause| match cause.kind() {
                    io::ErrorKind::UnexpectedEof => Error::Data {
                        path: path.to_path_buf(),
                        line: None,
                        problem: "the file is shorter than when it was opened; do not change it during a run"
                            .to_owned(),
                    },
                    _ => Error::File { path: path.to_path_buf(), cause },
                })?;
                Ok(Some(read(&bytes)))
            }
        }
    }
}

/// Reads up to this many bytes into memory. The buffer grows as they are read.
pub(super) fn at_most(origin: &Origin, bytes: &mut dyn BufRead, most: u64) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let part = bytes.fill_buf().map_err(|error| origin.unreadable(error))?;
        let room = most - body.len() as u64;
        let taken = part.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        if taken == 0 {
            return Ok(body);
        }
        origin.reserve(&mut body, taken)?;
        body.extend_from_slice(&part[..taken]);
        bytes.consume(taken);
    }
}

/// A file that several threads read at different places.
#[cfg(unix)]
pub(super) struct Positioned(File);

#[cfg(unix)]
impl Positioned {
    fn new(file: File) -> Self {
        Self(file)
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, bytes, at)
    }
}

/// A file that several threads read at different places, one after the other.
#[cfg(not(unix))]
pub(super) struct Positioned(std::sync::Mutex<File>);

#[cfg(not(unix))]
impl Positioned {
    fn new(file: File) -> Self {
        Self(std::sync::Mutex::new(file))
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};

        let mut file = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(bytes)
    }
}
