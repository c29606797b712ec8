//! Tables of numbers in text files.

use std::io::BufRead;
use std::path::PathBuf;

pub use columns::CsvColumn;

use super::InMemory;
use super::file::{self, Origin};
use super::memory::size;
use crate::error::Result;
use crate::format::plain;
use crate::loss::TargetKind;
use crate::shape::{Element, InputKind, Shape};
use columns::{HINT, Role, Widths};
use rows::Rows;

mod columns;
mod rows;

/// A file of numbers, one sample a line: comma-separated values, plain or packed by gzip.
///
/// The kinds that it is read as say how many columns there are: `Features<4>` and `Class<3>` are 4 and 1.
/// The target is in the last column or columns, unless [`Csv::target`] says otherwise; all others that
/// are not ignored are the input, from left to right.
///
/// Numbers are finite; classes are whole numbers from 0. There is no guessing: a line that is no data is
/// an error until [`Csv::header`] or [`Csv::skip_lines`] accounts for it. Empty lines have no meaning.
///
/// # Errors
/// [`Csv::read`] names the file and the line (from 1, in the unpacked file): a line with another number of
/// columns, a cell that is no number (``column `width` is `?`; expected a finite number``), NaN or infinity, a
/// class out of range, no line of data, a damaged gzip file.
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
}

impl Csv {
    /// A file with commas between its cells and data from its first line on; it is opened by
    /// [`Csv::read`].
    #[must_use]
    pub fn open(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            delimiter: b',',
            header: false,
            skip_lines: 0,
            target: CsvColumn::Last,
            ignored: Vec::new(),
        }
    }

    /// What stands between two cells: `b','` by default; `b' '`, `b';'` and `b'\t'` are common.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// The first line, after those that are skipped, names the columns.
    #[must_use]
    pub fn header(mut self) -> Self {
        self.header = true;
        self
    }

    /// This many lines at the beginning are no data.
    #[must_use]
    pub fn skip_lines(mut self, lines: u64) -> Self {
        self.skip_lines = lines;
        self
    }

    /// The target is in this column: `.target("species")` or `.target(0)`. A target of several columns is
    /// in this one and the next ones that are not ignored.
    #[must_use]
    pub fn target(mut self, column: impl Into<CsvColumn>) -> Self {
        self.target = column.into();
        self
    }

    /// This column is neither input nor target: `.ignore("id")`; it may hold anything.
    #[must_use]
    pub fn ignore(mut self, column: impl Into<CsvColumn>) -> Self {
        self.ignored.push(column.into());
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

    /// The same of bytes that are part of the program.
    pub(super) fn read_bytes<I: InputKind, T: TargetKind>(self, bytes: &[u8]) -> Result<InMemory<I, T>> {
        let (origin, bytes) = file::unpacked(&self.path, bytes)?;
        self.read_from(&origin, bytes)
    }

    fn read_from<I: InputKind, T: TargetKind>(
        &self,
        origin: &Origin,
        bytes: Box<dyn BufRead + '_>,
    ) -> Result<InMemory<I, T>> {
        let wanted = Widths {
            input: size(I::NAME, I::SHAPE)?,
            target: size(T::NAME, T::SHAPE)?,
            input_kind: I::NAME,
            target_kind: T::NAME,
        };
        let mut rows = Rows::new(bytes, self.delimiter, wanted.input.saturating_add(wanted.target));
        rows.skip(self.skip_lines).map_err(|error| origin.unreadable(error))?;
        let mut names = Vec::new();
        if self.header && rows.advance(origin)? {
            names = rows.record.iter().map(|cell| shown(cell, usize::MAX)).collect();
        }
        let mut roles = Vec::new();
        let (mut inputs, mut targets) = (Vec::new(), Vec::new());
        while rows.advance(origin)? {
            let at = |problem: String| origin.problem_at(rows.line, problem);
            let first = roles.is_empty();
            if first {
                roles = columns::roles(self, &names, rows.record.len(), &wanted).map_err(at)?;
            }
            if rows.record.len() != roles.len() {
                return Err(at(format!(
                    "{} columns; expected {}, as in the first line of data",
                    rows.record.len(),
                    roles.len()
                )));
            }
            for (number, (cell, role)) in rows.record.iter().zip(&roles).enumerate() {
                let outcome = match role {
                    Role::Ignored => Ok(()),
                    Role::Input => push(&mut inputs, cell, I::SHAPE),
                    Role::Target => push(&mut targets, cell, T::SHAPE),
                };
                outcome.map_err(|problem| {
                    let column = match names.get(number) {
                        Some(name) => format!("`{}`", plain(name, 40)),
                        None => format!("{number} (from 0)"),
                    };
                    let hint = if first && !self.header { HINT } else { "" };
                    at(format!("column {column} {problem}{hint}"))
                })?;
            }
        }
        if roles.is_empty() {
            return Err(origin.problem("no line of data; expected at least one sample"));
        }
        InMemory::new(inputs, targets)
    }
}

