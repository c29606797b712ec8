//! Windows of time series, for models that predict the next steps.

use std::path::PathBuf;

pub use windows::SeriesWindows;

use super::memory::size;
use crate::error::{Error, Result};
use crate::loss::TargetKind;
use crate::shape::{InputKind, Kind};
use table::Tables;
use windows::Spans;

mod table;
mod windows;

/// Windows over the steps of one or several time series, each with later steps as its target.
///
/// The input is `L` consecutive steps of some columns: `Series<C, L>` of `C` columns, or `Features<L>` of one. The target is the
/// following steps of one column or more: `Values<24>` of one target column is its next 24 steps, of two columns the next 12 of the
/// first and then those of the second. [`Windows::horizon`] moves the target further into the future.
///
/// The steps of a series are in the order of its rows, the earliest first. With several series, windows are ordered by their first
/// step, and then by their series: step 10 of one series is taken to be at the time of step 10 of another.
///
/// # Split
/// By default the first 80 % of the windows are for training, the next 10 % for validation and the last 10 % for the test.
/// [`SeriesWindows::with_split`] changes the shares. Windows whose targets reach into those of the next part are in no part, so that
/// training never sees a step that a later part predicts. Inputs may reach back into an earlier part: they are the known past.
///
/// # Errors
/// [`Windows::read`] names the file and the line of a cell that is not a finite number, and the right kind if the number of columns is
/// not that of the kind.
///
/// # Memory
/// Four bytes for each value of a column in use, and eight for each step.
///
/// # Example
/// ```
/// use trainspec::data::{Dataset, Windows};
/// use trainspec::{Series, Values};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("energy.csv");
/// # let rows = (0..50).map(|hour| format!("{hour}:00,{},{}\n", hour, hour * 10));
/// # std::fs::write(&path, format!("time,load,temperature\n{}", rows.collect::<String>())).unwrap();
/// // time,load,temperature
/// // 0:00,0,0
/// // 1:00,1,10
/// let data = Windows::open(path)
///     .inputs(["load", "temperature"])
///     .target("load")
///     .read::<Series<2, 4>, Values<2>>()?;
/// let (mut input, mut target) = ([0.0; 8], [0.0; 2]);
/// data.sample(1, &mut input, &mut target)?;
/// assert_eq!(input, [1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0]);
/// assert_eq!(target, [5.0, 6.0]);
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Windows {
    source: Source,
    inputs: Vec<String>,
    targets: Vec<String>,
    horizon: usize,
    stride: usize,
    /// A call that does not fit the source.
    misplaced: Option<&'static str>,
}

/// Where the series are.
#[derive(Clone, Debug)]
enum Source {
    File {
        path: PathBuf,
        delimiter: u8,
        series: Option<String>,
    },
    /// Columns of the same names for each series.
    Columns(Vec<Vec<(String, Vec<f32>)>>),
}

impl Windows {
    /// Creates a reader for a CSV file with a header and one row for each step, plain or compressed with gzip. [`Windows::read`] opens
    /// it. Columns that are neither inputs nor targets may hold anything.
    #[must_use]
    pub fn open(path: impl Into<PathBuf>) -> Self {
        Self::new(Source::File { path: path.into(), delimiter: b',', series: None })
    }

    /// The same for columns in memory, each with its name and one value for each step.
    ///
    /// ```
    /// use trainspec::data::{Dataset, Windows};
    /// use trainspec::{Features, Values};
    ///
    /// let waves: Vec<f32> = (0..100).map(|step| (step as f32 / 5.0).sin()).collect();
    /// let data = Windows::of([("wave", waves)]).stride(5).read::<Features<20>, Values<1>>()?;
    /// assert_eq!(data.len(), 16);
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    #[must_use]
    pub fn of<N: Into<String>>(columns: impl IntoIterator<Item = (N, Vec<f32>)>) -> Self {
        let columns = columns.into_iter().map(|(name, values)| (name.into(), values)).collect();
        Self::new(Source::Columns(vec![columns]))
    }

    fn new(source: Source) -> Self {
        Self { source, inputs: Vec::new(), targets: Vec::new(), horizon: 1, stride: 1, misplaced: None }
    }

    /// Adds another series in memory, with columns of the same names. No window continues from one series into the next.
    #[must_use]
    pub fn then<N: Into<String>>(mut self, columns: impl IntoIterator<Item = (N, Vec<f32>)>) -> Self {
        let columns: Vec<_> = columns.into_iter().map(|(name, values)| (name.into(), values)).collect();
        match &mut self.source {
            Source::Columns(series) => series.push(columns),
            Source::File { .. } => {
                self.misplaced =
                    Some("`.then(…)` adds a series to those of `Windows::of`; in a file, use `.series(…)`");
            }
        }
        self
    }

