//! Which columns of a file are the inputs and which are the targets.

use super::rows::Rows;
use super::{Csv, hints, name};
use crate::format::plain;
use crate::shape::{Kinds, Shape};

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

/// Which columns are the targets.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// This one and the next ones.
    From(CsvColumn),
    /// One for each element.
    Each(Vec<CsvColumn>),
}

/// Appended to errors in the first line of data, which may be a header.
pub(super) const HINT: &str = "; if this line is not data, use `.header()` or `.skip_lines(1)`";

/// The kinds of the inputs or of the targets, and how many columns each needs.
#[derive(Clone, Copy)]
pub(super) struct Side {
    names: &'static [&'static str],
    pub(super) shapes: &'static [Shape],
}

impl Side {
    pub(super) const fn of<K: Kinds>() -> Self {
        Self { names: K::NAMES, shapes: K::SHAPES }
    }

    /// The kinds, in order, with their shapes.
    pub(super) fn kinds(self) -> impl Iterator<Item = (&'static str, Shape)> {
        self.names.iter().copied().zip(self.shapes.iter().copied())
    }

    /// The number of elements of a sample.
    pub(super) fn elements(self) -> usize {
        self.shapes.iter().map(|shape| shape.elements()).fold(0, usize::saturating_add)
    }

    /// The kinds for messages.
    fn name(self) -> String {
        self.kinds().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }

    /// How many columns each kind needs, for messages.
    fn expected(self) -> String {
        let each = self.kinds().map(|(name, shape)| format!("{} for `{name}`", shape.elements()));
        each.collect::<Vec<_>>().join(", ")
    }
}

/// Whether a column is a part of the input or of the target.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Input,
    Target,
}

/// A column that is used, and how.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Use {
    /// Its number in the file, from 0.
    pub(super) column: usize,
    pub(super) is_input: bool,
    /// Whether it becomes real elements, not classes or tokens.
    pub(super) is_real: bool,
    pub(super) content: Content,
    /// Whether its cells may be empty.
    pub(super) may_be_missing: bool,
    /// What classes or tokens must be below; `None` for real numbers, and where the loss decides.
    pub(super) below: Option<usize>,
    /// The number of classes or tokens of its kind.
    pub(super) vocabulary: Option<usize>,
}

/// What the cells of a column hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    /// Numbers, of which something is subtracted.
    Number { subtracted: f64 },
    /// Words: those of a list, or any if there is none.
    Category { words: Option<Vec<String>> },
}

/// The columns that are used: those of the inputs and those of the targets, each in the order of the kinds' elements. Determined
/// from the names and the first line of data.
pub(super) fn uses(
    csv: &Csv,
    names: &[String],
    first: &Rows<'_>,
    sides: [Side; 2],
) -> Result<[Vec<Use>; 2], String> {
    let columns = chosen(csv, names, first, sides)?;
    let marks = marks(csv, names, first.len())?;
    let of = |role: Role, columns: &[usize], side: Side| -> Result<Vec<Use>, String> {
        let (mut places, mut uses) = (Vocabularies::new(role, side), Vec::with_capacity(columns.len()));
        for &column in columns {
            let mark = marks.get(column).cloned().unwrap_or_default();
            let vocabulary = places.next(mark.category.is_some());
            let used = vocabulary.and_then(|vocabulary| mark.used(role, column, vocabulary));
            uses.push(used.map_err(|problem| format!("column {} {problem}", name(names, column)))?);
        }
        Ok(uses)
    };
    let [inputs, targets] = &columns;
    let uses = [of(Role::Input, inputs, sides[0])?, of(Role::Target, targets, sides[1])?];
    let declared = marks.iter().enumerate().filter_map(|(column, mark)| Some((column, mark.key()?)));
    let is_unused = |(column, _): &(usize, &str)| !columns.iter().any(|columns| columns.contains(column));
    match declared.into_iter().find(is_unused) {
        Some((column, key)) => {
            Err(format!("column {} is neither input nor target; remove its `{key}`", name(names, column)))
        }
        None => Ok(uses),
    }
}

/// The words of a column of categories: those of a list, or those that it is found to hold.
type Words = Option<Vec<String>>;

