//! Tries all file system operations that a run needs.

use std::path::Path;

use super::lock::Lock;
use crate::error::{Error, Result};
use crate::files::{sync_folder, write_atomic};

/// Creates a folder in `place` as a run does, locks it, and writes, syncs and renames a file there; then removes it. Returns
/// one sentence for each operation that the file system does not support and a run does without.
///
/// # Errors
/// If a run would fail there.
pub(crate) fn probe(place: &Path) -> Result<Vec<String>> {
    let folder =
        tempfile::Builder::new().prefix(".trainspec-").tempdir_in(place).map_err(Error::file(place))?;
    let lock = Lock::take(folder.path())?;
    write_atomic(&folder.path().join("file"), b"a run")?;
    let synced = sync_folder(folder.path())?;
    let notices = notices(place, &lock, synced.as_ref());
    drop(lock);
    folder.close().map_err(Error::file(place))?;
    Ok(notices)
}

/// One sentence for each operation that a run does without below `place`: locks, and syncing what it writes.
pub(super) fn notices(place: &Path, lock: &Lock, synced: Option<&std::io::Error>) -> Vec<String> {
    let place = place.display();
    let locks = lock.missing().map(|reason| {
        format!(
            "{place}: the file system has no locks ({reason}), so nothing keeps a second process from writing to the same run"
        )
    });
    let syncs = synced.map(|reason| {
        format!("{place}: the file system does not sync folders ({reason}); a power failure may lose the newest checkpoint")
    });
    locks.into_iter().chain(syncs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probe_leaves_folder_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(probe(folder.path()).unwrap(), [""; 0]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(probe(&folder.path().join("none")).is_err());
    }
}
