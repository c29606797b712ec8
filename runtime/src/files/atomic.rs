//! Atomic writes of files.

use std::fs::{File, Metadata};
use std::io::{Error as IoError, Write};
use std::path::Path;

use serde_json::Value;

use super::support::optional;
use crate::error::{Error, Result};

/// Writes a temporary file, syncs it, and renames it to `path`.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    write_like(path, |file| file.write_all(bytes), None)
}

/// The same for a file that `write` writes in parts, so that it need not be in memory as a whole.
pub(crate) fn write_whole_by(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<()> {
    write_like(path, write, None)
}

/// The same, with the permissions and, where the system permits it, the owner of a replaced file.
pub(super) fn write_like(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    replaced: Option<&Metadata>,
) -> Result<()> {
    let folder = folder_of(path);
    let mut file = aside().tempfile_in(folder).map_err(Error::file(path))?;
    write(file.as_file_mut()).map_err(Error::file(path))?;
    if let Some(replaced) = replaced {
        inherit(file.as_file(), replaced).map_err(Error::file(path))?;
    }
    sync(file.as_file()).map_err(Error::file(path))?;
    file.persist(path).map_err(|error| Error::File { path: path.to_owned(), cause: error.error })?;
    sync_folder(folder).map(|_| ())
}

/// The folder of a file.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Gives a file the owner and the permissions of another.
fn inherit(file: &File, other: &Metadata) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

        let own = file.metadata()?;
        let is_owned = (own.uid(), own.gid()) == (other.uid(), other.gid())
            || fchown(file, Some(other.uid()), Some(other.gid())).is_ok()
            || own.uid() == other.uid() && fchown(file, None, Some(other.gid())).is_ok();
        // Never keep the bits that let a program run as its owner under another owner.
        let mode = other.permissions().mode() & if is_owned { 0o7777 } else { 0o777 };
        file.set_permissions(std::fs::Permissions::from_mode(mode))
    }
    #[cfg(not(unix))]
    file.set_permissions(other.permissions())
}

/// The prefix of temporary file names.
const ASIDE: &str = ".tmp";

/// Removes the temporary files that a process left in a folder when it was killed during a write.
pub(crate) fn clear_aside(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(Error::file(folder))? {
        let entry = entry.map_err(Error::file(folder))?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(ASIDE)) {
            std::fs::remove_file(entry.path()).map_err(Error::file(entry.path()))?;
        }
    }
    Ok(())
}

/// Writes and syncs a file in a temporary folder, which is renamed later.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create_new(path).map_err(Error::file(path))?;
    file.write_all(bytes).map_err(Error::file(path))?;
    sync(&file).map_err(Error::file(path))
}

/// Syncs the content of a file, where its file system supports it.
pub(crate) fn sync(file: &File) -> std::io::Result<()> {
    optional(file.sync_all()).map(|_| ())
}

/// Syncs the names in a folder. Returns the system's reason where its file system does not support it.
pub(crate) fn sync_folder(path: &Path) -> Result<Option<IoError>> {
    // On other systems a folder cannot be opened as a file, and a rename is durable by itself.
    if !cfg!(unix) {
        return Ok(None);
    }
    let folder = File::open(path).map_err(Error::file(path))?;
    optional(folder.sync_all()).map_err(Error::file(path))
}

/// Pretty-printed JSON: indented, with keys in alphabetical order.
pub(crate) fn pretty(json: &Value) -> String {
    format!("{:#}\n", sorted(json))
}

fn sorted(json: &Value) -> Value {
    match json {
        Value::Object(keys) => {
            let mut keys: Vec<_> = keys.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            keys.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(keys.into_iter().collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// Temporary files are private; the final files have the permissions of any new file.
fn aside() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(ASIDE);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The process's umask is subtracted.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atomic_write_replaces_file_and_leaves_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spec.json");
        write_atomic(&path, b"first").unwrap();
        write_atomic(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// The folder of processes does not support it: EINVAL.
    #[cfg(target_os = "linux")]
    #[test]
    fn unsupported_folder_sync_is_not_an_error() {
        let reason = sync_folder(Path::new("/proc")).unwrap();
        assert!(reason.is_some_and(|reason| reason.kind() == std::io::ErrorKind::InvalidInput));
        assert!(sync_folder(tempfile::tempdir().unwrap().path()).unwrap().is_none());
        assert!(sync_folder(Path::new("/nowhere")).is_err());
    }

    #[test]
    fn write_error_names_the_path() {
        let error = write_atomic(Path::new("/nowhere/at/all.json"), b"").unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/at/all.json: "), "{error}");
    }

    #[test]
    fn json_keys_are_sorted_at_every_depth() {
        let json = serde_json::json!({ "b": [{ "d": 1, "c": 2 }], "a": null });
        assert_eq!(
            pretty(&json),
            "{\n  \"a\": null,\n  \"b\": [\n    {\n      \"c\": 2,\n      \"d\": 1\n    }\n  ]\n}\n"
        );
    }
}
