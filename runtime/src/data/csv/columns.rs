//! Which columns of a file are the inputs and which are the targets.

use super::choice::{Choice, Layout, chosen};
use super::rows::Rows;
use super::{Csv, name};
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
    pub(super) fn find(&self, names: &[String], width: usize) -> Result<usize, String> {
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
    pub(super) fn name(self) -> String {
        self.kinds().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }

    /// How many columns each kind needs, for messages.
    pub(super) fn expected(self) -> String {
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
    /// Dates, of whose number of days something is subtracted.
    Date { subtracted: f64 },
    /// Words: those of a list, or any if there is none.
    Category { words: Option<Vec<String>> },
}

/// The columns that are used: those of the inputs and those of the targets, each in the order of the kinds' elements, and that of the
/// group. Determined from the names and the first line of data.
pub(super) fn uses(
    csv: &Csv,
    layout: &Layout,
    first: &Rows<'_>,
    sides: [Side; 2],
) -> Result<([Vec<Use>; 2], Option<usize>), String> {
    let Choice { sides: columns, group } = chosen(csv, layout, first, sides)?;
    let (names, marks) = (layout.names.as_slice(), marks(csv, layout)?);
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
        None => Ok((uses, group)),
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
    is_date: bool,
    may_be_missing: bool,
}

fn marks(csv: &Csv, layout: &Layout) -> Result<Vec<Mark>, String> {
    let mut marks = vec![Mark::default(); layout.width];
    for (column, number) in &csv.subtracted {
        if let Some(mark) = marks.get_mut(layout.find(column)?) {
            mark.subtracted += number;
        }
    }
    for (column, words) in &csv.categories {
        if let Some(mark) = marks.get_mut(layout.find(column)?) {
            mark.category = Some(words.clone());
        }
    }
    for column in &csv.dates {
        if let Some(mark) = marks.get_mut(layout.find(column)?) {
            mark.is_date = true;
        }
    }
    for column in &csv.missing {
        if let Some(mark) = marks.get_mut(layout.find(column)?) {
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
            Self { is_date: true, .. } => Some("date"),
            Self { may_be_missing: true, .. } => Some("allow_missing"),
            Self { subtracted, .. } => (*subtracted != 0.0).then_some("subtract"),
        }
    }

    /// A column as it is used, where it has a number of classes or tokens.
    fn used(self, role: Role, column: usize, vocabulary: Option<usize>) -> Result<Use, String> {
        let is_real = vocabulary.is_none();
        let is_category = self.category.is_some();
        if self.is_date {
            self.check_date(role, is_real)?;
        }
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
            None if self.is_date => Content::Date { subtracted: self.subtracted },
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

impl Mark {
    /// Checks what else is declared of a column of dates, and where it is used.
    fn check_date(&self, role: Role, is_real: bool) -> Result<(), String> {
        let problem = if role == Role::Target {
            "is a target, and dates are features; remove its `date`, or ignore the column"
        } else if !is_real {
            "holds tokens; remove its `date`, or use a real input, such as `Features`"
        } else if self.category.is_some() {
            "is declared to hold dates and categories; remove its `date` or its `category`"
        } else if self.may_be_missing {
            "holds dates, which must not be missing; remove its `allow_missing`"
        } else {
            return Ok(());
        };
        Err(problem.to_owned())
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
