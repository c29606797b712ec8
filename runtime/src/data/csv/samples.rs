//! Turns the values of a table into the elements of each kind.

use super::columns::{Content, Side, Use};
use super::name;
use super::values::{Column, Values};
use super::words::listed;
use crate::data::RoundedColumn;
use crate::shape::{Elements, Shape};

/// The elements of each kind of one side, sample by sample.
pub(super) struct Samples {
    pub(super) elements: Vec<Elements>,
    /// The columns that lost values by rounding, without the element of a target.
    pub(super) rounded: Vec<(usize, RoundedColumn)>,
    /// For each kind: the names of the classes, and the elements that may be missing or that are 0 or 1.
    pub(super) class_names: Vec<Vec<String>>,
    pub(super) missing: Vec<Vec<usize>>,
    pub(super) unscaled: Vec<Vec<usize>>,
}

/// A column with its categories in their final order.
struct Ordered {
    used: Use,
    /// How many values are stored of each cell.
    stored: usize,
    lost: Option<(u64, u64)>,
    categories: Vec<String>,
    /// The place of each category that was found.
    places: Vec<u32>,
}

impl Ordered {
    fn new(column: Column) -> Self {
        let lost = column.rounding.as_ref().and_then(crate::data::distinct::Rounding::lost);
        let stored = column.stored();
        let (categories, places) = column.words.map(super::words::Words::sorted).unwrap_or_default();
        Self { used: column.used, stored, lost, categories, places }
    }

    fn is_category(&self) -> bool {
        !self.categories.is_empty()
    }

    fn is_date(&self) -> bool {
        matches!(self.used.content, Content::Date { .. })
    }

    /// The number of its elements: a category has one for each word, a number that may be missing has one for whether it is, a date has
    /// several.
    fn width(&self) -> usize {
        match (self.used.is_real, self.is_category()) {
            (true, true) => self.categories.len(),
            (true, false) => self.stored + usize::from(self.used.may_be_missing),
            (false, _) => 1,
        }
    }
}

impl Values {
    /// The elements of each kind, or what does not fit. `names` are those of the header; `is_target` is for a target.
    pub(super) fn into_samples(
        self,
        names: &[String],
        side: Side,
        is_target: bool,
    ) -> Result<Samples, String> {
        let (reals, wholes): (Vec<_>, Vec<_>) =
            self.columns.into_iter().map(Ordered::new).partition(|column| column.used.is_real);
        let empty = || side.shapes.iter().map(|_| Vec::new()).collect::<Vec<_>>();
        let mut samples = Samples {
            elements: Vec::new(),
            rounded: Vec::new(),
            class_names: empty().into_iter().map(|_: Vec<usize>| Vec::new()).collect(),
            missing: empty(),
            unscaled: empty(),
        };
        let (is_whole, mut elements): (Vec<_>, Vec<Option<Elements>>) =
            side.shapes.iter().map(|shape| (shape.vocabulary().is_some(), None)).unzip();
        let places =
            |wanted: bool| (0..).zip(&is_whole).filter(move |(_, is)| **is == wanted).map(|(place, _)| place);
        let real_kinds: Vec<usize> = places(false).collect();
        let whole_kinds: Vec<usize> = places(true).collect();
        for (kind, values) in
            real_kinds.iter().zip(self::reals(&mut samples, names, side, &reals, self.reals, &real_kinds)?)
        {
            elements[*kind] = Some(Elements::Float(values));
        }
        let wholes =
            self::wholes(&mut samples, names, side, &wholes, self.wholes, (&whole_kinds, is_target))?;
        for (kind, values) in whole_kinds.iter().zip(wholes) {
            elements[*kind] = Some(Elements::Int(values));
        }
        samples.elements = elements.into_iter().flatten().collect();
        Ok(samples)
    }
}

