//! Parses the cells of a row into the values of a sample.

use super::columns::{Content, Use};
use super::dates::{self, Moment};
use super::words::{Words, is_missing};
use super::{hints, shown};
use crate::data::distinct::Rounding;
use crate::data::file::Origin;
use crate::data::memory::whole_number;
use crate::error::Result;
use crate::format::plain;
use crate::shape::Element;

/// The columns of the inputs, or those of the targets, with the values read so far.
pub(super) struct Values {
    pub(super) columns: Vec<Column>,
    /// The real values, row by row. A missing one is NaN, a category its index, a date all of its elements.
    pub(super) reals: Vec<f32>,
    /// The classes and tokens, row by row. A category is its index.
    pub(super) wholes: Vec<u32>,
}

/// A column that is used.
pub(super) struct Column {
    pub(super) used: Use,
    /// For real numbers.
    pub(super) rounding: Option<Rounding>,
    /// For categories.
    pub(super) words: Option<Words>,
}

/// What is wrong with a cell.
pub(super) struct ValueError {
    /// Its column.
    pub(super) column: usize,
    pub(super) text: String,
    /// A hint on the format of the file.
    pub(super) hint: Option<String>,
    /// A hint on the content of the column.
    pub(super) declaration: Option<&'static str>,
}

impl Values {
    pub(super) fn new(uses: Vec<Use>) -> Self {
        let column = |used: Use| {
            let words = match &used.content {
                Content::Category { words } => Some(Words::new(words.as_deref(), used.may_be_missing)),
                Content::Number { .. } | Content::Date { .. } => None,
            };
            Column { rounding: (used.is_real && words.is_none()).then(Rounding::default), words, used }
        };
        Self { columns: uses.into_iter().map(column).collect(), reals: Vec::new(), wholes: Vec::new() }
    }

    /// Appends the values of a row, whose cells `cell` returns, or returns what is wrong with one.
    pub(super) fn take<'a>(
        &mut self,
        origin: &Origin,
        cell: impl Fn(usize) -> &'a [u8],
        delimiter: u8,
    ) -> Result<Result<(), ValueError>> {
        for column in &mut self.columns {
            let number = column.used.column;
            let bytes = cell(number);
            let text = std::str::from_utf8(bytes).unwrap_or_default().trim_ascii();
            let outcome = if column.used.is_real {
                origin.reserve(&mut self.reals, column.stored())?;
                column.push(origin, &mut self.reals, bytes, text)?
            } else {
                origin.reserve(&mut self.wholes, 1)?;
                column.push(origin, &mut self.wholes, bytes, text)?
            };
            if let Err(text) = outcome {
                let hint = hints::of_cell(bytes, delimiter);
                return Ok(Err(ValueError {
                    column: number,
                    text,
                    hint,
                    declaration: column.declaration(bytes),
                }));
            }
        }
        Ok(Ok(()))
    }
}

impl Column {
    /// Appends the value of a cell, or returns what is wrong with it.
    #[inline]
    fn push<E: Element>(
        &mut self,
        origin: &Origin,
        values: &mut Vec<E>,
        cell: &[u8],
        text: &str,
    ) -> Result<Result<(), String>> {
        let subtracted = match self.used.content {
            Content::Number { subtracted } => subtracted,
            Content::Date { subtracted } => return Ok(self.push_date(values, cell, text, subtracted)),
            Content::Category { .. } => return self.push_category(origin, values, cell, text),
        };
        if let Some((value, number)) = number::<E>(text, subtracted)
            && self.used.below.is_none_or(|below| number.whole().is_none_or(|whole| (whole as usize) < below))
        {
            if let (Some(rounding), Some(real)) = (&mut self.rounding, number.real()) {
                rounding.add(value, real);
            }
            values.push(number);
            return Ok(Ok(()));
        }
        if self.used.may_be_missing && is_missing(text) && std::str::from_utf8(cell).is_ok() {
            values.push(E::MISSING);
            return Ok(Ok(()));
        }
        let found = found(cell);
        Ok(Err(match self.used.vocabulary {
            None => format!("is {found}; expected a finite number"),
            Some(known) => format!("is {found}; expected {}", whole_number(known, text.parse().ok())),
        }))
    }

    #[cold]
    fn push_category<E: Element>(
        &mut self,
        origin: &Origin,
        values: &mut Vec<E>,
        cell: &[u8],
        text: &str,
    ) -> Result<Result<(), String>> {
        if std::str::from_utf8(cell).is_err() {
            return Ok(Err(format!("is {}; expected UTF-8", found(cell))));
        }
        let Some(words) = &mut self.words else { return Ok(Ok(())) };
        Ok(words.index(origin, text)?.map_err(|expected| format!("is {}; {expected}", found(cell))).map(
            |index| {
                values.extend(E::from_number(f64::from(index)));
            },
        ))
    }

    #[cold]
    fn push_date<E: Element>(
        &mut self,
        values: &mut Vec<E>,
        cell: &[u8],
        text: &str,
        subtracted: f64,
    ) -> Result<(), String> {
        let Some(moment) = Moment::parse(text) else {
            return Err(format!("is {}; expected {}", found(cell), dates::EXPECTED));
        };
        let elements = moment.elements(subtracted);
        let [days, ..] = elements;
        if let (Some(rounding), Some(real)) =
            (&mut self.rounding, E::from_number(days).and_then(Element::real))
        {
            rounding.add(days, real);
        }
        values.extend(elements.into_iter().filter_map(E::from_number));
        Ok(())
    }

    /// How many values are stored of each cell.
    pub(super) fn stored(&self) -> usize {
        if matches!(self.used.content, Content::Date { .. }) { dates::ELEMENTS } else { 1 }
    }

    /// What to declare of a column with this cell.
    fn declaration(&self, cell: &[u8]) -> Option<&'static str> {
        let text = std::str::from_utf8(cell).ok()?.trim_ascii();
        if is_missing(text) {
            let is_date = matches!(self.used.content, Content::Date { .. });
            let is_possible = self.used.is_input && !is_date && (self.used.is_real || self.words.is_some());
            return is_possible.then_some("; if values may be missing, use `.allow_missing(…)`");
        }
        if matches!(self.used.content, Content::Number { .. }) && Moment::parse(text).is_some() {
            let is_possible = self.used.is_input && self.used.is_real;
            return is_possible.then_some("; if the column holds dates, use `.date(…)`");
        }
        let is_word = text.chars().any(char::is_alphabetic) && text.parse::<f64>().is_err();
        (is_word && self.words.is_none()).then_some("; if the column holds words, use `.category(…)`")
    }
}

/// A cell as messages show it.
pub(super) fn found(cell: &[u8]) -> String {
    let found = plain(&shown(cell, 40), 41);
    if found.is_empty() { "empty".to_owned() } else { format!("`{found}`") }
}

/// The number that a text represents, in f64 and as an element.
#[inline]
fn number<E: Element>(text: &str, subtracted: f64) -> Option<(f64, E)> {
    let value: f64 = text.parse().ok()?;
    if subtracted != 0.0 {
        let value = value - subtracted;
        return Some((value, E::from_number(value)?));
    }
    Some((value, E::from_text(text, value)?))
}
