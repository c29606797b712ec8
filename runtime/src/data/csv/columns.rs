//! Which columns of a file are the input and which are the target.

use super::rows::Rows;
use super::{Csv, hints};
use crate::format::plain;
use crate::shape::Shape;

/// A column of a [`Csv`] file, or the first of several. Created from a number or a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CsvColumn {
    /// The last column; of a target of `n` columns, the last `n`.
    Last,
    /// The column with this number, from 0.
    Number(usize),
    /// The column that has this name in the header.
    Name(String),
}

impl From<usize> for CsvColumn {
    fn from(number: usize) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for CsvColumn {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl CsvColumn {
    /// The column's number in lines of `width` columns, which have these names if the file has a header.
    fn find(&self, names: &[String], width: usize) -> Result<usize, String> {
        match self {
            Self::Last => Ok(width.saturating_sub(1)),
            Self::Number(number) if *number < width => Ok(*number),
            Self::Number(number) => {
                Err(format!("there is no column {number}; expected a number below {width}"))
            }
            Self::Name(name) if names.is_empty() => Err(format!(
                "the columns have no names, so `{name}` is not found; use `.header()` or a number"
            )),
            Self::Name(name) => {
                let mut places = (0..).zip(names).filter(|(_, known)| *known == name).map(|(place, _)| place);
                match (places.next(), places.next()) {
                    (Some(place), None) => Ok(place),
                    (Some(_), Some(_)) => Err(format!("two columns have the name `{name}`; use a number")),
                    (None, _) => Err(format!("no column has the name `{name}`; found {}", some(names))),
                }
            }
        }
    }
}

/// The names of a header for a message; only the first of them, if there are many.
fn some(names: &[String]) -> String {
    const MOST: usize = 20;
    let mut shown: Vec<_> = names.iter().take(MOST).map(|name| format!("`{}`", plain(name, 40))).collect();
    if names.len() > MOST {
        shown.push(format!("and {} more", names.len() - MOST));
    }
    shown.join(", ")
}

/// Appended to errors in the first line of data, which may be a header.
pub(super) const HINT: &str = "; if this line is not data, use `.header()` or `.skip_lines(1)`";

/// The required number of columns of each kind.
pub(super) struct Widths {
    pub(super) input: usize,
    pub(super) target: usize,
    pub(super) input_kind: &'static str,
    pub(super) target_kind: &'static str,
}

/// What a column is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Input,
    Target,
    Ignored,
}

/// How a column is used.
#[derive(Clone, Copy)]
pub(super) struct Use {
    pub(super) role: Role,
    /// Whether it holds real values of a sample.
    pub(super) is_real: bool,
    /// What is subtracted from each value.
    pub(super) subtracted: f64,
}

/// How each column is used, from the names and the first line of data. `shapes` are those of input and target.
pub(super) fn uses(
    csv: &Csv,
    names: &[String],
    first: &Rows<'_>,
    wanted: &Widths,
    shapes: [Shape; 2],
) -> Result<Vec<Use>, String> {
    let roles = roles(csv, names, first, wanted)?;
    let [is_real_input, is_real_target] = shapes.map(|shape| shape.vocabulary().is_none());
    let is_real = |role| match role {
        Role::Input => is_real_input,
        Role::Target => is_real_target,
        Role::Ignored => false,
    };
    let used = |role| Use { role, is_real: is_real(role), subtracted: 0.0 };
    let mut uses: Vec<_> = roles.into_iter().map(used).collect();
    for (column, number) in &csv.subtracted {
        let place = column.find(names, uses.len())?;
        match uses.get_mut(place) {
            Some(used) if used.is_real => used.subtracted += number,
            _ => {
                return Err(format!(
                    "column {place} (from 0), which has a `subtract` of {number}, does not hold real numbers of a sample; \
                     remove the `subtract`"
                ));
            }
        }
    }
    Ok(uses)
}

fn roles(csv: &Csv, names: &[String], first: &Rows<'_>, wanted: &Widths) -> Result<Vec<Role>, String> {
    let width = first.len();
    let expected = wanted.input.saturating_add(wanted.target);
    let seen =
        || hints::of_row(first.text(), width, csv.delimiter, expected.saturating_add(csv.ignored.len()));
    if csv.header && names.len() != width {
        return Err(format!(
            "{width} columns; expected {}, as in the header{}",
            names.len(),
            seen().unwrap_or_default()
        ));
    }
    let mut roles = vec![Role::Input; width];
    for column in &csv.ignored {
        let ignored = column.find(names, width)?;
        if let Some(role) = roles.get_mut(ignored) {
            *role = Role::Ignored;
        }
    }
    let mut used: Vec<(usize, &mut Role)> =
        roles.iter_mut().enumerate().filter(|(_, role)| **role != Role::Ignored).collect();
    if used.len() != expected {
        return Err(format!(
            "{} columns{}; expected {} for `{}` and {} for `{}`{}",
            used.len(),
            if csv.ignored.is_empty() { "" } else { " that are not ignored" },
            wanted.input,
            wanted.input_kind,
            wanted.target,
            wanted.target_kind,
            seen().unwrap_or_else(|| if csv.header { "" } else { HINT }.to_owned()),
        ));
    }
    let start = match &csv.target {
        CsvColumn::Last => wanted.input,
        column => {
            let target = column.find(names, width)?;
            let place = used.iter().position(|(number, _)| *number == target);
            place.ok_or_else(|| format!("column {target} (from 0) is the target and is ignored"))?
        }
    };
    if start > wanted.input {
        return Err(format!(
            "the target starts at column {start} (from 0) of {} in use; expected one with {} more after it, for \
             `{}`",
            used.len(),
            wanted.target - 1,
            wanted.target_kind,
        ));
    }
    for (_, role) in used.iter_mut().skip(start).take(wanted.target) {
        **role = Role::Target;
    }
    Ok(roles)
}
