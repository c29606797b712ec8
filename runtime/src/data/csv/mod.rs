//! Tables of numbers in text files.

use std::io::BufRead;
use std::path::PathBuf;

pub use columns::CsvColumn;

use super::InMemory;
use super::file::{self, Origin};
use super::memory::{Source, size};
use crate::error::{Error, Result};
use crate::format::plain;
use crate::loss::TargetKind;
use crate::shape::InputKind;
use columns::{HINT, Widths};
use rows::Rows;
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
        match hints::encoding(start) {
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
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::file::tests::{packed, problem};
    use crate::data::{AnyDataset, Dataset, PreparedDataset, RoundedColumn, Split};
    use crate::shape::Elements;
    use crate::{Class, Features, Series, Tokens, Values};

    type Flowers = InMemory<Features<2>, Class<3>>;
    type Read<'a> = &'a dyn Fn(&Path) -> Result<Flowers>;

    /// All values of a file: inputs and targets.
    fn numbers<const N: usize, const M: usize>(csv: Csv, bytes: &[u8]) -> Result<(Vec<f32>, Vec<f32>)> {
        let data: InMemory<Features<N>, Values<M>> = csv.read_bytes(bytes)?;
        let batch = data.batch(&(0..Dataset::len(&data)).collect::<Vec<_>>())?;
        match (batch.input.elements, batch.target.elements) {
            (Elements::Float(inputs), Elements::Float(targets)) => Ok((inputs, targets)),
            _ => panic!("real kinds have real elements"),
        }
    }

    #[test]
    fn series_takes_one_channel_after_the_other() {
        let text = "1,2,3,4,5,6,0\n6,5,4,3,2,1,1\n";
        let data: InMemory<Series<2, 3>, Class<2>> = Csv::open("x.csv").read_bytes(text.as_bytes()).unwrap();
        let batch = data.batch(&[1]).unwrap();
        assert_eq!(batch.input.shape.axes(), [2, 3]);
        assert!(
            matches!(batch.input.elements, Elements::Float(values) if values == [6.0, 5.0, 4.0, 3.0, 2.0, 1.0])
        );
    }

    #[test]
    fn csv_variants_parse_to_equal_tables() {
        let expected = (vec![1.0, 2.0, 4.0, 5.0], vec![3.0, 6.0]);
        let csv = || Csv::open("x.csv");
        for (csv, text) in [
            (csv(), "1,2,3\n4,5,6\n"),
            (csv(), "1,2,3\r\n4,5,6"),
            (csv(), "\u{FEFF}1,2,3\n\n \r\n4,5,6\n\n"),
            (csv(), " 1 ,2.0,\"3\"\n+4,0.5e1,6"),
            (csv().delimiter(b' '), "1 2 3\n4 5 6\n"),
            (csv().delimiter(b'\t'), "1\t2\t3\n4\t5\t6\n"),
            (csv().skip_lines(2), "by hand\n2,2\n1,2,3\n4,5,6\n"),
            (csv().header(), "a,b,c\n1,2,3\n4,5,6\n"),
            (csv().header().target("b"), "a,\"b\",c\r\n1,3,2\r\n4,6,5\r\n"),
            (csv().header().target("b"), "\u{FEFF}b,a,c\n3,1,2\n6,4,5\n"),
            (csv().target(0), "3,1,2\n6,4,5\n"),
            (csv().target(1).ignore(0), "x,3,1,2\n,6,4,5\n"),
            (csv().ignore(CsvColumn::Last), "1,2,3,\"a, \"\"quoted\"\"\nnote\"\n4,5,6,\n"),
            (csv().header().ignore("id").ignore("id"), "a,id,b,c\n1,7,2,3\n4,8,5,6\n"),
        ] {
            assert_eq!(numbers::<2, 1>(csv.clone(), text.as_bytes()).unwrap(), expected, "{text:?}");
            assert_eq!(numbers::<2, 1>(csv, &packed(text.as_bytes())).unwrap(), expected, "{text:?}, packed");
        }
    }

    #[test]
    fn multiple_target_columns_form_one_target() {
        let text = b"1,2,3,4\n";
        for (csv, inputs, targets) in [
            (Csv::open(""), [1.0, 2.0], [3.0, 4.0]),
            (Csv::open("").target(0), [3.0, 4.0], [1.0, 2.0]),
            (Csv::open("").target(1), [1.0, 4.0], [2.0, 3.0]),
        ] {
            assert_eq!(numbers::<2, 2>(csv, text).unwrap(), (inputs.to_vec(), targets.to_vec()));
        }
        assert_eq!(
            numbers::<2, 2>(Csv::open("x.csv").target(3), text).unwrap_err().to_string(),
            "x.csv:1: the target starts at column 3 (from 0) of 4 in use; expected one with 1 more after it, for \
             `Values`"
        );
    }

    #[test]
    fn csv_error_names_line_and_column() {
        let plain = |path: &Path| Csv::open(path).read::<Features<2>, Class<3>>();
        let named = |path: &Path| Csv::open(path).header().read::<Features<2>, Class<3>>();
        for (text, read, sentence) in [
            ("", &plain as Read, "x.csv: no line of data; expected at least one sample"),
            ("\n\n", &plain, "x.csv: no line of data; expected at least one sample"),
            ("a,b,c\n", &named, "x.csv: no line of data; expected at least one sample"),
            ("1,2,0\n1,2\n", &plain, "x.csv:2: 2 columns; expected 3, as in the first line of data"),
            (
                "1,2,0\r\n\r\n1,2,0,4\r\n",
                &plain,
                "x.csv:3: 4 columns; expected 3, as in the first line of data",
            ),
            (
                "3,2,setosa,versicolor,virginica\n1,2,0\n",
                &plain,
                "x.csv:1: 5 columns; expected 2 for `Features` and 1 for `Class`; if this line is not data, use \
                 `.header()` or `.skip_lines(1)`",
            ),
            (
                "a,b,c\n1,2,0\n",
                &plain,
                "x.csv:1: column 0 (from 0) is `a`; expected a finite number; if this line is not data, use \
                 `.header()` or `.skip_lines(1)`",
            ),
            ("a,b,c\n1,2\n", &named, "x.csv:2: 2 columns; expected 3, as in the header"),
            ("a,b,c,d\n1,2,3,0\n", &named, "x.csv:2: 4 columns; expected 2 for `Features` and 1 for `Class`"),
            ("1,2,0\n\n1,?,0\n", &plain, "x.csv:3: column 1 (from 0) is `?`; expected a finite number"),
            ("a,b,c\n1,2,0\n1,,0\n", &named, "x.csv:3: column `b` is empty; expected a finite number"),
            ("1,2,0\nNaN,2,0\n", &plain, "x.csv:2: column 0 (from 0) is `NaN`; expected a finite number"),
            ("1,2,0\n1,-inf,0\n", &plain, "x.csv:2: column 1 (from 0) is `-inf`; expected a finite number"),
            (
                "1,2,0\n1,2,0.5\n",
                &plain,
                "x.csv:2: column 2 (from 0) is `0.5`; expected a whole number from 0 to 2",
            ),
            (
                "1,2,0\n1,2,-1\n",
                &plain,
                "x.csv:2: column 2 (from 0) is `-1`; expected a whole number from 0 to 2",
            ),
            (
                "1,2,0\n1,5\" disk,0\n1,2,0\n",
                &plain,
                "x.csv:2: a quotation mark is not closed; remove it, or double it",
            ),
            (
                "1,2,0\n1,\"2,0\n1,2,0\n",
                &plain,
                "x.csv:2: 2 columns; expected 3, as in the first line of data",
            ),
            (
                "1,2,0\r1,2,0\r",
                &plain,
                "x.csv:1: 5 columns; expected 2 for `Features` and 1 for `Class`; if this \
                 line is not data, use `.header()` or `.skip_lines(1)`",
            ),
        ] {
            assert_eq!(problem("x.csv", text.as_bytes(), read), sentence, "{text:?}");
        }
        let missing = plain(Path::new("missing.csv")).unwrap_err().to_string();
        assert!(missing.starts_with("missing.csv: No such file"), "{missing}");
        let long = format!("1,2,0\n1,{},0\n", "x".repeat(1000));
        assert!(problem("x.csv", long.as_bytes(), plain).len() < 150);
        assert!(
            problem("x.csv", b"1,2,0\n1,\xFF\xFE,0\n", plain).starts_with("x.csv:2: column 1 (from 0) is `")
        );
    }

    /// Only the loss decides whether a label is ignored.
    #[test]
    fn class_out_of_range_is_reported_with_line() {
        let data: Flowers = Csv::open("x.csv").read_bytes(b"1,2,0\n\n1,2,255\n1,2,3\n").unwrap();
        let places: Vec<_> = (0..3).map(|sample| Dataset::location(&data, sample).unwrap()).collect();
        assert_eq!(places, ["x.csv:1", "x.csv:3", "x.csv:4"]);
        let split = Split::Fixed { train: 0..2, validation: 2..3, test: 0..0 };
        let said = PreparedDataset::ignoring(Box::new(data.with_split(split)), 0, Some(255)).err().unwrap();
        assert_eq!(
            said.to_string(),
            "data: x.csv:4: sample 2 (from 0) of the validation part: the target is 3; expected a whole number from 0 to 2; if \
             your values start at 1, subtract 1"
        );
        let tokens =
            Csv::open("x.csv").read_bytes::<Tokens<3, 2>, Class<3>>(b"1,3,0\n").err().unwrap().to_string();
        assert_eq!(
            tokens,
            "x.csv:1: column 1 (from 0) is `3`; expected a whole number from 0 to 2; if your values start at 1, subtract 1; if \
             this line is not data, use `.header()` or `.skip_lines(1)`"
        );
    }

    /// Seconds of 2023, which f32 rounds to multiples of 128.
    #[test]
    fn columns_constant_in_f32_are_found() {
        let rows = |from| {
            (0..250)
                .map(|i| format!("{},{},{}\n", from + i, i % 7, 2 * from + i))
                .collect::<Vec<_>>()
                .concat()
        };
        let (late, early) = (rows(1_700_000_000_u64), rows(0));
        let read = |csv: Csv, text: &str| csv.read_bytes::<Features<2>, Values<1>>(text.as_bytes()).unwrap();
        let csv = || Csv::open("x.csv");
        let lost = |column: &str, element, left| RoundedColumn {
            column: column.to_owned(),
            element,
            distinct: 250,
            left,
        };
        let found = read(csv(), &late);
        assert_eq!(
            Dataset::rounded_columns(&found),
            [lost("0 (from 0)", Some(0), 3), lost("2 (from 0)", None, 2)]
        );
        assert_eq!(Dataset::rounded_columns(&read(csv(), &early)), []);
        let shifted = read(csv().subtract(0, 1.7e9).subtract(2, 3.4e9), &late);
        assert_eq!(Dataset::rounded_columns(&shifted), []);
        let (mut input, mut target) = ([0.0; 2], [0.0]);
        shifted.sample(249, &mut input, &mut target).unwrap();
        assert_eq!((input, target), ([249.0, 4.0], [249.0]));
        let named = read(csv().header(), &format!("time,day,end\n{late}"));
        assert_eq!(Dataset::rounded_columns(&named)[0], lost("`time`", Some(0), 3));
        let said = csv().ignore(0).subtract(0, 1.0).read_bytes::<Features<1>, Values<1>>(late.as_bytes());
        assert_eq!(
            said.err().unwrap().to_string(),
            "x.csv:1: column 0 (from 0), which has a `subtract` of 1, does not hold real numbers of a sample; remove the \
             `subtract`"
        );
    }

    #[test]
    fn unexpected_delimiter_or_encoding_is_reported() {
        let plain = |path: &Path| Csv::open(path).read::<Features<2>, Class<3>>();
        let named = |path: &Path| Csv::open(path).header().read::<Features<2>, Class<3>>();
        let semicolon = "; the cells seem to be separated by `;`: use `.delimiter(b';')`";
        let tabs = "; the cells seem to be separated by tabs: use `.delimiter(b'\\t')`";
        let utf_16 = |mark: &[u8], unit: fn(u16) -> [u8; 2]| {
            [mark, &"1,2,0\n".encode_utf16().flat_map(unit).collect::<Vec<_>>()].concat()
        };
        let encoded = "x.csv: the text seems to be UTF-16; expected UTF-8: save it as UTF-8, or convert it with `iconv -f UTF-16 -t \
                       UTF-8`";
        for (bytes, read, sentence) in [
            (
                b"length;width;kind\n1;2;0\n".to_vec(),
                &plain as Read,
                format!("x.csv:1: 1 columns; expected 2 for `Features` and 1 for `Class`{semicolon}"),
            ),
            (
                b"length;width;kind\n1;2;0\n".to_vec(),
                &named,
                format!("x.csv:2: 1 columns; expected 2 for `Features` and 1 for `Class`{semicolon}"),
            ),
            (
                b"1\t2\t0\n".to_vec(),
                &plain,
                format!("x.csv:1: 1 columns; expected 2 for `Features` and 1 for `Class`{tabs}"),
            ),
            // With decimal commas, the rows have as many cells as expected.
            (
                b"1,5;2,5;0\n".to_vec(),
                &plain,
                format!("x.csv:1: column 1 (from 0) is `5;2`; expected a finite number{semicolon}"),
            ),
            (utf_16(b"\xFF\xFE", u16::to_le_bytes), &plain, encoded.to_owned()),
            (utf_16(b"\xFE\xFF", u16::to_be_bytes), &named, encoded.to_owned()),
            (utf_16(b"", u16::to_le_bytes), &plain, encoded.to_owned()),
            (utf_16(b"", u16::to_be_bytes), &plain, encoded.to_owned()),
        ] {
            assert_eq!(problem("x.csv", &bytes, read), sentence, "{bytes:?}");
        }
        let semicolons = |path: &Path| Csv::open(path).delimiter(b';').read::<Features<2>, Class<3>>();
        assert_eq!(
            problem("x.csv", b"1,5;2,5;0\n", semicolons),
            "x.csv:1: column 0 (from 0) is `1,5`; expected a finite number; write a point instead of the decimal comma"
        );
        assert_eq!(
            problem("x.csv", b"1;2;0\n", |path| Csv::open(path)
                .delimiter(b'"')
                .read::<Features<2>, Class<3>>()),
            "data: the delimiter of a `Csv` is '\"'; expected a character other than a quotation mark or a line end, such as `b';'`"
        );
    }

    #[test]
    fn damaged_gzip_is_distinguished_from_truncated_gzip() {
        let mut bytes = packed("1,2,0\n".repeat(1000).as_bytes());
        bytes.truncate(bytes.len() - 9);
        let said = problem("x.csv.gz", &bytes, |path| Csv::open(path).read::<Features<2>, Class<3>>());
        assert!(said.starts_with("x.csv.gz: the gzip file is damaged or cut short ("), "{said}");
    }

    #[test]
    fn missing_column_error_lists_columns() {
        let text = b"a,b,c\n1,2,0\n";
        let csv = || Csv::open("x.csv").header();
        for (csv, sentence) in [
            (csv().target("d"), "x.csv:2: no column has the name `d`; found `a`, `b`, `c`"),
            (csv().target(3), "x.csv:2: there is no column 3; expected a number below 3"),
            (
                Csv::open("x.csv").skip_lines(1).target("c"),
                "x.csv:2: the columns have no names, so `c` is not found; use `.header()` or a number",
            ),
            (
                csv().ignore("b"),
                "x.csv:2: 2 columns that are not ignored; expected 2 for `Features` and 1 for `Values`",
            ),
        ] {
            assert_eq!(numbers::<2, 1>(csv, text).unwrap_err().to_string(), sentence);
        }
        assert_eq!(
            numbers::<1, 1>(csv().ignore("b").target("b"), text).unwrap_err().to_string(),
            "x.csv:2: column 1 (from 0) is the target and is ignored"
        );
        assert_eq!(
            numbers::<2, 1>(csv().target("a"), b"a,a,c\n1,2,0\n").unwrap_err().to_string(),
            "x.csv:2: two columns have the name `a`; use a number"
        );
    }
}
