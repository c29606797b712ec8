//! The error type. Its messages state where the error is, what was found, and what to do.

use std::fmt::{Display, Formatter};
use std::path::PathBuf;

use crate::interrupt::Cause;

/// The result type of the fallible functions of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
///
/// The text of an error is complete: it includes that of its cause, which is therefore not a
/// [`source`](std::error::Error::source), so that a chain of errors does not repeat it. The causes are public fields.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A rule of the spec is violated.
    #[error("{0}")]
    Rule(String),

    /// A layer received the wrong number of inputs.
    #[error("{layer}: takes {expected} value(s), {found} passed")]
    Arity {
        /// The name by which the layer is called.
        layer: &'static str,
        /// How many inputs it takes.
        expected: usize,
        /// How many were passed.
        found: usize,
    },

    /// A model was used as a value, but does not return one.
    #[error("`{model}` returns {found} values; expected {expected}")]
    Outputs {
        /// The model's name.
        model: &'static str,
        /// How many values were expected.
        expected: usize,
        /// How many it returns.
        found: usize,
    },

    /// Two layers of a model would have the same parameter paths.
    #[error("two layers of the model have the path `{path}`; rename one of the `let` bindings")]
    SharedPath {
        /// The path.
        path: String,
    },

    /// A layer used a parameter that it did not declare.
    #[error("{layer}: its `forward` uses `{name}`, which its `parameters` does not list")]
    UnknownParameter {
        /// The layer's path.
        layer: String,
        /// The parameter's name.
        name: String,
    },

    /// A key on the command line or in a file has a value that cannot be set.
    #[error("{key}: {problem}")]
    Setting {
        /// The key: `optimizer.lr`.
        key: String,
        /// What was found, what was expected, and what is possible.
        problem: String,
    },

    /// A data file has content that cannot be used.
    #[error("{}{}: {problem}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
    Data {
        /// The file.
        path: PathBuf,
        /// The line, from 1, if the file has lines.
        line: Option<u64>,
        /// What was found and what was expected.
        problem: String,
    },

    /// A data set cannot be used.
    #[error("data: {0}")]
    Dataset(String),

    /// A model file does not match the model.
    #[error("{}: {problem}", path.display())]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// What does not match.
        problem: String,
    },

    /// Training cannot continue.
    #[error("step {step}: {problem}")]
    Training {
        /// The optimizer step, from 1.
        step: u64,
        /// What happened, and what to try.
        problem: String,
    },

    /// A layer cannot compute with this batch.
    #[error("{0}")]
    Batch(String),

    /// The system cannot allocate the memory that a step needs.
    #[error(
        "a step needs {} for the activations of a micro-batch, which the system cannot allocate: {cause}; try a smaller \
         `batch` with `accumulate`",
        crate::format::bytes(*bytes)
    )]
    Memory {
        /// The size of the allocation.
        bytes: u64,
        /// The system's reason.
        cause: std::io::Error,
    },

    /// The system has less memory than a run needs. This is checked before the first step.
    #[error(
        "training needs {} of memory, of which {} are for the activations of a micro-batch, but the system has {}; try a \
         smaller model, or a smaller `batch` with `accumulate`",
        crate::format::bytes(*needed),
        crate::format::bytes(*activations),
        crate::format::bytes(*available)
    )]
    TooLittleMemory {
        /// The total, in bytes.
        needed: u64,
        /// The part of it that the activations of a micro-batch take.
        activations: u64,
        /// How much the system has.
        available: u64,
    },

    /// The file system of a run's folder has less space than the run needs. This is checked before the first step.
    #[error(
        "{}: the run needs {} there for {}the model, but {} are free; free some space, or choose another place with `--out` or \
         `Experiment::out`{}",
        path.display(),
        crate::format::bytes(*needed),
        match checkpoints {
            0 => String::new(),
            1 => "a checkpoint and ".to_owned(),
            more => format!("{more} checkpoints and "),
        },
        crate::format::bytes(*available),
        if *checkpoints > 1 { ", or a smaller `keep` of `checkpoint`" } else { "" }
    )]
    TooLittleDisk {
        /// The folder, or its nearest ancestor that exists.
        path: PathBuf,
        /// The least that the run writes, in bytes.
        needed: u64,
        /// How many checkpoints exist at one time.
        checkpoints: u64,
        /// The free space, in bytes.
        available: u64,
    },

    /// A file or folder cannot be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },

    /// A re-run differs from the recorded run.
    #[error("{}: the re-run differs from the record: {difference}", path.display())]
    Differs {
        /// The run's folder.
        path: PathBuf,
        /// Where and how they differ.
        difference: String,
    },

    /// candle refused an operation.
    #[error("{0}")]
    Tensor(TensorError),

    /// An error within a layer.
    #[error("{path}: {cause}")]
    Layer {
        /// The layer's path.
        path: String,
        /// What happened there.
        cause: Box<Error>,
    },

    /// Another process of the [`World`](crate::world::World) cannot continue.
    #[error("process {rank}: {problem}")]
    Process {
        /// Its rank, from 0.
        rank: usize,
        /// Its error.
        problem: String,
    },

    /// An [`Interrupt`](crate::interrupt::Interrupt) stopped work that has no state to save.
    #[error("interrupted by {0}")]
    Interrupted(Cause),

    /// An invariant of this crate does not hold. This is a bug; please report it.
    #[error("internal error: {0}; please report it")]
    Internal(&'static str),
}