/// Reads the number in a cell, or says what is wrong with it.
fn push<E: Element>(numbers: &mut Vec<E>, cell: &[u8], shape: Shape) -> Result<(), String> {
    let text = std::str::from_utf8(cell).unwrap_or_default().trim_ascii();
    if let Some(number) = E::from_text(text, shape.vocabulary()) {
        numbers.push(number);
        return Ok(());
    }
    let found = plain(&shown(cell, 40), 41);
    let found = if found.is_empty() { "empty".to_owned() } else { format!("`{found}`") };
    Err(match shape.vocabulary() {
        None => format!("is {found}; expected a finite number"),
        Some(vocabulary) => format!("is {found}; expected a whole number from 0 to {}", vocabulary - 1),
    })
}

/// A cell as text, without blanks around it and no longer than a message can bear.
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
    use crate::data::{AnyDataset, Dataset};
    use crate::shape::Elements;
    use crate::{Class, Features, Values};

    type Flowers = InMemory<Features<2>, Class<3>>;
    type Read<'a> = &'a dyn Fn(&Path) -> Result<Flowers>;

    /// All numbers of a file: inputs and targets.
    fn numbers<const N: usize, const M: usize>(csv: Csv, bytes: &[u8]) -> Result<(Vec<f32>, Vec<f32>)> {
        let data: InMemory<Features<N>, Values<M>> = csv.read_bytes(bytes)?;
        let batch = data.batch(&(0..Dataset::len(&data)).collect::<Vec<_>>())?;
        match (batch.input.elements, batch.target.elements) {
            (Elements::Real(inputs), Elements::Real(targets)) => Ok((inputs, targets)),
            _ => panic!("real kinds have real elements"),
        }
    }

    #[test]
    fn the_same_table_in_many_dresses() {
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
    fn several_target_columns_stand_together() {
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
            "x.csv:1: the target begins at column 3 (from 0) of 4 in use; expected one with 1 more after it, for \
             `Values`"
        );
    }

    #[test]
    fn what_is_wrong_in_a_file_is_told_with_its_place() {
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
                "x.csv:1: 5 columns; expected 2 for `Features` and 1 for `Class`; if this line is no data, use \
                 `.header()` or `.skip_lines(1)`",
            ),
            (
                "a,b,c\n1,2,0\n",
                &plain,
                "x.csv:1: column 0 (from 0) is `a`; expected a finite number; if this line is no data, use \
                 `.header()` or `.skip_lines(1)`",
            ),
            ("a,b,c\n1,2\n", &named, "x.csv:2: 2 columns; expected 3, as in the header"),
            ("a,b,c,d\n1,2,3,0\n", &named, "x.csv:2: 4 columns; expected 2 for `Features` and 1 for `Class`"),
            ("1,2,0\n\n1,?,0\n", &plain, "x.csv:3: column 1 (from 0) is `?`; expected a finite number"),
            ("a,b,c\n1,2,0\n1,,0\n", &named, "x.csv:3: column `b` is empty; expected a finite number"),
            ("1,2,0\nNaN,2,0\n", &plain, "x.csv:2: column 0 (from 0) is `NaN`; expected a finite number"),
            ("1,2,0\n1,-inf,0\n", &plain, "x.csv:2: column 1 (from 0) is `-inf`; expected a finite number"),
            (
                "1,2,0\n1,2,3\n",
                &plain,
                "x.csv:2: column 2 (from 0) is `3`; expected a whole number from 0 to 2",
            ),
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
                 line is no data, use `.header()` or `.skip_lines(1)`",
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

    #[test]
    fn a_damaged_gzip_file_is_told_from_a_short_one() {
        let mut bytes = packed("1,2,0\n".repeat(1000).as_bytes());
        bytes.truncate(bytes.len() - 9);
        let said = problem("x.csv.gz", &bytes, |path| Csv::open(path).read::<Features<2>, Class<3>>());
        assert!(said.starts_with("x.csv.gz: the gzip file is damaged or cut short ("), "{said}");
    }

    #[test]
    fn a_column_that_is_not_there_is_told_with_those_that_are() {
        let text = b"a,b,c\n1,2,0\n";
        let csv = || Csv::open("x.csv").header();
        for (csv, sentence) in [
            (csv().target("d"), "x.csv:2: no column has the name `d`; found `a`, `b`, `c`"),
            (csv().target(3), "x.csv:2: there is no column 3; expected a number below 3"),
            (
                Csv::open("x.csv").skip_lines(1).target("c"),
                "x.csv:2: the columns have no names to find `c` among; use `.header()` or a number",
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
