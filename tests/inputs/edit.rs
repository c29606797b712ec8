//! Changes to files: damage and malicious edits.

use proptest::collection::vec;
use proptest::prelude::*;

/// One change; positions are taken modulo the length.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    /// Flips one bit.
    Flip(usize, u8),
    /// Sets one byte.
    Byte(usize, u8),
    /// Truncates the file here.
    Cut(usize),
    /// Inserts these bytes.
    Insert(usize, Vec<u8>),
    /// Removes this many bytes.
    Remove(usize, usize),
    /// Repeats this many bytes this many times.
    Repeat(usize, usize, usize),
    /// Replaces the number, the word or the quoted text at a position by one of [`TOKENS`].
    Token(usize, usize),
    /// Writes a number of eight bytes, little- or big-endian.
    Length(usize, u64, bool),
}

/// Replacements for a number, a word or a text.
const TOKENS: [&str; 34] = [
    "-1",
    "0",
    "1",
    "2",
    "7",
    "-0.0",
    "0.5",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "1e999",
    "-1e999",
    "NaN",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"../../../../etc/passwd\"",
    "\"/etc/passwd\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\u{1b}[2J\"",
    "\"linear_1.weight\"",
    "\"F64\"",
    "\"F16\"",
    "\"F4\"",
    "[0, 9223372036854775807]",
    "[4294967296, 4294967296, 4294967296]",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    "{\"a\":{\"a\":{\"a\":{\"a\":1}}},\"a\":2}",
];

/// The largest length of a changed file.
const LONGEST: usize = 1 << 18;

/// Some changes.
pub(crate) fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let place = || 0..1_usize << 20;
    let length = prop_oneof![
        Just(0),
        Just(1),
        Just(7),
        Just(100_000_001),
        Just(u64::from(u32::MAX)),
        Just(1 << 40),
        Just(u64::MAX / 2),
        Just(u64::MAX),
        0..4096_u64,
    ];
    let edit = prop_oneof![
        2 => (place(), 0..8_u8).prop_map(|(place, bit)| Edit::Flip(place, bit)),
        2 => (place(), any::<u8>()).prop_map(|(place, byte)| Edit::Byte(place, byte)),
        1 => place().prop_map(Edit::Cut),
        2 => (place(), vec(any::<u8>(), 1..16)).prop_map(|(place, bytes)| Edit::Insert(place, bytes)),
        2 => (place(), 1..64_usize).prop_map(|(place, count)| Edit::Remove(place, count)),
        1 => (place(), 1..200_usize, 1..200_usize)
            .prop_map(|(place, count, times)| Edit::Repeat(place, count, times)),
        6 => (place(), 0..TOKENS.len()).prop_map(|(place, token)| Edit::Token(place, token)),
        1 => (prop_oneof![Just(0), Just(4), place()], length, any::<bool>())
            .prop_map(|(place, number, little)| Edit::Length(place, number, little)),
    ];
    vec(edit, 1..5)
}

/// Returns the bytes after these changes, applied in order.
pub(crate) fn edited(bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    edits.iter().fold(bytes.to_vec(), |bytes, edit| {
        let mut bytes = apply(bytes, edit);
        bytes.truncate(LONGEST);
        bytes
    })
}

fn apply(mut bytes: Vec<u8>, edit: &Edit) -> Vec<u8> {
    let length = bytes.len().max(1);
    let part = |bytes: &[u8], place: usize, count: usize| {
        let place = place % length;
        place.min(bytes.len())..(place + count).min(bytes.len())
    };
    match edit {
        Edit::Flip(place, bit) => {
            bytes.iter_mut().skip(place % length).take(1).for_each(|byte| *byte ^= 1 << bit);
        }
        Edit::Byte(place, new) => bytes.iter_mut().skip(place % length).take(1).for_each(|byte| *byte = *new),
        Edit::Cut(place) => bytes.truncate(place % length),
        Edit::Insert(place, new) => {
            let at = part(&bytes, *place, 0);
            bytes.splice(at, new.iter().copied());
        }
        Edit::Remove(place, count) => {
            let at = part(&bytes, *place, *count);
            bytes.drain(at);
        }
        Edit::Repeat(place, count, times) => {
            let at = part(&bytes, *place, *count);
            let again = bytes[at.clone()].repeat(*times);
            bytes.splice(at.end..at.end, again);
        }
        Edit::Token(place, token) => {
            let at = token_at(&bytes, place % length);
            bytes.splice(at, TOKENS[*token].bytes());
        }
        Edit::Length(place, number, little) => {
            let at = part(&bytes, *place, 8);
            let new = if *little { number.to_le_bytes() } else { number.to_be_bytes() };
            bytes.splice(at, new);
        }
    }
    bytes
}

/// Returns the first number, word or quoted text at or after a position.
fn token_at(bytes: &[u8], place: usize) -> std::ops::Range<usize> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte);
    let rest = bytes.get(place..).unwrap_or_default();
    let start = place + rest.iter().position(|&byte| is_word(byte) || byte == b'"').unwrap_or(rest.len());
    let rest = &bytes[start.min(bytes.len())..];
    let length = match rest.split_first() {
        Some((b'"', inner)) => 2 + inner.iter().position(|&byte| byte == b'"').unwrap_or(inner.len()),
        _ => rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len()),
    };
    start..(start + length).min(bytes.len())
}
