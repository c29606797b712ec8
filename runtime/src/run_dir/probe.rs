//! A try of all that a run does with its place.

use std::path::Path;

use super::lock::Lock;
use crate::error::{Error, Result};
use crate::files::{sync_folder, write_atomic};

/// Makes a folder in `place` as a run does, locks it, and writes, syncs and renames a file there; then removes it. Gives a
/// sentence on each thing that the file system does not have and a run does without.
///
/// # Errors
/// If a run would be refused.
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

/// A sentence on each thing that a run does without below `place`: locks, and to sync what it writes.
pub(super) fn notices(place: &Path, lock: &Lock, synced: Option<&std::io::Error>) -> Vec<String> {
    let place = place.display();
    let locks = lock.missing().map(|reason| {
        format!(
            "{place}: the file system has no locks ({reason}), so nothing keeps a second process from writing to the same run"
        )
    });
    let syncs = synced.map(|reason| {
        format!("{place}: the file system does not sync folders ({reason}); a power cut may take the newest checkpoint with it")
    });
    locks.into_iter().chain(syncs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(probe(folder.path()).unwrap(), [""; 0]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(probe(&folder.path().join("none")).is_err());
    }
}
