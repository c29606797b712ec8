//! Targets in a second table, joined by a key.

use std::collections::HashMap;
use std::path::PathBuf;

use super::columns::CsvColumn;
use super::rows::Rows;
use super::words::is_missing;
use super::{Csv, encoding_error, names_of};
use crate::data::file::{self, Origin};
use crate::error::Result;
use crate::format::plain;

/// The file with the targets, and the name of the column that both files have.
#[derive(Clone, Debug)]
pub(super) struct TargetsFrom {
    path: PathBuf,
    key: String,
}

impl Csv {
    /// Reads the targets from another file, joined by a key: a column with this name in both files.
    ///
    /// The samples are the lines of the first file, in its order; the target of each is in the line of the second file with the same key. Each key
    /// occurs once in each file, and each line of one file has one in the other. Keys are compared as text, without the blanks around them.
    ///
    /// All columns of the first file but the key are the input, and all of the second one but the key the targets, unless [`Csv::inputs`],
    /// [`Csv::target`], [`Csv::targets`] or [`Csv::ignore`] say otherwise. Both files have a [header](Csv::header) and the same
    /// [delimiter](Csv::delimiter); [`Csv::skip_lines`] is for the first. The numbers of the columns of the second file follow those of the first.
    ///
    /// ```
    /// use trainspec::data::{Csv, Dataset};
    /// use trainspec::{Class, Features};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let (patients, labels) = (folder.path().join("patients.csv"), folder.path().join("labels.csv"));
    /// # std::fs::write(&patients, "id,age,weight\n17,61,80\n4,35,62\n").unwrap();
    /// # std::fs::write(&labels, "id,ill\n4,no\n17,yes\n").unwrap();
    /// // id,age,weight     id,ill
    /// // 17,61,80          4,no
    /// // 4,35,62           17,yes
    /// let data = Csv::open(patients).header().targets_from(labels, "id").category("ill").read::<Features<2>, Class<2>>()?;
    /// let (mut input, mut target) = ([0.0; 2], [0]);
    /// data.sample(0, &mut input, &mut target)?;
    /// assert_eq!((input, target), ([61.0, 80.0], [1]));
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Csv::read`] names the file, the line and the column of a key that is missing, that occurs twice, or that the other file does not have.
    ///
    /// # Memory
    /// While the files are read, the second one is in memory, with 16 bytes for each cell and about 100 for each line.
    #[must_use]
    pub fn targets_from(mut self, path: impl Into<PathBuf>, key: impl Into<String>) -> Self {
        self.targets_from = Some(TargetsFrom { path: path.into(), key: key.into() });
        self
    }
}

/// The second table, in memory.
pub(super) struct Joined {
    origin: Origin,
    pub(super) names: Vec<String>,
    /// The number of the key's column in the first file, and in this one.
    pub(super) keys: [usize; 2],
    first: String,
    text: Vec<u8>,
    /// The end of each cell, row by row.
    ends: Vec<usize>,
    /// The line of each row, and the line of the first file that has its key.
    lines: Vec<(u64, u64)>,
    rows: HashMap<Vec<u8>, usize>,
}

impl Joined {
    /// Reads the table; `names` are those of the first file, `first`.
    pub(super) fn read(
        csv: &Csv,
        from: &TargetsFrom,
        first: &Origin,
        names: &[String],
        targets: usize,
    ) -> Result<Self> {
        let key = CsvColumn::Name(from.key.clone());
        if !csv.header {
            return Err(first.problem(format!(
                "the key `{}` of `targets_from` is the name of a column; add `.header()`",
                plain(&from.key, 40)
            )));
        }
        if names.is_empty() {
            return Err(first.problem("no header; expected the names of the columns".to_owned()));
        }
        let of_first = key.find(names, names.len()).map_err(|problem| first.problem(problem))?;
        let (origin, mut bytes) = file::open(&from.path)?;
        encoding_error(&origin, &mut *bytes)?;
        let mut rows = Rows::new(bytes, csv.delimiter, targets);
        let names = if rows.advance(&origin)? { names_of(&rows) } else { Vec::new() };
        if names.is_empty() {
            let problem =
                format!("no header; expected the names of the columns, with `{}`", plain(&from.key, 40));
            return Err(origin.problem(problem));
        }
        let own = key.find(&names, names.len()).map_err(|problem| origin.problem(problem))?;
        let mut joined = Self {
            names,
            keys: [of_first, own],
            first: first.path().display().to_string(),
            text: Vec::new(),
            ends: Vec::new(),
            lines: Vec::new(),
            rows: HashMap::new(),
            origin,
        };
        while rows.advance(&joined.origin)? {
            joined.add(&rows)?;
        }
        Ok(joined)
    }

    fn add(&mut self, rows: &Rows<'_>) -> Result<()> {
        let Self { origin, names, keys, text, ends, lines, rows: known, .. } = self;
        if rows.len() != names.len() {
            let problem = format!("{} columns; expected {}, as in the header", rows.len(), names.len());
            return Err(origin.problem_at(rows.line, problem));
        }
        let key = key_of(origin, rows, keys[1], names)?;
        if let Some((line, _)) = known.get(key).and_then(|row| lines.get(*row)) {
            return Err(origin.problem_at(rows.line, repeated(names, keys[1], key, *line)));
        }
        for cell in rows.cells() {
            origin.reserve(text, cell.len())?;
            text.extend_from_slice(cell);
            origin.reserve(ends, 1)?;
            ends.push(text.len());
        }
        known.insert(key.to_vec(), lines.len());
        origin.reserve(lines, 1)?;
        lines.push((rows.line, 0));
        Ok(())
    }

    /// The row with the key of the current row of the first file.
    pub(super) fn row(&mut self, first: &Origin, rows: &Rows<'_>, names: &[String]) -> Result<usize> {
        let key = key_of(first, rows, self.keys[0], names)?;
        let found = self.rows.get(key).and_then(|&row| Some((row, self.lines.get_mut(row)?)));
        let Some((row, (_, used))) = found else {
            let problem = format!(
                "column {} is `{}`, which no line of {} has; expected a line with its target there",
                super::name(names, self.keys[0]),
                shown(key),
                self.origin.path().display()
            );
            return Err(first.problem_at(rows.line, problem));
        };
        if *used != 0 {
            return Err(first.problem_at(rows.line, repeated(names, self.keys[0], key, *used)));
        }
        *used = rows.line;
        Ok(row)
    }

    /// A cell of a row; empty if there is none.
    pub(super) fn cell(&self, row: usize, column: usize) -> &[u8] {
        let place = row * self.names.len() + column;
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(place).and_then(|&end| self.text.get(start..end)).unwrap_or_default()
    }

    /// Where an error in a row is.
    pub(super) fn at(&self, row: usize) -> (&Origin, u64) {
        (&self.origin, self.lines.get(row).map_or(0, |lines| lines.0))
    }

    /// Checks that each row was used.
    pub(super) fn check_used(&self) -> Result<()> {
        let Some((row, (line, _))) = self.lines.iter().enumerate().find(|(_, (_, used))| *used == 0) else {
            return Ok(());
        };
        Err(self.origin.problem_at(
            *line,
            format!(
                "column {} is `{}`, which no line of {} has; remove the line, or add the sample",
                super::name(&self.names, self.keys[1]),
                shown(self.cell(row, self.keys[1]).trim_ascii()),
                self.first
            ),
        ))
    }
}

fn shown(key: &[u8]) -> String {
    plain(&super::shown(key, 40), 41)
}

fn key_of<'a>(origin: &Origin, rows: &'a Rows<'_>, column: usize, names: &[String]) -> Result<&'a [u8]> {
    let key = rows.cell(column).trim_ascii();
    if std::str::from_utf8(key).is_ok_and(is_missing) {
        let what = if key.is_empty() { "empty".to_owned() } else { format!("`{}`", shown(key)) };
        let problem =
            format!("column {} is {what}; expected the key of the sample", super::name(names, column));
        return Err(origin.problem_at(rows.line, problem));
    }
    Ok(key)
}

fn repeated(names: &[String], column: usize, key: &[u8], line: u64) -> String {
    format!(
        "column {} is `{}`, as in line {line}; expected each key once",
        super::name(names, column),
        shown(key)
    )
}
