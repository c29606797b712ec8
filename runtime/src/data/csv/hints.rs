//! Hints on the format of a table that cannot be read as declared.

use std::fmt::Write;

/// The usual delimiters of tables, the most distinctive first.
const DELIMITERS: [u8; 5] = [b';', b'\t', b'|', b',', b' '];

/// The encoding of a text that is not UTF-8, from its first bytes.
pub(in crate::data) fn encoding(start: &[u8]) -> Option<&'static str> {
    match start {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Some("UTF-32"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("UTF-16"),
        // Letters and digits, each with a zero byte.
        [a, 0, b, 0, ..] | [0, a, 0, b, ..] if *a != 0 && *b != 0 => Some("UTF-16"),
        _ => None,
    }
}

/// A hint on a first row with an unexpected number of cells, if it seems to have another delimiter.
pub(super) fn of_row(row: &[u8], cells: usize, delimiter: u8, expected: usize) -> Option<String> {
    let others = DELIMITERS.into_iter().filter(|other| *other != delimiter);
    let parts = |other: u8| row.split(move |byte| *byte == other);
    // A sentence has spaces as well.
    let is_likely = |other: &u8| *other != b' ' || parts(b' ').all(is_number);
    let seen = others.filter(is_likely).map(|other| (parts(other).count(), other));
    let fitting = seen.clone().find(|(count, _)| *count == expected && expected > 1);
    // One cell is not a table. Take the first delimiter that gives the most cells.
    let best = || seen.rev().max_by_key(|(count, _)| *count).filter(|(count, _)| cells == 1 && *count > 1);
    fitting.or_else(best).map(|(_, other)| separated(other))
}

/// A hint on a cell that is not a number, if it looks like several cells, or like a number with a decimal comma.
pub(super) fn of_cell(cell: &[u8], delimiter: u8) -> Option<String> {
    let others = DELIMITERS.into_iter().filter(|other| *other != delimiter);
    let mut several = others.filter(|other| {
        let mut parts = cell.split(|byte| byte == other);
        parts.clone().count() > usize::from(*other == b',') + 1 && parts.all(is_number)
    });
    if let Some(other) = several.next() {
        return Some(separated(other));
    }
    (cell.contains(&b',') && is_number(cell))
        .then(|| "; write a point instead of the decimal comma".to_owned())
}

fn separated(delimiter: u8) -> String {
    let mut hint = String::from("; the cells seem to be separated by ");
    let (named, written) = match delimiter {
        b'\t' => ("tabs", "\\t"),
        b' ' => ("spaces", " "),
        b'|' => ("`|`", "|"),
        b';' => ("`;`", ";"),
        _ => ("commas", ","),
    };
    let _ = write!(hint, "{named}: use `.delimiter(b'{written}')`");
    hint
}

/// Returns whether a text is a number, possibly with a decimal comma.
fn is_number(text: &[u8]) -> bool {
    let text = std::str::from_utf8(text).unwrap_or_default().trim();
    text.parse::<f64>().is_ok() || text.replacen(',', ".", 1).parse::<f64>().is_ok()
}
