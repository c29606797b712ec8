//! The columns that are the inputs, and those that are the targets.

use std::ops::Range;

use super::columns::{CsvColumn, HINT, Side, Target};
use super::joined::Joined;
use super::rows::Rows;
use super::{Csv, hints, name};

/// The columns of a table: those of one file, or of two that are joined, those of the second after those of the first.
pub(super) struct Layout {
    /// Empty without a header.
    pub(super) names: Vec<String>,
    /// The number of columns of the first file.
    pub(super) first: usize,
    /// The number of all columns.
    pub(super) width: usize,
    /// The columns of the key, if two files are joined.
    keys: Vec<usize>,
}

/// The numbers of the columns in use.
pub(super) struct Choice {
    /// Those of the inputs, and those of the targets.
    pub(super) sides: [Vec<usize>; 2],
    pub(super) group: Option<usize>,
}

impl Layout {
    pub(super) fn new(mut names: Vec<String>, first: usize, joined: Option<&Joined>) -> Self {
        let Some(joined) = joined else { return Self { names, first, width: first, keys: Vec::new() } };
        names.extend(joined.names.iter().cloned());
        let keys = vec![joined.keys[0], first + joined.keys[1]];
        Self { names, first, width: first + joined.names.len(), keys }
    }

    fn is_joined(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The number of a column.
    pub(super) fn find(&self, column: &CsvColumn) -> Result<usize, String> {
        column.find(&self.names, self.width)
    }

    /// The number of a column of the inputs, or of one of the targets: in the first or in the second of two files.
    fn find_in(&self, columns: Range<usize>, column: &CsvColumn) -> Result<usize, String> {
        if !self.is_joined() {
            return self.find(column);
        }
        match column {
            CsvColumn::Number(number) if !columns.contains(number) => Err(format!(
                "column {number} is in the other file; expected a number from {} to {}",
                columns.start,
                columns.end - 1
            )),
            CsvColumn::Number(number) => Ok(*number),
            other => {
                let names = self.names.get(columns.clone()).unwrap_or_default();
                Ok(columns.start + other.find(names, columns.len())?)
            }
        }
    }

    fn inputs(&self) -> Range<usize> {
        0..self.first
    }

    fn targets(&self) -> Range<usize> {
        if self.is_joined() { self.first..self.width } else { 0..self.width }
    }
}

/// The columns that are not used otherwise.
struct Taken {
    is_ignored: Vec<bool>,
    group: Option<usize>,
    keys: Vec<usize>,
}

impl Taken {
    fn is_free(&self, column: usize) -> bool {
        !self.is_ignored[column] && self.group != Some(column) && !self.keys.contains(&column)
    }

    /// What a column is that is not free.
    fn what(&self, column: usize) -> &'static str {
        match () {
            () if self.keys.contains(&column) => "is the key",
            () if self.group == Some(column) => "is the group",
            () if self.is_ignored[column] => "is ignored",
            () => "an input",
        }
    }
}

