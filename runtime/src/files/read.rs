//! Files that are read whole.

use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// The bytes of a file: of one that has a length. A device or a pipe has none, and may never end.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>> {
    let about = regular(path)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(about.len()).unwrap_or(usize::MAX))?;
    File::open(path)?.take(about.len()).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// That there is such a file. To be asked before one is opened: to open a pipe is to wait for whoever is at its other end.
pub(crate) fn regular(path: &Path) -> Result<Metadata> {
    let about = std::fs::metadata(path)?;
    if !about.is_file() {
        let kind = if about.is_dir() { ErrorKind::IsADirectory } else { ErrorKind::InvalidInput };
        return Err(Error::new(kind, "this is no regular file; expected one with a length"));
    }
    Ok(about)
}

/// Whether an error of [`read_file`] says what is there: nothing, or something that is no file. Any other says that the
/// system does not let it be read now, and nothing of what is in it.
pub(crate) fn is_no_file(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory => true,
        // Ours, not the system's.
        ErrorKind::InvalidInput => error.raw_os_error().is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_length_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "text").unwrap();
        assert_eq!(read_file(&path).unwrap(), b"text");
        assert_eq!(read_file(folder.path()).unwrap_err().kind(), ErrorKind::IsADirectory);
        assert_eq!(read_file(&folder.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
        if cfg!(unix) {
            let problem = read_file(Path::new("/dev/zero")).unwrap_err().to_string();
            assert!(problem.contains("no regular file"), "{problem}");
        }
    }
}
