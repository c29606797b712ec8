//! The columns of each series.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::data::csv::Rows;
use crate::data::file;
use crate::error::{Error, Result};
use crate::format::plain;
use crate::interrupt::Interrupt;
use crate::shape::Element;

/// The columns in use of all series.
#[derive(Clone)]
pub(super) struct Tables {
    pub(super) path: Option<PathBuf>,
    pub(super) series: Vec<Table>,
    /// The numbers of columns of the input and of the target.
    pub(super) inputs: usize,
    pub(super) targets: usize,
}

/// The columns of one series: those of the input, then those of the target.
#[derive(Clone)]
pub(super) struct Table {
    pub(super) name: Option<String>,
    pub(super) columns: Vec<Vec<f32>>,
}

/// The places of the columns of input and target in a list of names.
struct Places {
    inputs: Vec<usize>,
    targets: Vec<usize>,
}

impl Tables {
    /// Those of a CSV file.
    pub(super) fn read(
        path: &Path,
        delimiter: u8,
        series: Option<&str>,
        inputs: &[String],
        targets: &[String],
    ) -> Result<Self> {
        let interrupt = Interrupt::current();
        if matches!(delimiter, b'"' | b'\n' | b'\r') {
            return Err(Error::Dataset(format!(
                "`Windows`: the delimiter is {:?}; expected a character other than a quotation mark or a line end",
                char::from(delimiter)
            )));
        }
        let (origin, bytes) = file::open(path)?;
        let mut rows = Rows::new(bytes, delimiter, 0);
        if !rows.advance(&origin)? {
            return Err(origin.problem("the table is empty; expected a line with the names of its columns"));
        }
        let names: Vec<String> = rows.cells().map(text).collect();
        let at = |line: u64| move |problem: String| (line, problem);
        let problem = |(line, problem): (u64, String)| origin.problem_at(line, problem);
        let of_series =
            series.map(|series| find(&names, series)).transpose().map_err(at(rows.line)).map_err(problem)?;
        let places =
            Places::new(&names, of_series, inputs, targets).map_err(at(rows.line)).map_err(problem)?;
        let used: Vec<usize> = places.inputs.iter().chain(&places.targets).copied().collect();
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        let mut tables: Vec<Table> = Vec::new();
        while rows.advance(&origin)? {
            interrupt.check()?;
            let wrong = |problem: String| origin.problem_at(rows.line, problem);
            if rows.len() != names.len() {
                let (found, expected) = (rows.len(), names.len());
                return Err(wrong(format!("{found} columns; expected {expected}, as in the header")));
            }
            let cells: Vec<&[u8]> = rows.cells().collect();
            let cell = |place: usize| cells.get(place).map(|cell| text(cell)).unwrap_or_default();
            let name = of_series.map(cell).unwrap_or_default();
            let number = match numbers.get(&name) {
                Some(number) => *number,
                None => {
                    origin.reserve(&mut tables, 1)?;
                    let shown = of_series.map(|_| name.clone());
                    tables.push(Table { name: shown, columns: vec![Vec::new(); used.len()] });
                    numbers.insert(name, tables.len() - 1);
                    tables.len() - 1
                }
            };
            let Some(table) = tables.get_mut(number) else { continue };
            for (&place, column) in used.iter().zip(&mut table.columns) {
                let found = cell(place);
                let value = found.parse().ok().and_then(|value| f32::from_text(&found, value));
                let Some(value) = value else {
                    let name = names.get(place).map(|name| plain(name, 40)).unwrap_or_default();
                    let found = if found.is_empty() {
                        "empty".to_owned()
                    } else {
                        format!("`{}`", plain(&found, 40))
                    };
                    return Err(wrong(format!("column `{name}` is {found}; expected a finite number")));
                };
                origin.reserve(column, 1)?;
                column.push(value);
            }
        }
        let (inputs, targets) = (places.inputs.len(), places.targets.len());
        Ok(Self { path: Some(path.to_owned()), series: tables, inputs, targets })
    }

    /// Those of columns in memory.
    pub(super) fn of(
        series: &[Vec<(String, Vec<f32>)>],
        inputs: &[String],
        targets: &[String],
    ) -> Result<Self, String> {
        let mut tables = Vec::new();
        let mut counts = (0, 0);
        for (number, columns) in series.iter().enumerate() {
            let which = if series.len() > 1 { format!("series {number} (from 0): ") } else { String::new() };
            let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
            let places =
                Places::new(&names, None, inputs, targets).map_err(|problem| format!("{which}{problem}"))?;
            let steps = columns.first().map_or(0, |(_, values)| values.len());
            if let Some((name, values)) = columns.iter().find(|(_, values)| values.len() != steps) {
                return Err(format!(
                    "{which}the column `{}` has {} steps; expected {steps}, as the first column has",
                    plain(name, 40),
                    values.len()
                ));
            }
            let found = (places.inputs.len(), places.targets.len());
            if number > 0 && found != counts {
                return Err(format!(
                    "{which}the series has {} columns; expected {}, as the first series has",
                    found.0, counts.0
                ));
            }
            counts = found;
            let used = places.inputs.iter().chain(&places.targets);
            let used = used.filter_map(|&place| columns.get(place)).map(|(_, values)| values.clone());
            tables.push(Table { name: None, columns: used.collect() });
        }
        Ok(Self { path: None, series: tables, inputs: counts.0, targets: counts.1 })
    }

    /// An error in these series.
    pub(super) fn problem(&self, problem: String) -> Error {
        match &self.path {
            Some(path) => Error::Data { path: path.clone(), line: None, problem },
            None => Error::Dataset(format!("`Windows`: {problem}")),
        }
    }
}

impl Places {
    fn new(
        names: &[String],
        of_series: Option<usize>,
        inputs: &[String],
        targets: &[String],
    ) -> Result<Self, String> {
        let all = |list: &[String]| list.iter().map(|name| find(names, name)).collect::<Result<Vec<_>, _>>();
        let inputs = match inputs {
            [] => (0..names.len()).filter(|place| Some(*place) != of_series).collect(),
            list => all(list)?,
        };
        let targets = match (targets, inputs.as_slice()) {
            ([], [only]) => vec![*only],
            ([], _) => {
                return Err(format!(
                    "the input has {} columns; expected the one to predict, such as `.target(\"{}\")`",
                    inputs.len(),
                    inputs
                        .first()
                        .and_then(|place| names.get(*place))
                        .map(|name| plain(name, 40))
                        .unwrap_or_default()
                ));
            }
            (list, _) => all(list)?,
        };
        Ok(Self { inputs, targets })
    }
}

/// The place of a name.
fn find(names: &[String], name: &str) -> Result<usize, String> {
    let mut places = (0..).zip(names).filter(|(_, known)| *known == name).map(|(place, _)| place);
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (Some(_), Some(_)) => Err(format!("two columns have the name `{}`; rename one", plain(name, 40))),
        (None, _) => {
            let known: Vec<_> = names.iter().take(20).map(|name| format!("`{}`", plain(name, 40))).collect();
            Err(format!("no column has the name `{}`; found {}", plain(name, 40), known.join(", ")))
        }
    }
}

fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).trim_matches('\u{FEFF}').trim().to_owned()
}
