//! A run's own files must be in its folder.

use std::fs;
use std::io::{Error as IoError, ErrorKind};
use std::path::Path;

use super::metrics::METRICS;
use super::trace::TRACE;
use crate::error::{Error, Result};

/// Checks that nothing in a run folder that is opened for writing, or whose entries are renamed and removed, is a link. A link
/// could make a run change files elsewhere. The folder itself may be reached through links.
///
/// Files that are only replaced by a rename need no check: the rename replaces the link.
pub(super) fn refuse_links(run: &Path) -> Result<()> {
    let checkpoints = run.join("checkpoints");
    let mut places = vec![run.join("lock"), run.join(METRICS), run.join(TRACE), checkpoints.clone()];
    if fs::symlink_metadata(&checkpoints).is_ok_and(|about| about.is_dir()) {
        for entry in fs::read_dir(&checkpoints).map_err(Error::file(&checkpoints))? {
            places.push(entry.map_err(Error::file(&checkpoints))?.path());
        }
    }
    for path in places {
        if fs::symlink_metadata(&path).is_ok_and(|about| about.is_symlink()) {
            let problem = "this is a link, but the files of a run must be in its folder; replace it with what it points to";
            return Err(Error::File { path, cause: IoError::new(ErrorKind::InvalidInput, problem) });
        }
    }
    Ok(())
}