    /// Sets the delimiter between two cells of a file: `b','` by default.
    #[must_use]
    pub fn delimiter(mut self, byte: u8) -> Self {
        match &mut self.source {
            Source::File { delimiter, .. } => *delimiter = byte,
            Source::Columns(_) => {
                self.misplaced = Some("`.delimiter(…)` is for the file of `Windows::open`; remove it");
            }
        }
        self
    }

    /// Sets the column of a file that names the series of a row. Rows of several series may be mixed.
    #[must_use]
    pub fn series(mut self, column: impl Into<String>) -> Self {
        match &mut self.source {
            Source::File { series, .. } => *series = Some(column.into()),
            Source::Columns(_) => {
                self.misplaced =
                    Some("`.series(…)` is for the file of `Windows::open`; add series with `.then(…)`");
            }
        }
        self
    }

    /// Sets the columns of the input, which become its channels in this order. By default all columns, except that of
    /// [`Windows::series`].
    #[must_use]
    pub fn inputs<N: Into<String>>(mut self, columns: impl IntoIterator<Item = N>) -> Self {
        self.inputs = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a column of the target. It may be an input too. If there is only one input column, it is the target by default.
    #[must_use]
    pub fn target(mut self, column: impl Into<String>) -> Self {
        self.targets.push(column.into());
        self
    }

    /// Sets how many steps the first step of the target is after the last of the input; 1 by default, the next one.
    #[must_use]
    pub fn horizon(mut self, steps: usize) -> Self {
        self.horizon = steps;
        self
    }

    /// Starts a window every `steps` steps; 1 by default.
    #[must_use]
    pub fn stride(mut self, steps: usize) -> Self {
        self.stride = steps;
        self
    }

    /// Reads the series.
    ///
    /// # Errors
    /// If a file cannot be read, or if the series do not have windows of these kinds; see [`Windows`].
    pub fn read<I, T>(self) -> Result<SeriesWindows<I, T>>
    where
        I: InputKind + Kind<Element = f32>,
        T: TargetKind + Kind<Element = f32>,
    {
        let (_, values) = (size(I::NAME, I::SHAPE)?, size(T::NAME, T::SHAPE)?);
        let wrong = |problem: String| Error::Dataset(format!("`Windows`: {problem}"));
        if let Some(misplaced) = self.misplaced {
            return Err(wrong(misplaced.to_owned()));
        }
        for (name, steps) in [("horizon", self.horizon), ("stride", self.stride)] {
            if steps == 0 {
                return Err(wrong(format!("the {name} is 0; expected at least 1")));
            }
        }
        let (channels, length) = match *I::SHAPE.axes() {
            [channels, length] => (channels, length),
            [length] => (1, length),
            _ => {
                return Err(wrong(format!(
                    "the kind `{}` has the shape {}; expected `Series<C, L>`, or `Features<L>` for one column",
                    I::NAME,
                    I::SHAPE
                )));
            }
        };
        let tables = match &self.source {
            Source::File { path, delimiter, series } => {
                Tables::read(path, *delimiter, series.as_deref(), &self.inputs, &self.targets)?
            }
            Source::Columns(series) => Tables::of(series, &self.inputs, &self.targets).map_err(wrong)?,
        };
        if tables.inputs != channels {
            let count = tables.inputs;
            let right =
                if count == 1 { format!("Features<{length}>") } else { format!("Series<{count}, {length}>") };
            let (name, shape) = (I::NAME, I::SHAPE);
            return Err(tables.problem(format!(
                "the input has {count} columns, but the kind is `{name}` {shape}; write `{right}`, in the model too, or choose other \
                 columns with `.inputs([…])`"
            )));
        }
        let columns = tables.targets;
        if columns == 0 || !values.is_multiple_of(columns) {
            return Err(tables.problem(format!(
                "the target has {columns} columns, but the kind `{}` has {values} values; expected the same number of steps of each \
                 column, such as `{}<{}>`",
                T::NAME,
                T::NAME,
                columns.max(values.next_multiple_of(columns.max(1)))
            )));
        }
        let spans = Spans { length, horizon: self.horizon, steps: values / columns, stride: self.stride };
        let windows = SeriesWindows::new(tables, spans)?;
        windows.with_default_split()
    }
}

#[cfg(test)]
mod tests;