/// The widths of columns for a message.
fn widths(names: &[String], columns: &[Ordered]) -> String {
    const MOST: usize = 20;
    let each = columns.iter().take(MOST).map(|column| {
        let why = match (column.is_category(), column.width()) {
            (true, count) => format!("{count} categories"),
            _ if column.is_date() => "a date".to_owned(),
            (false, 2) => "the number, and whether it is missing".to_owned(),
            _ => "a number".to_owned(),
        };
        format!("{} {} ({why})", name(names, column.used.column), column.width())
    });
    let mut all: Vec<_> = each.collect();
    if columns.len() > MOST {
        all.push(format!("and {} more columns", columns.len() - MOST));
    }
    all.join(", ")
}

/// The values of each real kind.
fn reals(
    samples: &mut Samples,
    names: &[String],
    side: Side,
    columns: &[Ordered],
    values: Vec<f32>,
    kinds: &[usize],
) -> Result<Vec<Vec<f32>>, String> {
    let sizes: Vec<usize> =
        kinds.iter().filter_map(|kind| side.shapes.get(*kind)).map(|shape| shape.elements()).collect();
    let width: usize = columns.iter().map(Ordered::width).sum();
    let expected = sizes.iter().copied().fold(0, usize::saturating_add);
    if width != expected {
        let kind = kinds.first().and_then(|kind| side.kinds().nth(*kind)).map_or("", |(name, _)| name);
        let write = if kinds.len() == 1 && kind == "Features" {
            format!("; write `Features<{width}>`")
        } else {
            String::new()
        };
        return Err(format!(
            "the columns of real numbers and categories have {width} elements: {}; expected {expected}{write}",
            widths(names, columns)
        ));
    }
    // Where each kind starts.
    let starts: Vec<usize> =
        sizes.iter().scan(0, |start, size| Some(std::mem::replace(start, *start + size))).collect();
    let of = |element: usize| {
        let kind = starts.partition_point(|start| *start <= element).saturating_sub(1);
        (kind, element - starts.get(kind).copied().unwrap_or(0))
    };
    let mut element = 0;
    for column in columns {
        let (first, place) = of(element);
        let (last, _) = of(element + column.width() - 1);
        if first != last {
            return Err(format!(
                "column {} has {} elements, of which some belong to one input and some to the next; list the columns in another \
                 order with `.inputs([…])`",
                name(names, column.used.column),
                column.width()
            ));
        }
        let Some(&kind) = kinds.get(first) else { continue };
        if let Some((distinct, left)) = column.lost {
            let column = name(names, column.used.column);
            samples.rounded.push((kind, RoundedColumn { column, element: Some(place), distinct, left }));
        }
        match (column.is_category(), column.used.may_be_missing) {
            (true, _) => samples.unscaled[kind].extend(place..place + column.width()),
            (false, true) => {
                samples.missing[kind].push(place);
                samples.unscaled[kind].push(place + 1);
            }
            (false, false) => samples.unscaled[kind].extend(place + 1..place + column.width()),
        }
        element += column.width();
    }
    let stored: usize = columns.iter().map(|column| column.stored).sum();
    if kinds.len() == 1 && width == stored && !columns.iter().any(Ordered::is_category) {
        return Ok(vec![values]);
    }
    let rows = values.len().checked_div(stored).unwrap_or(0);
    let reserved = |size: &usize| {
        let mut values = Vec::new();
        let is_possible =
            rows.checked_mul(*size).is_some_and(|count| values.try_reserve_exact(count).is_ok());
        is_possible.then_some(values)
    };
    let Some(mut all) = sizes.iter().map(reserved).collect::<Option<Vec<Vec<f32>>>>() else {
        return Err(format!(
            "the system cannot allocate memory for {rows} samples of {width} values; expected fewer categories, which can be tokens \
             instead, or more memory"
        ));
    };
    let mut row = Vec::with_capacity(width);
    for mut values in values.chunks_exact(stored.max(1)) {
        row.clear();
        for column in columns {
            let (cell, others) = values.split_at(column.stored);
            values = others;
            let &[value, ..] = cell else { continue };
            if column.is_category() {
                let place = column.places.get(value as usize).copied().unwrap_or(0) as usize;
                row.extend((0..column.width()).map(|other| f32::from(u8::from(other == place))));
            } else {
                row.extend_from_slice(cell);
                if column.used.may_be_missing {
                    row.push(f32::from(u8::from(value.is_nan())));
                }
            }
        }
        let mut rest = row.as_slice();
        for (size, all) in sizes.iter().zip(&mut all) {
            let (values, after) = rest.split_at(*size);
            all.extend_from_slice(values);
            rest = after;
        }
    }
    Ok(all)
}

