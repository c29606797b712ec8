//! The logs of a run, as they lie in its folder.

use std::io::ErrorKind;
use std::path::Path;

use super::metrics::METRICS;
use super::trace::TRACE;
use crate::error::{Error, Result};
use crate::files::read_file;

/// The bytes of the logs; none of one that is not there.
#[derive(Debug)]
pub(super) struct Logs {
    pub(super) metrics: Vec<u8>,
    pub(super) trace: Vec<u8>,
}

impl Logs {
    /// Those of a folder.
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