/// What is declared of a column.
#[derive(Clone, Default)]
struct Mark {
    subtracted: f64,
    /// The column holds categories: these, or those that it is found to hold.
    category: Option<Words>,
    may_be_missing: bool,
}

fn marks(csv: &Csv, names: &[String], width: usize) -> Result<Vec<Mark>, String> {
    let mut marks = vec![Mark::default(); width];
    for (column, number) in &csv.subtracted {
        if let Some(mark) = marks.get_mut(column.find(names, width)?) {
            mark.subtracted += number;
        }
    }
    for (column, words) in &csv.categories {
        if let Some(mark) = marks.get_mut(column.find(names, width)?) {
            mark.category = Some(words.clone());
        }
    }
    for column in &csv.missing {
        if let Some(mark) = marks.get_mut(column.find(names, width)?) {
            mark.may_be_missing = true;
        }
    }
    Ok(marks)
}

impl Mark {
    /// The call that made it.
    fn key(&self) -> Option<&'static str> {
        match self {
            Self { category: Some(_), .. } => Some("category"),
            Self { may_be_missing: true, .. } => Some("allow_missing"),
            Self { subtracted, .. } => (*subtracted != 0.0).then_some("subtract"),
        }
    }

    /// A column as it is used, where it has a number of classes or tokens.
    fn used(self, role: Role, column: usize, vocabulary: Option<usize>) -> Result<Use, String> {
        let is_real = vocabulary.is_none();
        let is_category = self.category.is_some();
        if self.may_be_missing && role == Role::Target {
            return Err(
                "is a target, so its values must not be missing; remove its `allow_missing`".to_owned()
            );
        }
        if self.may_be_missing && !is_real && !is_category {
            return Err("holds tokens, which must not be missing; remove its `allow_missing`".to_owned());
        }
        if is_category && role == Role::Target && is_real {
            return Err(
                "is a target of real numbers; remove its `category`, or use the kind `Class`".to_owned()
            );
        }
        if self.subtracted != 0.0 && (is_category || !is_real) {
            return Err(format!(
                "has a `subtract` of {}, but does not hold real numbers; remove its `subtract`",
                self.subtracted
            ));
        }
        let content = match self.category {
            Some(words) => Content::Category { words },
            None => Content::Number { subtracted: self.subtracted },
        };
        let below = vocabulary.filter(|_| role == Role::Input);
        Ok(Use {
            column,
            is_input: role == Role::Input,
            is_real,
            content,
            may_be_missing: self.may_be_missing,
            below,
            vocabulary,
        })
    }
}

/// The number of classes or tokens of each column; none for real numbers.
struct Vocabularies<I> {
    elements: I,
    /// How many elements are classes or tokens.
    wholes: usize,
    /// Whether the inputs have both types: then the categories are tokens, and numbers are real. Otherwise the order of the columns
    /// is that of the elements.
    is_by_content: bool,
}

impl Vocabularies<()> {
    fn new(role: Role, side: Side) -> Vocabularies<impl Iterator<Item = Option<usize>>> {
        let elements =
            side.shapes.iter().flat_map(|shape| std::iter::repeat_n(shape.vocabulary(), shape.elements()));
        let is_whole = |shape: &&Shape| shape.vocabulary().is_some();
        let wholes =
            side.shapes.iter().filter(is_whole).map(|shape| shape.elements()).fold(0, usize::saturating_add);
        let has_both = wholes > 0 && !side.shapes.iter().all(|shape| is_whole(&shape));
        Vocabularies { elements, wholes, is_by_content: role == Role::Input && has_both }
    }
}

impl<I: Iterator<Item = Option<usize>>> Vocabularies<I> {
    /// That of the next column, or what is wrong with it.
    fn next(&mut self, is_category: bool) -> Result<Option<usize>, String> {
        let next = match (self.is_by_content, is_category) {
            (true, false) => return Ok(None),
            (true, true) => self.elements.by_ref().flatten().next().map(Some),
            (false, _) => self.elements.next(),
        };
        match next {
            Some(vocabulary) => Ok(vocabulary),
            // More columns than elements of real kinds are counted later, with the elements that each of them has.
            None if self.wholes == 0 => Ok(None),
            None => Err(format!(
                "has no token left, of which the input has {}; ignore the column, or change the kind",
                self.wholes
            )),
        }
    }
}

