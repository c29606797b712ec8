//! Reading whole files.

use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// The bytes of a file that has a length. A device or a pipe has none, and may never end.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>> {
    let about = regular(path)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(about.len()).unwrap_or(usize::MAX))?;
    File::open(path)?.take(about.len()).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Checks that the path is such a file. Call it before opening: opening a pipe blocks until the other end is opened.
pub(crate) fn regular(path: &Path) -> Result<Metadata> {
    let about = std::fs::metadata(path)?;
    if !about.is_file() {
        let kind = if about.is_dir() { ErrorKind::IsADirectory } else { ErrorKind::InvalidInput };
        return Err(Error::new(kind, "this is not a regular file; expected one with a length"));
    }
    Ok(about)
}

/// Whether an error of [`read_file`] means that nothing is there, or something other than a file. Any other error means that the
/// system does not allow reading it now, and shows nothing about its content.
pub(crate) fn is_no_file(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory => true,
        // The error of this module, not of the system.
        ErrorKind::InvalidInput => error.raw_os_error().is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn irregular_file_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "text").unwrap();
        assert_eq!(read_file(&path).unwrap(), b"text");
        assert_eq!(read_file(folder.path()).unwrap_err().kind(), ErrorKind::IsADirectory);
        assert_eq!(read_file(&folder.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
        if cfg!(unix) {
            let problem = read_file(Path::new("/dev/zero")).unwrap_err().to_string();
            assert!(problem.contains("not a regular file"), "{problem}");
        }
    }
}
