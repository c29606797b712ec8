//! A file to which lines are appended, with a running hash of what was written.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::files::{hex, optional, sha256, sync};

/// The open file, or none: lines of a run that is only re-run for a check are serialized and hashed without a file.
pub(super) struct AppendLog {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    sum: Sha256,
    bytes: u64,
    /// The last line written.
    line: Vec<u8>,
}

/// The length of a file at a checkpoint, and its hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recorded {
    bytes: u64,
    sha256: String,
}

/// The file for another thread, if there is one.
pub(super) struct Log {
    path: PathBuf,
    file: Option<File>,
}

impl Log {
    /// Syncs what was written so far to the disk.
    pub(super) fn sync(&self) -> Result<()> {
        let synced = self.file.as_ref().map_or(Ok(()), File::sync_data);
        optional(synced).map(|_| ()).map_err(Error::file(&self.path))
    }
}

impl Recorded {
    /// Returns whether both records have the same length.
    pub(super) fn is_as_long_as(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }

    /// Reads the recorded part of the file `name`, or returns why it does not match.
    pub(super) fn part<'a>(&self, name: &str, file: &'a [u8]) -> Result<&'a [u8], String> {
        let part = usize::try_from(self.bytes).ok().and_then(|bytes| file.get(..bytes));
        let part = part.ok_or_else(|| {
            format!("`{name}` has {} bytes; at the checkpoint it had {}", file.len(), self.bytes)
        })?;
        if sha256(part) == self.sha256 {
            Ok(part)
        } else {
            Err(format!("`{name}` has changed: its SHA-256 differs"))
        }
    }
}

impl AppendLog {
    /// Creates a new file.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let file = File::create_new(path).map_err(Error::file(path))?;
        Ok(Self { path: path.to_owned(), file: Some(BufWriter::new(file)), ..Self::unwritten(&[]) })
    }

    /// Continues after `part`, the start of the file, once the file is [cut](AppendLog::cut).
    pub(super) fn reopen(path: &Path, part: &[u8]) -> Result<Self> {
        let mut file = File::options().write(true).open(path).map_err(Error::file(path))?;
        file.seek(SeekFrom::Start(part.len() as u64)).map_err(Error::file(path))?;
        Ok(Self { path: path.to_owned(), file: Some(BufWriter::new(file)), ..Self::unwritten(part) })
    }

    /// Truncates the file to the known lines, before new ones are appended.
    pub(super) fn cut(&self) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let cut = file.get_ref().set_len(self.bytes).and_then(|()| sync(file.get_ref()));
        cut.map_err(Error::file(&self.path))
    }

    /// Continues after `part` without writing to a file.
    pub(super) fn unwritten(part: &[u8]) -> Self {
        Self {
            path: PathBuf::new(),
            file: None,
            sum: Sha256::new_with_prefix(part),
            bytes: part.len() as u64,
            line: Vec::new(),
        }
    }

    /// Appends a line of JSON.
    pub(super) fn write(&mut self, line: &impl Serialize) -> Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line)
            .map_err(|error| Error::File { path: self.path.clone(), cause: error.into() })?;
        self.line.push(b'\n');
        self.sum.update(&self.line);
        self.bytes += self.line.len() as u64;
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(&self.line)).map_err(Error::file(&self.path))
    }

    /// The line that was written last, with its line end.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush).map_err(Error::file(&self.path))
    }

    /// The length of the file. It is on the disk only after its [`Log`] is synced.
    pub(super) fn recorded(&self) -> Recorded {
        Recorded { bytes: self.bytes, sha256: hex(&self.sum.clone().finalize()) }
    }

    /// The file, to be synced before a checkpoint relies on it.
    pub(super) fn log(&mut self) -> Result<Log> {
        self.flush()?;
        let file = self.file.as_ref().map(|file| file.get_ref().try_clone()).transpose();
        Ok(Log { path: self.path.clone(), file: file.map_err(Error::file(&self.path))? })
    }
}
