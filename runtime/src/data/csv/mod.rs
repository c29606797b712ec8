//! Tables of numbers in text files.

use std::io::BufRead;
use std::path::PathBuf;

pub use columns::CsvColumn;
pub(super) use hints::encoding;

use super::InMemory;
use super::file::{self, Origin};
use super::memory::{Source, size};
use crate::error::{Error, Result};
use crate::format::plain;
use crate::loss::TargetKind;
use crate::shape::InputKind;
use columns::{HINT, Widths};
pub(super) use rows::Rows;
use values::{Columns, ValueError};

mod columns;
mod hints;
mod rows;
mod unread;
mod values;

/// A text file of numbers with one sample per line: comma-separated values, plain or compressed with gzip.
///
/// The kinds determine the number of columns: `Features<4>` and `Class<3>` take 4 and 1.
/// The target is in the last column or columns, unless [`Csv::target`] sets it. All other columns that
/// are not ignored are the input, from left to right.
///
/// Numbers must be finite; classes are whole numbers from 0. Nothing is guessed: a line that is not data is
/// an error until [`Csv::header`] or [`Csv::skip_lines`] accounts for it. Empty lines are skipped. The text must be UTF-8,
/// with or
/// without a byte order mark. A file in UTF-16, or with another [delimiter](Csv::delimiter) than declared, is an error that names
/// the likely cause.
///
/// Values are parsed in f64 and stored in f32, which has 24 bits: Unix times in seconds are rounded to multiples of 128. A run
/// gives advice on columns that lose more than half of their distinct values this way; [`Csv::subtract`] helps.
///
/// # Errors
/// [`Csv::read`] names the file and the line (from 1, in the decompressed file): a line with a different number of
/// columns, a cell that is not a number (``column `width` is `?`; expected a finite number``), NaN or infinity, no line of
/// data, a
/// damaged gzip file. A class that the kind does not have is reported with its file and line when a run starts, unless the
/// loss ignores it.
///
/// # Memory
/// Four bytes for each value. While the file is read, at most 128 bytes for each byte of the table; a gzip file holds at most
/// 1,032 times its size. A row may have 16 MiB plus 64 bytes for each value, and so may a series of empty lines.
///
/// # Example
/// ```
/// use trainspec::data::{Csv, Dataset};
/// use trainspec::{Class, Features};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("flowers.csv");
/// # std::fs::write(&path, "length,width,species\n1.4,0.2,0\n4.7,1.4,1\n").unwrap();
/// // length,width,species
/// // 1.4,0.2,0
/// // 4.7,1.4,1
/// let data = Csv::open(path).header().read::<Features<2>, Class<2>>()?;
/// assert_eq!(data.len(), 2);
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Csv {
    path: PathBuf,
    delimiter: u8,
    header: bool,
    skip_lines: u64,
    target: CsvColumn,
    ignored: Vec<CsvColumn>,
    subtracted: Vec<(CsvColumn, f64)>,
}