/// The columns of the inputs, and of the targets.
pub(super) fn chosen(
    csv: &Csv,
    layout: &Layout,
    first: &Rows<'_>,
    [inputs, targets]: [Side; 2],
) -> Result<Choice, String> {
    let names = layout.names.as_slice();
    let expected = inputs.elements().saturating_add(targets.elements());
    let others = csv.ignored.len() + usize::from(csv.group.is_some());
    let seen = || hints::of_row(first.text(), first.len(), csv.delimiter, expected.saturating_add(others));
    if csv.header && layout.names.len() != layout.width {
        return Err(format!(
            "{} columns; expected {}, as in the header{}",
            layout.first,
            layout.names.len() + layout.first - layout.width,
            seen().unwrap_or_default()
        ));
    }
    let mut taken = Taken { is_ignored: vec![false; layout.width], group: None, keys: layout.keys.clone() };
    for column in &csv.ignored {
        taken.is_ignored[layout.find(column)?] = true;
    }
    taken.group = csv.group.as_ref().map(|column| layout.find(column)).transpose()?;
    let find = |list: &[CsvColumn]| -> Result<Vec<usize>, String> {
        list.iter().map(|column| layout.find_in(layout.inputs(), column)).collect()
    };
    let listed = csv.inputs.as_deref().map(find).transpose()?;
    if let Some(column) = listed.as_deref().and_then(repeated) {
        return Err(format!("column {} is listed twice as an input; remove one", name(names, column)));
    }
    if let Some(&column) = listed.iter().flatten().find(|column| !taken.is_free(**column)) {
        return Err(format!("column {} is an input and {}", name(names, column), taken.what(column)));
    }
    let is_free = |column: &usize| {
        taken.is_free(*column) && listed.as_ref().is_none_or(|listed| !listed.contains(column))
    };
    let free: Vec<usize> = layout.targets().filter(is_free).collect();
    let not_listed = |targets: &[usize]| -> Vec<usize> {
        layout.inputs().filter(|column| is_free(column) && !targets.contains(column)).collect()
    };
    // Where nothing is declared of the content, each element is a column.
    let is_plain = csv.categories.is_empty() && csv.missing.is_empty() && csv.dates.is_empty();
    let end = || seen().unwrap_or_else(|| if csv.header { "" } else { HINT }.to_owned());
    if layout.is_joined() {
        check_joined(&free, targets, &csv.target)?;
    } else {
        let (found, wanted, what) = match &listed {
            Some(listed) => (listed.len(), inputs.elements(), " of the input"),
            None if others == 0 => (free.len(), expected, ""),
            None if csv.group.is_none() => (free.len(), expected, " that are not ignored"),
            None => (free.len(), expected, " that are neither ignored nor the group"),
        };
        let too_few = free.len() < targets.elements() + usize::from(listed.is_none());
        if listed.is_some() && too_few && (found == wanted || !is_plain) {
            return Err(format!(
                "{} columns besides those of the input; expected {}",
                free.len(),
                targets.expected()
            ));
        }
        if is_plain && found != wanted || too_few {
            let kinds = match listed {
                Some(_) => inputs.expected(),
                None => format!("{} and {}", inputs.expected(), targets.expected()),
            };
            return Err(format!("{found} columns{what}; expected {kinds}{}", end()));
        }
    }
    let target_columns = target_columns(csv, layout, &taken, &free, targets)?;
    let input_columns = listed.clone().unwrap_or_else(|| not_listed(&target_columns));
    if layout.is_joined()
        && (input_columns.is_empty() || is_plain && input_columns.len() != inputs.elements())
    {
        return Err(format!(
            "{} columns besides the key; expected {}{}",
            input_columns.len(),
            inputs.expected(),
            end()
        ));
    }
    Ok(Choice { sides: [input_columns, target_columns], group: taken.group })
}

/// The columns of the targets, of those that are free.
fn target_columns(
    csv: &Csv,
    layout: &Layout,
    taken: &Taken,
    free: &[usize],
    targets: Side,
) -> Result<Vec<usize>, String> {
    match &csv.target {
        Target::From(CsvColumn::Last) => Ok(free[free.len() - targets.elements()..].to_vec()),
        Target::From(column) => {
            let target = layout.find_in(layout.targets(), column)?;
            let Some(start) = free.iter().position(|number| *number == target) else {
                return Err(format!("column {target} (from 0) is the target and {}", taken.what(target)));
            };
            match free.get(start..start.saturating_add(targets.elements())) {
                Some(columns) => Ok(columns.to_vec()),
                None => Err(format!(
                    "the target starts at column {start} (from 0) of {} in use; expected one with {} more after it, for {}",
                    free.len(),
                    targets.elements() - 1,
                    targets.name(),
                )),
            }
        }
        Target::Each(columns) => {
            let columns: Vec<usize> = columns
                .iter()
                .map(|column| layout.find_in(layout.targets(), column))
                .collect::<Result<_, _>>()?;
            if let Some(column) = repeated(&columns) {
                return Err(format!(
                    "column {} is listed twice as a target; remove one",
                    name(&layout.names, column)
                ));
            }
            if columns.len() != targets.elements() {
                return Err(format!("{} target columns; expected {}", columns.len(), targets.expected()));
            }
            if let Some(&column) = columns.iter().find(|column| !free.contains(column)) {
                return Err(format!("column {column} (from 0) is a target and {}", taken.what(column)));
            }
            Ok(columns)
        }
    }
}

/// Checks the number of columns of the second file, if no target is set.
fn check_joined(free: &[usize], targets: Side, target: &Target) -> Result<(), String> {
    let is_set = !matches!(target, Target::From(CsvColumn::Last));
    if free.len() == targets.elements() || is_set && free.len() >= targets.elements() {
        return Ok(());
    }
    let set = if free.len() > targets.elements() {
        "; choose them with `.targets([…])`, or ignore the others"
    } else {
        ""
    };
    Err(format!(
        "{} columns besides the key in the file of the targets; expected {}{set}",
        free.len(),
        targets.expected()
    ))
}

/// A column that occurs twice.
fn repeated(columns: &[usize]) -> Option<usize> {
    let mut sorted = columns.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}
