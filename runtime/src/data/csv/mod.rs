//! Tables in text files.

use std::io::BufRead;
use std::path::PathBuf;

pub use columns::CsvColumn;
pub(super) use hints::encoding;

use super::InMemory;
use super::file::{self, Origin};
use crate::error::Result;
use crate::format::plain;
use crate::loss::TargetKinds;
use crate::shape::InputKinds;
use columns::Target;
use joined::TargetsFrom;
pub(super) use rows::Rows;

mod choice;
mod columns;
mod dates;
mod groups;
mod hints;
mod joined;
mod read;
mod rows;
mod samples;
mod unread;
mod values;
mod words;

/// A text file with one sample per line: comma-separated values, plain or compressed with gzip.
///
/// A cell is a number, unless its column is declared to hold something else:
///
/// - [`Csv::category`]: words, such as the name of a class;
/// - [`Csv::allow_missing`]: values that may be missing;
/// - [`Csv::date`]: dates, possibly with times.
///
/// The kinds determine the number of columns: `Features<4>` and `Class<3>` take 4 and 1.
/// The target is in the last column or columns, unless [`Csv::target`] or [`Csv::targets`] sets it, or [`Csv::targets_from`] reads it from
/// another file. All other columns that are not [ignored](Csv::ignore), nor the [group](Csv::group) of the samples, are the input, from left to right; or those that [`Csv::inputs`] lists, in this order.
///
/// # Several inputs and targets
/// For a tuple of kinds, the columns are divided among them in order: `read::<(Features<2>, Features<3>), (Class<2>, Values<1>)>()` takes
/// 2 and 3 columns for the inputs, and the last two for the targets. If some inputs are real and others are tokens, the
/// categories are the tokens and the numbers are the real values, wherever they are: in `(Features<6>, Tokens<40, 3>)` each of
/// three columns of categories is one token, and the 40 tokens are the categories of the first column, then those of the second,
/// and so on. An `embedding` then has one vector for each category.
///
/// # Format
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
    target: Target,
    inputs: Option<Vec<CsvColumn>>,
    ignored: Vec<CsvColumn>,
    subtracted: Vec<(CsvColumn, f64)>,
    /// The columns of categories, and their words if they are listed.
    categories: Vec<(CsvColumn, Option<Vec<String>>)>,
    missing: Vec<CsvColumn>,
    dates: Vec<CsvColumn>,
    group: Option<CsvColumn>,
    targets_from: Option<TargetsFrom>,
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
            target: Target::From(CsvColumn::Last),
            inputs: None,
            ignored: Vec::new(),
            subtracted: Vec::new(),
            categories: Vec::new(),
            missing: Vec::new(),
            dates: Vec::new(),
            group: None,
            targets_from: None,
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
        self.target = Target::From(column.into());
        self
    }

    /// Sets the target columns, one for each element of the targets, in their order: `.targets(["species", "price"])` for
    /// `(Class<3>, Values<1>)`.
    #[must_use]
    pub fn targets(mut self, columns: impl IntoIterator<Item = impl Into<CsvColumn>>) -> Self {
        self.target = Target::Each(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the input columns, in this order: `.inputs(["width", "length"])`. All other columns that are not targets are ignored.
    #[must_use]
    pub fn inputs(mut self, columns: impl IntoIterator<Item = impl Into<CsvColumn>>) -> Self {
        self.inputs = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Declares that a column holds words. The categories are the different words of the file, sorted.
    ///
    /// - As the target of a `Class<C>`, there must be `C` of them, and their names appear in tables.
    /// - As a real input, such as `Features<N>`, a column of `k` categories is `k` elements: 1 for that of the sample, 0 for the others.
    ///   They are not normalized.
    /// - As `Tokens<V, T>`, it is one token; see [several inputs](Csv#several-inputs-and-targets).
    ///
    /// Where the number of elements is not that of the kind, the error says what to write. A sample that is predicted later must be
    /// encoded in the same way.
    ///
    /// ```
    /// use trainspec::data::{Csv, Dataset};
    /// use trainspec::{Class, Features};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("animals.csv");
    /// # std::fs::write(&path, "weight,skin,animal\n4.2,fur,cat\n0.1,scales,carp\n").unwrap();
    /// // weight,skin,animal
    /// // 4.2,fur,cat
    /// // 0.1,scales,carp
    /// let data = Csv::open(path).header().category("skin").category("animal").read::<Features<3>, Class<2>>()?;
    /// assert_eq!(data.class_names(0), ["carp", "cat"]);
    /// let (mut input, mut target) = ([0.0; 3], [0]);
    /// data.sample(0, &mut input, &mut target)?;
    /// assert_eq!((input, target), ([4.2, 1.0, 0.0], [1]));
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    #[must_use]
    pub fn category(mut self, column: impl Into<CsvColumn>) -> Self {
        self.categories.push((column.into(), None));
        self
    }

    /// Declares that a column holds these words, in this order; any other word is an error. As [`Csv::category`], but independent of
    /// the words that a file happens to have.
    ///
    /// `.categories("animal", ["cat", "carp"])`
    #[must_use]
    pub fn categories(
        mut self,
        column: impl Into<CsvColumn>,
        words: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.categories.push((column.into(), Some(words.into_iter().map(Into::into).collect())));
        self
    }

    /// Declares that values of an input column may be missing. A cell stands for a missing value if it is empty or `?`, `NA`, `N/A`, `NaN`,
    /// `null` or `none`, in upper or lower case.
    ///
    /// - A column of numbers becomes two elements: the number, and 1 where it is missing, otherwise 0. A missing number is replaced by the
    ///   mean of the training samples. [`Normalization::PerElement`](super::Normalization::PerElement) does this, so it is required.
    /// - In a column of categories, missing values are a category of their own, after the others.
    ///
    /// A model that was trained with missing numbers takes NaN for them in predictions.
    ///
    /// ```
    /// use trainspec::data::{Csv, Dataset, Normalization, PreparedDataset, Split};
    /// use trainspec::data::Elements;
    /// use trainspec::{Class, Features};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("patients.csv");
    /// # std::fs::write(&path, "age,ill\n20,0\n,1\n40,1\n").unwrap();
    /// // age,ill
    /// // 20,0
    /// // ,1
    /// // 40,1
    /// let data = Csv::open(path).header().allow_missing("age").read::<Features<2>, Class<2>>()?;
    /// let data = data.with_normalization(Normalization::PerElement).with_split(Split::Random { validation: 0.0, test: 0.0 });
    /// let data = PreparedDataset::new(Box::new(data), 42)?;
    /// assert_eq!(data.batch(&[0, 1, 2])?.inputs[0].elements, Elements::Float(vec![-1.0, 0.0, 0.0, 1.0, 1.0, 0.0]));
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    #[must_use]
    pub fn allow_missing(mut self, column: impl Into<CsvColumn>) -> Self {
        self.missing.push(column.into());
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
    pub fn read<I: InputKinds, T: TargetKinds>(self) -> Result<InMemory<I, T>> {
        let (origin, bytes) = file::open(&self.path)?;
        self.read_from(&origin, bytes)
    }

    /// The same for bytes that are part of the program.
    pub(super) fn read_bytes<I: InputKinds, T: TargetKinds>(self, bytes: &[u8]) -> Result<InMemory<I, T>> {
        let (origin, bytes) = file::unpacked(&self.path, bytes, Some(bytes.len() as u64))?;
        self.read_from(&origin, bytes)
    }
}

/// Names a column in a message.
fn name(names: &[String], number: usize) -> String {
    match names.get(number) {
        Some(name) => format!("`{}`", plain(name, 40)),
        None => format!("{number} (from 0)"),
    }
}

/// The names in a header.
fn names_of(rows: &Rows<'_>) -> Vec<String> {
    rows.cells().map(|cell| shown(cell, usize::MAX)).collect()
}

/// An error for a text that is not UTF-8, from its first bytes.
fn encoding_error(origin: &Origin, bytes: &mut dyn BufRead) -> Result<()> {
    let start = bytes.fill_buf().map_err(|error| origin.unreadable(error))?;
    match encoding(start) {
        Some(found) => Err(origin.problem(format!(
            "the text seems to be {found}; expected UTF-8: save it as UTF-8, or convert it with `iconv -f {found} -t UTF-8`"
        ))),
        None => Ok(()),
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