impl Csv {
    /// Creates a reader for a file with commas between its cells and data from the first line on. [`Csv::read`]
    /// opens the file.
    #[must_use]
    pub fn open(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            delimiter: b',',
            header: false,
            skip_lines: 0,
            target: CsvColumn::Last,
            ignored: Vec::new(),
            subtracted: Vec::new(),
        }
    }

    /// Sets the delimiter between two cells: `b','` by default; `b' '`, `b';'` and `b'\t'` are common. A quotation mark or a line
    /// end cannot be a delimiter.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Reads the column names from the first line, after any skipped lines.
    #[must_use]
    pub fn header(mut self) -> Self {
        self.header = true;
        self
    }

    /// Skips this many lines at the start of the file.
    #[must_use]
    pub fn skip_lines(mut self, lines: u64) -> Self {
        self.skip_lines = lines;
        self
    }

    /// Sets the target column: `.target("species")` or `.target(0)`. A target of several columns uses
    /// this one and the next ones that are not ignored.
    #[must_use]
    pub fn target(mut self, column: impl Into<CsvColumn>) -> Self {
        self.target = column.into();
        self
    }

    /// Ignores a column: `.ignore("id")`. It is neither input nor target, and may hold anything.
    #[must_use]
    pub fn ignore(mut self, column: impl Into<CsvColumn>) -> Self {
        self.ignored.push(column.into());
        self
    }

    /// Subtracts a number from every value of this column, in f64, before the difference is rounded to f32.
    ///
    /// It keeps values distinct that are close together and far from 0: `.subtract("time", 1.7e9)` for Unix times of 2023.
    /// The model then expects the difference, for predictions too.
    ///
    /// ```
    /// use trainspec::data::{Csv, Dataset};
    /// use trainspec::{Features, Values};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("log.csv");
    /// # std::fs::write(&path, "1700000001,2.5\n1700000002,3.5\n").unwrap();
    /// let data = Csv::open(path).subtract(0, 1.7e9).read::<Features<1>, Values<1>>()?;
    /// let (mut time, mut value) = ([0.0], [0.0]);
    /// data.sample(1, &mut time, &mut value)?;
    /// assert_eq!(time, [2.0]);
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    #[must_use]
    pub fn subtract(mut self, column: impl Into<CsvColumn>, number: f64) -> Self {
        self.subtracted.push((column.into(), number));
        self
    }

    /// Reads the whole file.
    ///
    /// # Errors
    /// If the file cannot be read, or does not hold samples of these kinds; see [`Csv`].
    pub fn read<I: InputKind, T: TargetKind>(self) -> Result<InMemory<I, T>> {
        let (origin, bytes) = file::open(&self.path)?;
        self.read_from(&origin, bytes)
    }

    /// The same for bytes that are part of the program.
    pub(super) fn read_bytes<I: InputKind, T: TargetKind>(self, bytes: &[u8]) -> Result<InMemory<I, T>> {
        let (origin, bytes) = file::unpacked(&self.path, bytes, Some(bytes.len() as u64))?;
        self.read_from(&origin, bytes)
    }

    fn read_from<I: InputKind, T: TargetKind>(
        &self,
        origin: &Origin,
        mut bytes: Box<dyn BufRead + '_>,
    ) -> Result<InMemory<I, T>> {
        let wanted = Widths {
            input: size(I::NAME, I::SHAPE)?,
            target: size(T::NAME, T::SHAPE)?,
            input_kind: I::NAME,
            target_kind: T::NAME,
        };
        self.check(origin, &mut *bytes)?;
        let mut rows = Rows::new(bytes, self.delimiter, wanted.input.saturating_add(wanted.target));
        rows.skip(self.skip_lines).map_err(|error| origin.unreadable(error))?;
        let mut names = Vec::new();
        if self.header && rows.advance(origin)? {
            names = rows.cells().map(|cell| shown(cell, usize::MAX)).collect();
        }
        let mut columns: Option<Columns> = None;
        let (mut inputs, mut targets) = (Vec::new(), Vec::new());
        let mut source = Source::new(origin.path());
        let mut samples = 0;
        while rows.advance(origin)? {
            let first = columns.is_none();
            let columns = match &mut columns {
                Some(columns) => columns,
                none => {
                    let uses = columns::uses(self, &names, &rows, &wanted, [I::SHAPE, T::SHAPE]);
                    let uses = uses.map_err(|problem| origin.problem_at(rows.line, problem))?;
                    none.insert(Columns::new(uses, self.delimiter))
                }
            };
            let at = |problem: String| origin.problem_at(rows.line, problem);
            if rows.len() != columns.len() {
                return Err(at(format!(
                    "{} columns; expected {}, as in the first line of data",
                    rows.len(),
                    columns.len()
                )));
            }
            let taken = columns.take::<I, T>(origin, rows.cells(), &mut inputs, &mut targets)?;
            taken.map_err(|ValueError { column, text, hint }| {
                let unnamed = if first && !self.header { HINT } else { "" };
                let hint = hint.as_deref().unwrap_or(unnamed);
                at(format!("column {} {text}{hint}", name(&names, column)))
            })?;
            source.add(origin, samples, rows.line)?;
            samples += 1;
        }
        let Some(columns) = columns else {
            return Err(origin.problem("no line of data; expected at least one sample"));
        };
        InMemory::from_file(
            inputs,
            targets,
            source.with_rounded(columns.rounded(|number| name(&names, number))),
        )
    }

    /// Checks that need no row.
    fn check(&self, origin: &Origin, bytes: &mut dyn BufRead) -> Result<()> {
        if matches!(self.delimiter, b'"' | b'\n' | b'\r') {
            return Err(Error::Dataset(format!(
                "the delimiter of a `Csv` is {:?}; expected a character other than a quotation mark or a line end, such as \
                 `b';'`",
                char::from(self.delimiter)
            )));
        }
        if let Some((_, number)) = self.subtracted.iter().find(|(_, number)| !number.is_finite()) {
            return Err(Error::Dataset(format!(
                "the number to subtract in a `Csv` is {number}; expected a finite number"
            )));
        }
        let start = bytes.fill_buf().map_err(|error| origin.unreadable(error))?;
        match encoding(start) {
            Some(found) => Err(origin.problem(format!(
                "the text seems to be {found}; expected UTF-8: save it as UTF-8, or convert it with `iconv -f {found} -t UTF-8`"
            ))),
            None => Ok(()),
        }
    }
}

/// Names a column in a message.
fn name(names: &[String], number: usize) -> String {
    match names.get(number) {
        Some(name) => format!("`{}`", plain(name, 40)),
        None => format!("{number} (from 0)"),
    }
}

/// A cell as text for a message, trimmed and shortened.
fn shown(cell: &[u8], longest: usize) -> String {
    let text = String::from_utf8_lossy(cell);
    let text = text.trim_matches('\u{FEFF}').trim();
    let mut shown: String = text.chars().take(longest).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
