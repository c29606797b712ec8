//! Reads a table into samples.

use std::io::BufRead;

use super::choice::Layout;
use super::columns::{self, HINT, Side};
use super::groups::Groups;
use super::joined::Joined;
use super::rows::Rows;
use super::values::{ValueError, Values};
use super::{Csv, encoding_error, name, names_of};
use crate::data::file::Origin;
use crate::data::memory::{Facts, Source, size};
use crate::data::{InMemory, RoundedColumn};
use crate::error::{Error, Result};
use crate::format::plain;
use crate::loss::TargetKinds;
use crate::shape::{InputKinds, Kinds};

/// What is known from the first line of data on.
struct Table {
    layout: Layout,
    /// The values of the inputs, and of the targets.
    values: [Values; 2],
    groups: Option<Groups>,
}

impl Csv {
    pub(super) fn read_from<I: InputKinds, T: TargetKinds>(
        &self,
        origin: &Origin,
        mut bytes: Box<dyn BufRead + '_>,
    ) -> Result<InMemory<I, T>> {
        let sides = [Side::of::<I>(), Side::of::<T>()];
        for (name, shape) in sides.into_iter().flat_map(Side::kinds) {
            size(name, shape)?;
        }
        self.check(origin, &mut *bytes)?;
        let mut rows =
            Rows::new(bytes, self.delimiter, sides[0].elements().saturating_add(sides[1].elements()));
        rows.skip(self.skip_lines).map_err(|error| origin.unreadable(error))?;
        let mut names = Vec::new();
        if self.header && rows.advance(origin)? {
            names = names_of(&rows);
        }
        let mut joined = match &self.targets_from {
            Some(from) => Some(Joined::read(self, from, origin, &names, sides[1].elements())?),
            None => None,
        };
        let mut table: Option<Table> = None;
        let mut source = Source::new(origin.path());
        let mut samples = 0;
        while rows.advance(origin)? {
            let at = |problem: String| origin.problem_at(rows.line, problem);
            let first = table.is_none();
            let Table { layout, values, groups } = match &mut table {
                Some(table) => table,
                none => {
                    let layout = Layout::new(std::mem::take(&mut names), rows.len(), joined.as_ref());
                    let (uses, group) = columns::uses(self, &layout, &rows, sides).map_err(at)?;
                    none.insert(Table {
                        layout,
                        values: uses.map(Values::new),
                        groups: group.map(Groups::new),
                    })
                }
            };
            if rows.len() != layout.first {
                return Err(at(format!(
                    "{} columns; expected {}, as in the first line of data",
                    rows.len(),
                    layout.first
                )));
            }
            let row = match &mut joined {
                Some(joined) => {
                    joined.row(origin, &rows, layout.names.get(..layout.first).unwrap_or_default())?
                }
                None => 0,
            };
            let other = joined.as_ref();
            let cell = |number: usize| match (number.checked_sub(layout.first), other) {
                (Some(number), Some(other)) => other.cell(row, number),
                _ => rows.cell(number),
            };
            // Where the cell of a column is.
            let place = |column: usize| match other {
                Some(other) if column >= layout.first => other.at(row),
                _ => (origin, rows.line),
            };
            for values in values {
                let taken = values.take(origin, cell, self.delimiter)?;
                taken.map_err(|ValueError { column, text, hint, declaration }| {
                    let unnamed = (first && !self.header).then_some(HINT);
                    let hint = hint.as_deref().or(unnamed).or(declaration).unwrap_or_default();
                    let (origin, line) = place(column);
                    origin.problem_at(line, format!("column {} {text}{hint}", name(&layout.names, column)))
                })?;
            }
            if let Some(groups) = groups {
                let (origin, line) = place(groups.column());
                groups.add(origin, line, cell(groups.column()), &layout.names)?;
            }
            source.add(origin, samples, rows.line)?;
            samples += 1;
        }
        let Some(Table { layout, values: [inputs, targets], groups }) = table else {
            return Err(origin.problem("no line of data; expected at least one sample"));
        };
        joined.as_ref().map_or(Ok(()), Joined::check_used)?;
        let inputs =
            inputs.into_samples(&layout.names, sides[0], false).map_err(|problem| origin.problem(problem))?;
        let targets =
            targets.into_samples(&layout.names, sides[1], true).map_err(|problem| origin.problem(problem))?;
        let mut rounded: Vec<_> = inputs.rounded.into_iter().map(|(_, column)| column).collect();
        rounded
            .extend(targets.rounded.into_iter().map(|(_, column)| RoundedColumn { element: None, ..column }));
        let facts = Facts {
            rounded,
            class_names: targets.class_names,
            missing: inputs.missing,
            unscaled: inputs.unscaled,
            groups: groups.map(|groups| groups.each).unwrap_or_default(),
        };
        let columns =
            <I as Kinds>::from_elements(inputs.elements).zip(<T as Kinds>::from_elements(targets.elements));
        let (inputs, targets) = columns.ok_or(Error::Internal("columns of another type than their kinds"))?;
        InMemory::from_file(inputs, targets, source.with_facts(facts))
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
        let repeated = |words: &[String]| {
            let mut sorted: Vec<&String> = words.iter().collect();
            sorted.sort();
            sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone())
        };
        let listed = self.categories.iter().filter_map(|(_, words)| words.as_deref());
        if let Some(word) = listed.into_iter().find_map(repeated) {
            return Err(Error::Dataset(format!(
                "the categories of a `Csv` have `{}` twice; remove one",
                plain(&word, 40)
            )));
        }
        encoding_error(origin, bytes)
    }
}
