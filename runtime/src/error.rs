//! What can go wrong, in words that say where, what was found, and what to do.

use std::path::PathBuf;

use crate::interrupt::Cause;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A rule of the spec does not hold.
    #[error("{0}")]
    Rule(String),

    /// A layer was given another number of values than it takes.
    #[error("{layer}: takes {expected} value(s), {found} given")]
    Arity {
        /// The layer's call name.
        layer: &'static str,
        /// How many it takes.
        expected: usize,
        /// How many it was given.
        found: usize,
    },

    /// Two layers of a model would have the same parameter paths.
    #[error("two layers of the model have the path `{path}`; rename one of the `let` bindings")]
    SharedPath {
        /// The path.
        path: String,
    },

    /// A layer used a parameter that it did not ask for.
    #[error("{layer}: its `forward` uses `{name}`, which its `parameters` does not list")]
    UnknownParameter {
        /// The layer's path.
        layer: String,
        /// The parameter's name.
        name: String,
    },

    /// A key on the command line or in a file cannot be set so.
    #[error("{key}: {problem}")]
    Setting {
        /// The key: `optimizer.lr`.
        key: String,
        /// What was found, expected, and possible.
        problem: String,
    },

    /// Something in a data file cannot be used.
    #[error("{}{}: {problem}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
    Data {
        /// The file.
        path: PathBuf,
        /// The line, from 1, if the file has lines.
        line: Option<u64>,
        /// What was found and what was expected.
        problem: String,
    },

    /// A data set as a whole cannot be used.
    #[error("data: {0}")]
    Dataset(String),

    /// A model file does not fit the model.
    #[error("{}: {problem}", path.display())]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },

    /// Training cannot go on.
    #[error("step {step}: {problem}")]
    Experiment {
        /// The optimizer step, from 1.
        step: u64,
        /// What happened, and what to try.
        problem: String,
    },

    /// A batch is one that a layer cannot compute with.
    #[error("{0}")]
    Batch(String),

    /// The system has not the memory that a step needs.
    #[error(
        "a step needs {} for the values of a micro-batch, which the system does not give: {source}; try a smaller \
         `batch` with `accumulate`",
        crate::format::bytes(*bytes)
    )]
    Memory {
        /// How much.
        bytes: u64,
        /// The system's reason.
        source: std::io::Error,
    },

    /// The system has less memory than a run needs, which is known before its first step.
    #[error(
        "training needs {} of memory, of which {} are for the values of a micro-batch, but the system has {}; try a \
         smaller model, or a smaller `batch` with `accumulate`",
        crate::format::bytes(*needed),
        crate::format::bytes(*activations),
        crate::format::bytes(*available)
    )]
    TooLittleMemory {
        /// What all together takes, in bytes.
        needed: u64,
        /// What the values of a micro-batch take of it.
        activations: u64,
        /// What the system can give.
        available: u64,
    },

    /// The file system of a run's folder has less space than the run needs, which is known before its first step.
    #[error(
        "{}: the run needs {} there for {}the model, but {} are free; make room, or give another place with `--out` or \
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
        /// The folder, or the first above it that is there.
        path: PathBuf,
        /// What the run leaves at the least, in bytes.
        needed: u64,
        /// How many checkpoints are there at one time.
        checkpoints: u64,
        /// What is free.
        available: u64,
    },

    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },

    /// A run that was made again is not what is on record.
    #[error("{}: the run and its record differ: {difference}", path.display())]
    Differs {
        /// The run's folder.
        path: PathBuf,
        /// Where, in what, and how.
        difference: String,
    },

    /// candle refused an operation.
    #[error("{0}")]
    Tensor(#[source] candle_core::Error),

    /// An error within a layer.
    #[error("{path}: {source}")]
    Layer {
        /// The layer's path.
        path: String,
        /// What happened there.
        source: Box<Error>,
    },

    /// What was going on was asked to end by an [`Interrupt`](crate::interrupt::Interrupt), and had no state to keep.
    #[error("interrupted by {0}")]
    Interrupted(Cause),

    /// A promise of this crate to itself is broken; please report it.
    #[error("internal error: {0}; please report it")]
    Internal(&'static str),
}

impl Error {
    /// A layer or model that takes `expected` values was given `found`.
    #[must_use]
    pub fn arity(layer: &'static str, expected: usize, found: usize) -> Self {
        Self::Arity { layer, expected, found }
    }

    /// A batch of which batch norm cannot take a variance.
    pub(crate) fn no_variance(values: usize) -> Self {
        Self::Batch(format!(
            "the batch has {values} value(s) a channel, of which there is no variance; expected at least 2"
        ))
    }

    /// The same error, said of the layer at `path`.
    #[must_use]
    pub(crate) fn at(self, path: &str) -> Self {
        Self::Layer { path: path.to_owned(), source: Box::new(self) }
    }

    /// For `map_err` on what the system refuses.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

impl From<candle_core::Error> for Error {
    /// Without the backtrace that candle takes under `RUST_BACKTRACE=1` and shows as part of its message: messages are read by
    /// people, and are recorded in manifests.
    fn from(error: candle_core::Error) -> Self {
        Self::Tensor(without_backtrace(error))
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

/// The cause of an interruption, apart from all other errors.
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

    /// As candle makes them under `RUST_BACKTRACE=1`.
    #[test]
    fn a_refusal_of_candle_shows_no_backtrace() {
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
