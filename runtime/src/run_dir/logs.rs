//! The logs of a run, as stored in its folder.

use std::io::ErrorKind;
use std::path::Path;

use super::metrics::METRICS;
use super::trace::TRACE;
use crate::error::{Error, Result};
use crate::files::read_file;

/// The bytes of the logs; empty if a log does not exist.
#[derive(Debug)]
pub(super) struct Logs {
    pub(super) metrics: Vec<u8>,
    pub(super) trace: Vec<u8>,
}

impl Logs {
    /// Reads the logs of a folder.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let read = |name: &str| {
            let path = folder.join(name);
            match read_file(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
                bytes => bytes.map_err(Error::file(&path)),
            }
        };
        Ok(Self { metrics: read(METRICS)?, trace: read(TRACE)? })
    }
}
