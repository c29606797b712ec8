//! The words of a column of categories.

use std::collections::HashMap;

use crate::data::file::Origin;
use crate::error::Result;
use crate::format::plain;

/// Cells that stand for a missing value, in any case.
const MISSING: [&str; 7] = ["", "?", "na", "n/a", "nan", "null", "none"];

/// Whether a cell, without the blanks around it, stands for a missing value.
pub(super) fn is_missing(cell: &str) -> bool {
    MISSING.iter().any(|missing| cell.eq_ignore_ascii_case(missing))
}

/// The categories of a column, each with an index: those of a list, or those found in the cells.
pub(super) struct Words {
    indices: HashMap<String, u32>,
    /// In the order of the indices.
    all: Vec<String>,
    is_listed: bool,
    /// The index of the category of missing values, if there is one.
    missing: Option<u32>,
    may_be_missing: bool,
}

impl Words {
    /// The category of missing values in messages.
    const NONE: &str = "(missing)";

    /// The categories of a list; if there is none, those that are found.
    pub(super) fn new(listed: Option<&[String]>, may_be_missing: bool) -> Self {
        let words = listed.unwrap_or_default().to_vec();
        let indices = words.iter().cloned().zip(0..).collect();
        let mut new =
            Self { indices, all: words, is_listed: listed.is_some(), missing: None, may_be_missing };
        if new.is_listed && may_be_missing {
            new.take_missing();
        }
        new
    }

    fn take_missing(&mut self) -> u32 {
        *self.missing.get_or_insert_with(|| {
            self.all.push(Self::NONE.to_owned());
            self.all.len() as u32 - 1
        })
    }

    /// The index of a cell's category, or what is wrong with the cell.
    pub(super) fn index(&mut self, origin: &Origin, cell: &str) -> Result<Result<u32, String>> {
        if let Some(&index) = self.indices.get(cell) {
            return Ok(Ok(index));
        }
        if is_missing(cell) {
            return Ok(if self.may_be_missing {
                Ok(self.take_missing())
            } else {
                Err("expected a category; if it is a word, list all words with `.categories(…)`".to_owned())
            });
        }
        if self.is_listed {
            return Ok(Err(format!("expected one of the categories {}", listed(&self.all))));
        }
        origin.reserve(&mut self.all, 1)?;
        let index = self.all.len() as u32;
        self.all.push(cell.to_owned());
        self.indices.insert(cell.to_owned(), index);
        Ok(Ok(index))
    }

    /// The categories in their final order, and the place in it of each index: found ones are sorted, missing values come last.
    pub(super) fn sorted(self) -> (Vec<String>, Vec<u32>) {
        let mut order: Vec<u32> = (0..self.all.len() as u32).collect();
        if !self.is_listed {
            order.sort_by_key(|&index| (self.missing == Some(index), self.all.get(index as usize)));
        }
        let mut places = vec![0; order.len()];
        for (place, &index) in (0..).zip(&order) {
            places[index as usize] = place;
        }
        let words = order.iter().filter_map(|&index| self.all.get(index as usize).cloned()).collect();
        (words, places)
    }
}

/// Some words for a message; only the first of them, if there are many.
pub(super) fn listed(words: &[String]) -> String {
    const MOST: usize = 10;
    let mut shown: Vec<_> = words.iter().take(MOST).map(|word| format!("`{}`", plain(word, 40))).collect();
    if words.len() > MOST {
        shown.push(format!("and {} more", words.len() - MOST));
    }
    shown.join(", ")
}
