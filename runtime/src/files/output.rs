//! Files at places that a user named, where anything may be.
//!
//! A regular file, or none, is replaced atomically: it is there whole or not at all, with the permissions and, where the system
//! permits it, the owner that it had. Links are followed, and stay. A device or a pipe is written into. A folder, a disk or
//! a socket is refused.

use std::fs::{self, File, Metadata};
use std::io::{Error as IoError, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::atomic::{folder_of, write_like};
use crate::error::{Error, Result};

/// What a file is written to.
enum Target {
    /// A regular file with what is known of the one that is there, or none yet.
    File(PathBuf, Option<Metadata>),
    /// What takes bytes as they come.
    Stream(PathBuf),
}

/// That a file can be written at `path`, as far as that can be known without writing one: to be asked before the work whose
/// result it is to hold.
pub(crate) fn check_output(path: &Path) -> Result<()> {
    target(path).map(|_| ())
}

/// Writes a file at `path`.
pub(crate) fn write_output(path: &Path, bytes: &[u8]) -> Result<()> {
    write_output_by(path, |file| file.write_all(bytes))
}

/// The same for a file that `write` writes part by part.
pub(crate) fn write_output_by(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<()> {
    match target(path)? {
        Target::File(at, replaced) => write_like(&at, write, replaced.as_ref()),
        Target::Stream(at) => {
            let file = File::options().write(true).truncate(true).open(at);
            file.and_then(|mut file| write(&mut file)).map_err(Error::file(path))
        }
    }
}

fn target(path: &Path) -> Result<Target> {
    let file = Error::file(path);
    let about = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let at = end_of_links(path);
            return match fs::metadata(folder_of(&at)) {
                Ok(folder) if folder.is_dir() => Ok(Target::File(at, None)),
                Ok(_) => Err(file(ErrorKind::NotADirectory.into())),
                Err(error) => Err(file(error)),
            };
        }
        about => match about {
            Ok(about) => about,
            Err(error) => return Err(file(error)),
        },
    };
    if about.is_dir() {
        return Err(file(IoError::new(ErrorKind::IsADirectory, "this is a folder; give the name of a file")));
    }
    if !about.is_file() {
        let kind = kind(&about);
        return match kind {
            Some(kind) => {
                let problem = format!("this is {kind}; give the name of a file");
                Err(file(IoError::new(ErrorKind::InvalidInput, problem)))
            }
            None => Ok(Target::Stream(path.to_owned())),
        };
    }
    // The process's own open files, such as `/dev/stdout`: their names are no places.
    if path.starts_with("/dev") || path.starts_with("/proc") {
        return Ok(Target::Stream(path.to_owned()));
    }
    // One that is not to be written is not replaced either.
    let at = File::options().write(true).open(path).and_then(|_| path.canonicalize());
    Ok(Target::File(at.map_err(file)?, Some(about)))
}

/// What cannot take the bytes of a file: a disk, whose first blocks they would be, and a socket.
#[cfg(unix)]
fn kind(about: &Metadata) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;

    match about.file_type() {
        kind if kind.is_block_device() => Some("a disk"),
        kind if kind.is_socket() => Some("a socket"),
        _ => None,
    }
}

#[cfg(not(unix))]
fn kind(_: &Metadata) -> Option<&'static str> {
    None
}

/// Where links lead that lead to nothing yet.
fn end_of_links(path: &Path) -> PathBuf {
    /// As many as Linux follows; more have no end, which the system has told by then.
    const MOST: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST {
        match fs::read_link(&path) {
            Ok(to) => path = folder_of(&path).join(to),
            Err(_) => break,
        }
    }
    path
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn problem(path: &Path) -> String {
        let problem = check_output(path).unwrap_err().to_string();
        assert_eq!(write_output(path, b"new").unwrap_err().to_string(), problem);
        problem
    }

    #[test]
    fn a_file_is_replaced_atomically_and_keeps_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        write_output(&path, b"first").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let (before, mut reader) = (fs::metadata(&path).unwrap(), File::open(&path).unwrap());
        write_output(&path, b"second").unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
        // Whoever reads the old one reads it to its end.
        let mut read = String::new();
        std::io::Read::read_to_string(&mut reader, &mut read).unwrap();
        assert_eq!((read.as_str(), before.ino() == after.ino()), ("first", false));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// Another user's file stays another user's, if it is the system's master who replaces it.
    #[test]
    fn a_file_keeps_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        fs::write(&path, "first").unwrap();
        if std::os::unix::fs::chown(&path, Some(65_534), Some(65_533)).is_err() {
            // This user may not give files away.
            return;
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
        write_output(&path, b"second").unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!((after.uid(), after.gid(), after.mode() & 0o7777), (65_534, 65_533, 0o604));
    }

    #[test]
    fn links_stay_and_their_ends_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("elsewhere")).unwrap();
        fs::write(at("elsewhere/old"), "old").unwrap();
        symlink("elsewhere/old", at("one")).unwrap();
        symlink("one", at("two")).unwrap();
        symlink("elsewhere/new", at("dangling")).unwrap();
        write_output(&at("two"), b"new").unwrap();
        write_output(&at("dangling"), b"made").unwrap();
        for link in ["one", "two", "dangling"] {
            assert!(at(link).is_symlink(), "{link}");
        }
        assert_eq!(fs::read(at("elsewhere/old")).unwrap(), b"new");
        assert_eq!(fs::read(at("elsewhere/new")).unwrap(), b"made");
        symlink("circle", at("circle")).unwrap();
        assert!(problem(&at("circle")).contains("circle: "));
    }

    #[test]
    fn devices_and_pipes_are_written_into_and_stay() {
        let device = Path::new("/dev/null");
        let before = fs::metadata(device).unwrap();
        write_output(device, b"gone").unwrap();
        let after = fs::metadata(device).unwrap();
        assert!(after.file_type().is_char_device() && before.rdev() == after.rdev());

        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        check_output(&pipe).unwrap();
        write_output(&pipe, b"through").unwrap();
        assert_eq!(reader.join().unwrap(), b"through");
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    }

    #[test]
    fn what_can_hold_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(problem(folder.path()).ends_with(": this is a folder; give the name of a file"));
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        assert!(problem(&at("socket")).ends_with("socket: this is a socket; give the name of a file"));
        assert!(problem(&at("none/model")).contains("none/model: No such file"));
        fs::write(at("file"), "").unwrap();
        assert!(problem(&at("file/model")).contains("file/model: Not a directory"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