impl Error {
    /// The error of a layer or model that takes `expected` inputs and received `found`.
    #[must_use]
    pub fn arity(layer: &'static str, expected: usize, found: usize) -> Self {
        Self::Arity { layer, expected, found }
    }

    /// The error of a model that is used as a value but does not return `expected` values.
    pub(crate) fn outputs(model: &'static str, expected: usize, found: usize) -> Self {
        Self::Outputs { model, expected, found }
    }

    /// The error of a batch that is too small for the variance of batch norm.
    pub(crate) fn no_variance(values: usize) -> Self {
        Self::Batch(format!(
            "the batch has {values} value(s) per channel, too few for a variance; expected at least 2"
        ))
    }

    /// Adds the path of the layer in which the error occurred.
    #[must_use]
    pub(crate) fn at(self, path: &str) -> Self {
        Self::Layer { path: path.to_owned(), cause: Box::new(self) }
    }

    /// Adds a path to an I/O error; for `map_err`.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File { path, cause }
    }
}

/// An error of candle. Its type is not part of this crate's interface.
#[derive(Debug)]
pub struct TensorError(candle_core::Error);

impl Display for TensorError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<candle_core::Error> for Error {
    /// Removes the backtrace that candle captures under `RUST_BACKTRACE=1` and shows as part of its message, because messages
    /// are for users and are recorded in manifests.
    fn from(error: candle_core::Error) -> Self {
        Self::Tensor(TensorError(without_backtrace(error)))
    }
}

fn without_backtrace(error: candle_core::Error) -> candle_core::Error {
    use candle_core::Error::{Context, WithBacktrace, WithPath};

    match error {
        WithBacktrace { inner, .. } => without_backtrace(*inner),
        WithPath { inner, path } => WithPath { inner: Box::new(without_backtrace(*inner)), path },
        Context { inner, context } => Context { inner: Box::new(without_backtrace(*inner)), context },
        other => other,
    }
}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Self {
        Self::Interrupted(cause)
    }
}

/// Separates the cause of an interruption from all other errors.
pub(crate) fn interruption<T>(result: Result<T>) -> Result<Result<T, Cause>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(Error::Interrupted(cause)) => Ok(Err(cause)),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::backtrace::Backtrace;

    use super::*;

    #[test]
    fn chain_of_errors_does_not_repeat_a_cause() {
        use std::error::Error as _;

        let file = Error::file("data.csv")(std::io::Error::other("no such file")).at("layer");
        let tensor = Error::from(candle_core::Error::Msg("no such shape".to_owned()));
        for (error, text) in [(file, "layer: data.csv: no such file"), (tensor, "no such shape")] {
            assert_eq!(error.to_string(), text);
            assert!(error.source().is_none(), "{error:?}");
        }
    }

    /// Errors as candle creates them under `RUST_BACKTRACE=1`.
    #[test]
    fn candle_error_has_no_backtrace() {
        let traced = |inner: candle_core::Error| candle_core::Error::WithBacktrace {
            inner: Box::new(inner),
            backtrace: Box::new(Backtrace::force_capture()),
        };
        let plain = || candle_core::Error::Msg("no such shape".to_owned());
        for (error, shown) in [
            (traced(traced(plain())), "no such shape".to_owned()),
            (traced(traced(plain()).context("reshape")), "reshape\nno such shape".to_owned()),
            (traced(plain()).with_path("file"), "path: \"file\" no such shape".to_owned()),
        ] {
            let error = Error::from(error);
            assert_eq!(error.to_string(), shown);
            assert!(!format!("{error:?}").contains("force_capture"), "{error:?}");
        }
    }
}
