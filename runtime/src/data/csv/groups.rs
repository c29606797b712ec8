//! The group of each sample.

use std::collections::HashMap;

use super::words::is_missing;
use super::{Csv, CsvColumn, name};
use crate::data::file::Origin;
use crate::error::Result;

impl Csv {
    /// Sets the column with the group of each sample, such as the patient of a measurement: [`Split::Grouped`](crate::data::Split::Grouped) keeps the samples of
    /// one group in one part. The column may hold words or numbers, which are compared as text; it is neither input nor target.
    ///
    /// Groups are numbered from 0 in the order of their first samples: [`Dataset::group`](crate::data::Dataset::group).
    ///
    /// ```
    /// use trainspec::data::{Csv, Dataset};
    /// use trainspec::{Features, Values};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("visits.csv");
    /// # std::fs::write(&path, "patient,pulse,pressure\nP7,61,120\nP2,75,130\nP7,64,118\n").unwrap();
    /// // patient,pulse,pressure
    /// // P7,61,120
    /// // P2,75,130
    /// // P7,64,118
    /// let data = Csv::open(path).header().group("patient").read::<Features<1>, Values<1>>()?;
    /// assert_eq!([0, 1, 2].map(|sample| data.group(sample)), [Some(0), Some(1), Some(0)]);
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Csv::read`] names the file, the line and the column of a cell without a group.
    #[must_use]
    pub fn group(mut self, column: impl Into<CsvColumn>) -> Self {
        self.group = Some(column.into());
        self
    }
}

/// The groups of the samples read so far.
pub(super) struct Groups {
    column: usize,
    known: HashMap<Vec<u8>, u64>,
    pub(super) each: Vec<u64>,
}

impl Groups {
    pub(super) fn new(column: usize) -> Self {
        Self { column, known: HashMap::new(), each: Vec::new() }
    }

    /// The number of the column.
    pub(super) fn column(&self) -> usize {
        self.column
    }

    /// Adds the group of a sample, from a cell in a line.
    pub(super) fn add(&mut self, origin: &Origin, line: u64, cell: &[u8], names: &[String]) -> Result<()> {
        let cell = cell.trim_ascii();
        if std::str::from_utf8(cell).is_ok_and(is_missing) {
            let problem = format!(
                "column {} is {}; expected the group of the sample",
                name(names, self.column),
                super::values::found(cell)
            );
            return Err(origin.problem_at(line, problem));
        }
        let next = self.known.len() as u64;
        let group = match self.known.get(cell) {
            Some(&group) => group,
            None => *self.known.entry(cell.to_vec()).or_insert(next),
        };
        origin.reserve(&mut self.each, 1)?;
        self.each.push(group);
        Ok(())
    }
}
