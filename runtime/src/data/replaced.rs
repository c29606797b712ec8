//! Files of the data that a program can be given others for.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::files::hex;
use crate::format::plain;
use crate::interrupt::Interrupt;

/// A file of the data that a run can replace: `Csv::open(data_file("flowers.csv"))`.
///
/// In `data` of [`train!`](crate::train) this is the path itself, unless the command line has `--data other.csv`, or code calls
/// [`Experiment::data_file`](crate::Experiment::data_file): then it is that path. So the same program trains on, checks and evaluates other data
/// of the same kinds, with the same columns. The manifest of the run records both paths and the SHA-256 of the file that was read; resuming,
/// verifying and replaying the run read that file again.
///
/// The path may be that of a folder, as for `ImageFolder`. The other path replaces exactly one declared path: with none, or with several
/// different ones, `--data` is an error. Outside of `data`, the path is returned unchanged.
///
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Net(x: Features<1>) -> Values<1> {
///     x.linear(out = 1)
/// }
///
/// train! {
///     Line {
///         model: Net,
///         data: Csv::open(data_file("points.csv")).read::<Features<1>, Values<1>>(),
///     }
/// }
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("others.csv");
/// # std::fs::write(&path, "1,2\n".repeat(20)).unwrap();
/// let data = Line::experiment().data_file(&path).data()?;
/// assert_eq!(data.train().len(), 16);
/// # Ok::<(), trainspec::Error>(())
/// ```
pub fn data_file(path: impl Into<PathBuf>) -> PathBuf {
    let path = path.into();
    CURRENT.with_borrow_mut(|opened| {
        let Some(opened) = opened.last_mut() else { return path.clone() };
        if !opened.declared.contains(&path) {
            opened.declared.push(path.clone());
        }
        opened.other.clone().unwrap_or_else(|| path.clone())
    })
}

thread_local! {
    /// The data sets that this thread opens; the last one is the innermost.
    static CURRENT: RefCell<Vec<Opening>> = const { RefCell::new(Vec::new()) };
}

/// A data set that is being opened.
struct Opening {
    /// The path that is read instead of the declared one.
    other: Option<PathBuf>,
    /// The declared paths so far.
    declared: Vec<PathBuf>,
}

/// Calls `open`, in which [`data_file`] returns `other` if there is one. Returns the declared paths as well.
///
/// # Errors
/// If there is another file, and not exactly one declared path that it replaces.
pub(crate) fn opened_with<R>(
    other: Option<&Path>,
    open: impl FnOnce() -> Result<R>,
) -> Result<(R, Vec<DataFile>)> {
    /// Removes the entry even if `open` panics.
    struct Entered;
    impl Drop for Entered {
        fn drop(&mut self) {
            CURRENT.with_borrow_mut(Vec::pop);
        }
    }
    CURRENT.with_borrow_mut(|opened| {
        opened.push(Opening { other: other.map(Path::to_owned), declared: Vec::new() });
    });
    let entered = Entered;
    let result = open();
    let declared =
        CURRENT.with_borrow_mut(|opened| opened.last_mut().map(|own| std::mem::take(&mut own.declared)));
    drop(entered);
    let declared = declared.unwrap_or_default();
    if let (Some(other), false) = (other, result.is_err() && declared.is_empty()) {
        // Reported before an error of the data, which may be due to it; not if the data failed before they named a file.
        check(other, &declared)?;
    }
    let file = |declared: PathBuf| DataFile {
        path: other.map_or_else(|| declared.clone(), Path::to_owned),
        declared,
        sha256: None,
    };
    Ok((result?, declared.into_iter().map(file).collect()))
}

fn check(other: &Path, declared: &[PathBuf]) -> Result<()> {
    let shown = |path: &Path| plain(&path.display().to_string(), 200);
    let problem = match declared {
        [_] => return Ok(()),
        [] => format!(
            "{} replaces no file: the data of this program take none; write the path as `data_file(\"…\")` in `data`, as in \
             `Csv::open(data_file(\"flowers.csv\"))`, or remove `--data`",
            shown(other)
        ),
        several => format!(
            "the data have {} files that can be replaced, {}, and {} is only one; expected one `data_file(…)`",
            several.len(),
            several.iter().map(|path| format!("`{}`", shown(path))).collect::<Vec<_>>().join(", "),
            shown(other)
        ),
    };
    Err(Error::Setting { key: "data".to_owned(), problem })
}

/// A file that data were read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// The path in [`data_file`].
    #[serde(serialize_with = "as_text")]
    pub declared: PathBuf,
    /// The path that was read.
    #[serde(serialize_with = "as_text")]
    pub path: PathBuf,
    /// The SHA-256 of its content as hexadecimal digits; `None` for a folder, a pipe or a device.
    pub sha256: Option<String>,
}