/// The numbers of the columns of the inputs, and of the targets.
fn chosen(
    csv: &Csv,
    names: &[String],
    first: &Rows<'_>,
    [inputs, targets]: [Side; 2],
) -> Result<[Vec<usize>; 2], String> {
    let width = first.len();
    let expected = inputs.elements().saturating_add(targets.elements());
    let seen =
        || hints::of_row(first.text(), width, csv.delimiter, expected.saturating_add(csv.ignored.len()));
    if csv.header && names.len() != width {
        return Err(format!(
            "{width} columns; expected {}, as in the header{}",
            names.len(),
            seen().unwrap_or_default()
        ));
    }
    let find = |columns: &[CsvColumn]| -> Result<Vec<usize>, String> {
        columns.iter().map(|column| column.find(names, width)).collect()
    };
    let mut is_ignored = vec![false; width];
    for column in find(&csv.ignored)? {
        is_ignored[column] = true;
    }
    let listed = csv.inputs.as_deref().map(find).transpose()?;
    if let Some(column) = listed.as_deref().and_then(repeated) {
        return Err(format!("column {} is listed twice as an input; remove one", name(names, column)));
    }
    if let Some(column) = listed.iter().flatten().find(|column| is_ignored[**column]) {
        return Err(format!("column {} is an input and is ignored", name(names, *column)));
    }
    let is_free = |column: &usize| {
        !is_ignored[*column] && listed.as_ref().is_none_or(|listed| !listed.contains(column))
    };
    let free: Vec<usize> = (0..width).filter(is_free).collect();
    // Where nothing is declared of the content, each element is a column.
    let is_plain = csv.categories.is_empty() && csv.missing.is_empty();
    let (found, wanted, what) = match &listed {
        Some(listed) => (listed.len(), inputs.elements(), " of the input"),
        None if csv.ignored.is_empty() => (free.len(), expected, ""),
        None => (free.len(), expected, " that are not ignored"),
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
        let end = seen().unwrap_or_else(|| if csv.header { "" } else { HINT }.to_owned());
        let kinds = match listed {
            Some(_) => inputs.expected(),
            None => format!("{} and {}", inputs.expected(), targets.expected()),
        };
        return Err(format!("{found} columns{what}; expected {kinds}{end}"));
    }
    let target_columns = match &csv.target {
        Target::From(CsvColumn::Last) => free[free.len() - targets.elements()..].to_vec(),
        Target::From(column) => {
            let target = column.find(names, width)?;
            let Some(start) = free.iter().position(|number| *number == target) else {
                let other = if is_ignored[target] { "is ignored" } else { "an input" };
                return Err(format!("column {target} (from 0) is the target and {other}"));
            };
            match free.get(start..start.saturating_add(targets.elements())) {
                Some(columns) => columns.to_vec(),
                None => {
                    return Err(format!(
                        "the target starts at column {start} (from 0) of {} in use; expected one with {} more after it, for {}",
                        free.len(),
                        targets.elements() - 1,
                        targets.name(),
                    ));
                }
            }
        }
        Target::Each(columns) => {
            let columns = find(columns)?;
            if let Some(column) = repeated(&columns) {
                return Err(format!(
                    "column {} is listed twice as a target; remove one",
                    name(names, column)
                ));
            }
            if columns.len() != targets.elements() {
                return Err(format!("{} target columns; expected {}", columns.len(), targets.expected()));
            }
            if let Some(column) = columns.iter().find(|column| !free.contains(column)) {
                let other = if is_ignored[*column] { "is ignored" } else { "an input" };
                return Err(format!("column {column} (from 0) is a target and {other}"));
            }
            columns
        }
    };
    let is_input = |column: &usize| !target_columns.contains(column);
    let inputs = listed.unwrap_or_else(|| free.iter().copied().filter(is_input).collect());
    Ok([inputs, target_columns])
}

/// A column that occurs twice.
fn repeated(columns: &[usize]) -> Option<usize> {
    let mut sorted = columns.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}
