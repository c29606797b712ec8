//! Writing to paths that a user named, where anything may exist.
//!
//! A regular file, or none, is replaced atomically. It keeps the permissions and, where the system
//! permits it, the owner. Links are followed and kept. A device or a pipe is written to directly. A folder, a disk or
//! a socket is an error.

use std::fs::{self, File, Metadata};
use std::io::{Error as IoError, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::atomic::{folder_of, write_like};
use crate::error::{Error, Result};

/// The target of a write.
enum Target {
    /// A regular file, with the metadata of the existing one, or none yet.
    File(PathBuf, Option<Metadata>),
    /// A stream that takes bytes as they come.
    Stream(PathBuf),
}

/// Checks that a file can be written at `path`, as far as possible without writing one. Call it before the work whose
/// result is to be written.
pub(crate) fn check_output(path: &Path) -> Result<()> {
    target(path).map(|_| ())
}

/// Writes a file at `path`.
pub(crate) fn write_output(path: &Path, bytes: &[u8]) -> Result<()> {
    write_output_by(path, |file| file.write_all(bytes))
}

/// The same for a file that `write` writes in parts.
pub(crate) fn write_output_by(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<()> {
    match target(path)? {
        Target::File(at, replaced) => write_like(&at, write, replaced.as_ref()),
        // The same open file as the rest of the output, whose position moves with it.
        Target::Stream(at) if is_stdout(&at) => {
            write(&mut std::io::stdout().lock()).map_err(Error::file(path))
        }
        Target::Stream(at) => {
            let file = File::options().append(true).open(at);
            file.and_then(|mut file| write(&mut file)).map_err(Error::file(path))
        }
    }
}

/// Whether a path names the standard output of this process.
pub(crate) fn is_stdout(path: &Path) -> bool {
    ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
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
        return Err(file(IoError::new(ErrorKind::IsADirectory, "this is a folder; pass a file name")));
    }
    if !about.is_file() {
        let kind = kind(&about);
        return match kind {
            Some(kind) => {
                let problem = format!("this is {kind}; pass a file name");
                Err(file(IoError::new(ErrorKind::InvalidInput, problem)))
            }
            None => Ok(Target::Stream(path.to_owned())),
        };
    }
    // The process's own open files, such as `/dev/stdout`: their names are not paths.
    if path.starts_with("/dev") || path.starts_with("/proc") {
        return Ok(Target::Stream(path.to_owned()));
    }
    // A read-only file is not replaced either.
    let at = File::options().write(true).open(path).and_then(|_| path.canonicalize());
    Ok(Target::File(at.map_err(file)?, Some(about)))
}

/// What cannot be the target: a disk, whose first blocks would be overwritten, and a socket.
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

/// Where links lead if their target does not exist yet.
fn end_of_links(path: &Path) -> PathBuf {
    /// The limit of Linux. More links form a loop, which the system has reported by then.
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
    fn output_is_atomic_and_keeps_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        write_output(&path, b"first").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let (before, mut reader) = (fs::metadata(&path).unwrap(), File::open(&path).unwrap());
        write_output(&path, b"second").unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
        // A process that reads the old file reads it to its end.
        let mut read = String::new();
        std::io::Read::read_to_string(&mut reader, &mut read).unwrap();
        assert_eq!((read.as_str(), before.ino() == after.ino()), ("first", false));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// A file of another user keeps its owner if root replaces it.
    #[test]
    fn output_keeps_file_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        fs::write(&path, "first").unwrap();
        if std::os::unix::fs::chown(&path, Some(65_534), Some(65_533)).is_err() {
            // This user may not change the owner of files.
            return;
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
        write_output(&path, b"second").unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!((after.uid(), after.gid(), after.mode() & 0o7777), (65_534, 65_533, 0o604));
    }

    #[test]
    fn write_through_link_keeps_the_link() {
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
    fn devices_and_pipes_are_written_in_place() {
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
    fn invalid_output_path_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(problem(folder.path()).ends_with(": this is a folder; pass a file name"));
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        assert!(problem(&at("socket")).ends_with("socket: this is a socket; pass a file name"));
        assert!(problem(&at("none/model")).contains("none/model: No such file"));
        fs::write(at("file"), "").unwrap();
        assert!(problem(&at("file/model")).contains("file/model: Not a directory"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