/// The values of each kind of classes or tokens.
fn wholes(
    samples: &mut Samples,
    names: &[String],
    side: Side,
    columns: &[Ordered],
    values: Vec<u32>,
    (kinds, is_target): (&[usize], bool),
) -> Result<Vec<Vec<u32>>, String> {
    let described: Vec<(&str, Shape)> = kinds.iter().filter_map(|kind| side.kinds().nth(*kind)).collect();
    let expected = described.iter().map(|(_, shape)| shape.elements()).fold(0, usize::saturating_add);
    if columns.len() != expected {
        let each = described.iter().map(|(name, shape)| format!("{} for `{name}`", shape.elements()));
        return Err(format!(
            "{} columns of categories; expected {}; mark a column with `.category(…)`",
            columns.len(),
            each.collect::<Vec<_>>().join(", ")
        ));
    }
    let mut rest = columns;
    // What is added to the category of each column: the tokens of different columns differ.
    let mut offsets = Vec::with_capacity(columns.len());
    for (&kind, (kind_name, shape)) in kinds.iter().zip(&described) {
        let (own, after) = rest.split_at(shape.elements());
        rest = after;
        let known = shape.vocabulary().unwrap_or(0);
        let are_categories = own.iter().any(Ordered::is_category);
        if are_categories && !own.iter().all(Ordered::is_category) {
            return Err(format!(
                "some columns of `{kind_name}` hold categories and others numbers; mark all of them with `.category(…)`"
            ));
        }
        let mut total = 0;
        for column in own {
            offsets.push(if are_categories { total as u32 } else { 0 });
            total += column.categories.len();
        }
        if !are_categories {
            continue;
        }
        if is_target {
            if let [column] = own {
                let found = &column.categories;
                if found.len() != known {
                    return Err(format!(
                        "column {} has the {} categories {}; expected {known}; write `{kind_name}<{}>`",
                        name(names, column.used.column),
                        found.len(),
                        listed(found),
                        found.len()
                    ));
                }
                samples.class_names[kind].clone_from(found);
            } else if let Some(column) = own.first() {
                return Err(format!(
                    "column {} holds categories, and is one of {} columns of a target; expected a target of one column, `Class`",
                    name(names, column.used.column),
                    own.len()
                ));
            }
        } else if total > known {
            return Err(format!(
                "the columns of `{kind_name}` have {total} categories: {}; expected at most {known}; write `{kind_name}<{total}, {}>`",
                widths_of_words(names, own),
                own.len()
            ));
        }
    }
    let mut values = values;
    if columns.iter().any(Ordered::is_category) {
        for row in values.chunks_exact_mut(columns.len().max(1)) {
            for ((column, offset), value) in columns.iter().zip(&offsets).zip(row) {
                if column.is_category() {
                    *value = column.places.get(*value as usize).copied().unwrap_or(0) + offset;
                }
            }
        }
    }
    let sizes: Vec<usize> = described.iter().map(|(_, shape)| shape.elements()).collect();
    if sizes.len() == 1 {
        return Ok(vec![values]);
    }
    let mut all: Vec<Vec<u32>> = sizes.iter().map(|_| Vec::new()).collect();
    for mut row in values.chunks_exact(columns.len().max(1)) {
        for (size, all) in sizes.iter().zip(&mut all) {
            let (values, after) = row.split_at(*size);
            all.extend_from_slice(values);
            row = after;
        }
    }
    Ok(all)
}

fn widths_of_words(names: &[String], columns: &[Ordered]) -> String {
    const MOST: usize = 20;
    let each = columns
        .iter()
        .take(MOST)
        .map(|column| format!("{} {}", name(names, column.used.column), column.categories.len()));
    each.collect::<Vec<_>>().join(", ")
}
