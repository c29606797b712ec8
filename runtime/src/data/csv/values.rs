//! Parses the cells of a row into the values of a sample.

use super::columns::{Role, Use};
use super::{hints, shown};
use crate::data::distinct::{RoundedColumn, Rounding};
use crate::data::file::Origin;
use crate::data::memory::whole_number;
use crate::error::Result;
use crate::format::plain;
use crate::loss::TargetKind;
use crate::shape::{Element, InputKind, Shape};

/// The columns of a file, and statistics of their values.
pub(super) struct Columns {
    uses: Vec<Use>,
    /// For the used columns that hold real numbers.
    roundings: Vec<Option<Rounding>>,
    delimiter: u8,
}

/// What is wrong with a cell.
pub(super) struct ValueError {
    /// Its column.
    pub(super) column: usize,
    pub(super) text: String,
    /// A hint on what it seems to be instead.
    pub(super) hint: Option<String>,
}

impl Columns {
    pub(super) fn new(uses: Vec<Use>, delimiter: u8) -> Self {
        let roundings = uses.iter().map(|used| used.is_real.then(Rounding::default)).collect();
        Self { uses, roundings, delimiter }
    }

    /// The number of columns.
    pub(super) fn len(&self) -> usize {
        self.uses.len()
    }

    /// Appends a row to the values, or returns what is wrong with it.
    pub(super) fn take<'a, I: InputKind, T: TargetKind>(
        &mut self,
        origin: &Origin,
        cells: impl Iterator<Item = &'a [u8]>,
        inputs: &mut Vec<I::Element>,
        targets: &mut Vec<T::Element>,
    ) -> Result<Result<(), ValueError>> {
        for ((number, cell), (used, rounding)) in
            cells.enumerate().zip(self.uses.iter().zip(&mut self.roundings))
        {
            let outcome = match used.role {
                Role::Ignored => Ok(()),
                Role::Input => {
                    origin.reserve(inputs, 1)?;
                    push(inputs, cell, used, rounding, I::SHAPE, I::SHAPE.vocabulary())
                }
                Role::Target => {
                    origin.reserve(targets, 1)?;
                    // Only the loss decides whether a class outside the kind is ignored.
                    push(targets, cell, used, rounding, T::SHAPE, None)
                }
            };
            if let Err(text) = outcome {
                let hint = hints::of_cell(cell, self.delimiter);
                return Ok(Err(ValueError { column: number, text, hint }));
            }
        }
        Ok(Ok(()))
    }

    /// The columns that lost values by rounding; `name` names one.
    pub(super) fn rounded(&self, name: impl Fn(usize) -> String) -> Vec<RoundedColumn> {
        let mut inputs = 0..;
        let mut found = Vec::new();
        for (number, (used, rounding)) in self.uses.iter().zip(&self.roundings).enumerate() {
            let element = (used.role == Role::Input).then(|| inputs.next()).flatten();
            if let Some((distinct, left)) = rounding.as_ref().and_then(Rounding::lost) {
                found.push(RoundedColumn { column: name(number), element, distinct, left });
            }
        }
        found
    }
}

/// Parses the number in a cell, or returns what is wrong with it.
fn push<E: Element>(
    numbers: &mut Vec<E>,
    cell: &[u8],
    used: &Use,
    rounding: &mut Option<Rounding>,
    shape: Shape,
    below: Option<usize>,
) -> Result<(), String> {
    let text = std::str::from_utf8(cell).unwrap_or_default().trim_ascii();
    if let Some((value, number)) = number::<E>(text, used.subtracted)
        && below.is_none_or(|below| number.whole().is_none_or(|whole| (whole as usize) < below))
    {
        if let (Some(rounding), Some(real)) = (rounding, number.real()) {
            rounding.add(value, real);
        }
        numbers.push(number);
        return Ok(());
    }
    let found = plain(&shown(cell, 40), 41);
    let found = if found.is_empty() { "empty".to_owned() } else { format!("`{found}`") };
    Err(match shape.vocabulary() {
        None => format!("is {found}; expected a finite number"),
        Some(known) => format!("is {found}; expected {}", whole_number(known, text.parse().ok())),
    })
}

/// The number that a text represents, in f64 and as an element.
fn number<E: Element>(text: &str, subtracted: f64) -> Option<(f64, E)> {
    let value: f64 = text.parse().ok()?;
    if subtracted != 0.0 {
        let value = value - subtracted;
        return Some((value, E::from_number(value)?));
    }
    Some((value, E::from_text(text, value)?))
}