/// A path that is not UTF-8 can be declared, but not recorded exactly.
fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

impl DataFile {
    /// Computes the checksum.
    ///
    /// # Errors
    /// If the file cannot be read, or a stop is requested.
    pub(crate) fn hashed(self, interrupt: &Interrupt) -> Result<Self> {
        let about = std::fs::metadata(&self.path).map_err(Error::file(&self.path))?;
        let sha256 = if about.is_file() { Some(sha256_of(&self.path, interrupt)?) } else { None };
        Ok(Self { sha256, ..self })
    }

    /// Whether it is another file than the declared one.
    pub(crate) fn is_other(&self) -> bool {
        self.path != self.declared
    }
}

/// Reads a file part by part, since it may be larger than memory.
fn sha256_of(path: &Path, interrupt: &Interrupt) -> Result<String> {
    let mut file = File::open(path).map_err(Error::file(path))?;
    let (mut hash, mut part) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        interrupt.check()?;
        match file.read(&mut part) {
            Ok(0) => return Ok(hex(&hash.finalize())),
            Ok(read) => hash.update(part.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::file(path)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_file_is_replaced_while_data_are_opened() {
        let other = Path::new("other.csv");
        let open = || Ok(data_file("a.csv"));
        assert_eq!(open().unwrap(), Path::new("a.csv"));
        let (path, files) = opened_with(None, open).unwrap();
        assert_eq!((path.as_path(), files[0].path.as_path()), (Path::new("a.csv"), Path::new("a.csv")));
        assert!(!files[0].is_other());
        // Opening other data meanwhile has no effect on the outer ones.
        let nested = || {
            opened_with(None, || Ok(data_file("inner.csv")))?;
            let twice = data_file("a.csv");
            assert_eq!(twice, data_file("a.csv"));
            Ok(twice)
        };
        let (path, files) = opened_with(Some(other), nested).unwrap();
        assert_eq!(path, other);
        let expected = DataFile { declared: "a.csv".into(), path: other.to_owned(), sha256: None };
        assert_eq!(files, [expected]);
        assert_eq!(open().unwrap(), Path::new("a.csv"));
    }

    #[test]
    fn file_that_replaces_nothing_or_one_of_several_is_rejected() {
        let problem = |open: fn() -> Result<PathBuf>| {
            opened_with(Some(Path::new("x.csv")), open).unwrap_err().to_string()
        };
        assert_eq!(
            problem(|| Ok(PathBuf::new())),
            "data: x.csv replaces no file: the data of this program take none; write the path as `data_file(\"…\")` in `data`, as in \
             `Csv::open(data_file(\"flowers.csv\"))`, or remove `--data`"
        );
        assert_eq!(
            problem(|| {
                data_file("a.csv");
                data_file("b.csv");
                Err(Error::Dataset("other problem".to_owned()))
            }),
            "data: the data have 2 files that can be replaced, `a.csv`, `b.csv`, and x.csv is only one; expected one `data_file(…)`"
        );
        let problem = problem(|| {
            data_file("a.csv");
            Err(Error::Dataset("its own problem".to_owned()))
        });
        assert_eq!(problem, "data: its own problem");
    }

    #[test]
    fn checksum_is_that_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "abc").unwrap();
        let file = |path: &Path| DataFile { declared: "x".into(), path: path.to_owned(), sha256: None };
        // The example of FIPS 180-4.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let hashed = |path: &Path| file(path).hashed(&Interrupt::new());
        assert_eq!(hashed(&path).unwrap().sha256.as_deref(), Some(expected));
        assert_eq!(hashed(folder.path()).unwrap().sha256, None);
        assert!(hashed(&folder.path().join("none")).is_err());
        let stopped = Interrupt::new();
        stopped.request();
        assert!(matches!(file(&path).hashed(&stopped), Err(Error::Interrupted(_))));
    }
}
