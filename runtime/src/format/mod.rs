//! Formatting of numbers, text and tables for display.

mod table;

pub(crate) use table::Table;

/// A count with thousands separators: `12,345`.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A large count, abbreviated: `950`, `36.9 k`, `1.2 M`.
pub(crate) fn short(count: u64) -> String {
    scaled(count, 1000.0, &["", " k", " M", " G", " T", " P", " E"])
}

/// A number of bytes: `512 B`, `3.1 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    scaled(bytes, 1024.0, &[" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"])
}

fn scaled(count: u64, step: f64, units: &[&str]) -> String {
    let mut value = count as f64;
    let mut units = units.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    let is_whole = value < step;
    // From half a tenth below a step, the rounded number would be shown as the step itself.
    while value >= step - 0.05
        && !is_whole
        && let Some(next) = units.next()
    {
        value /= step;
        unit = next;
    }
    if is_whole { format!("{count}{unit}") } else { format!("{value:.1}{unit}") }
}

/// A loss or metric: four decimals, or scientific notation where those would show too little.
pub(crate) fn measure(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() || (1e-3..1e6).contains(&size) {
        format!("{value:.4}")
    } else {
        format!("{value:.3e}")
    }
}

/// A metric or the mean of a loss, formatted by [`measure`]; `-` where it is not defined.
pub(crate) fn metric(value: f64) -> String {
    if value.is_nan() { "-".to_owned() } else { measure(value) }
}

/// A learning rate: `2.91e-3`.
pub(crate) fn rate(rate: f64) -> String {
    format!("{rate:.2e}")
}

/// A duration: `0.42 s`, `12.3 s`, `3 min 05 s`, `2 h 14 min`.
pub(crate) fn seconds(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    match whole {
        0..10 => format!("{seconds:.2} s"),
        10..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// Text from a file for a message: shortened, on one line, and without characters that a terminal interprets
/// or that change the order of display.
pub(crate) fn plain(text: &str, most: usize) -> String {
    let mut plain = escaped(text.chars().take(most), is_active);
    if text.chars().nth(most).is_some() {
        plain.push('…');
    }
    plain
}

/// The same for text of several lines, which are kept.
pub(crate) fn plain_lines(text: &str) -> String {
    escaped(text.chars(), |letter| letter != '\n' && is_active(letter))
}

fn escaped(letters: impl Iterator<Item = char>, is_escaped: impl Fn(char) -> bool) -> String {
    let mut text = String::new();
    for letter in letters {
        if is_escaped(letter) { text.extend(letter.escape_default()) } else { text.push(letter) }
    }
    text
}

/// Returns whether a character is invisible: Unicode's controls, format characters (which change the direction of
/// text, join it or hide it) and line separators.
fn is_active(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_and_abbreviated() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 950, 999, 36_864, 999_950].map(short), ["0", "950", "999", "36.9 k", "1.0 M"]);
        assert_eq!([512, 1024, 3_250_586].map(bytes), ["512 B", "1.0 KiB", "3.1 MiB"]);
        assert_eq!(short(u64::MAX), "18.4 E");
    }

    #[test]
    fn measures_keep_significant_digits() {
        assert_eq!([0.0, 0.31214, 1e-5, -2.5e7].map(measure), ["0.0000", "0.3121", "1.000e-5", "-2.500e7"]);
        assert_eq!(measure(f64::NAN), "NaN");
        assert_eq!(
            [0.42, 12.34, 185.0, 8040.0].map(seconds),
            ["0.42 s", "12.3 s", "3 min 05 s", "2 h 14 min"]
        );
    }

    #[test]
    fn terminal_escapes_in_text_are_escaped() {
        assert_eq!(plain("a\u{1b}[2Jé", 10), "a\\u{1b}[2Jé");
        assert_eq!(plain("one\ntwo\r", 10), "one\\ntwo\\r");
        assert_eq!(plain_lines("one\ntwo\r\u{9b}2J"), "one\ntwo\\r\\u{9b}2J");
        assert_eq!(plain("abc", 3), "abc");
        assert_eq!(plain("abcd", 3), "abc…");
    }

    /// "exe.txt" that displays as "txt.exe", hidden text, and tags; letters with marks, in any script, stay.
    #[test]
    fn bidirectional_and_invisible_characters_are_escaped() {
        for (letter, shown) in [
            ('\u{202e}', "\\u{202e}"),
            ('\u{2066}', "\\u{2066}"),
            ('\u{200f}', "\\u{200f}"),
            ('\u{200b}', "\\u{200b}"),
            ('\u{feff}', "\\u{feff}"),
            ('\u{2028}', "\\u{2028}"),
            ('\u{e0041}', "\\u{e0041}"),
        ] {
            assert_eq!(plain(&format!("a{letter}b"), 10), format!("a{shown}b"));
            assert_eq!(plain_lines(&format!("a{letter}b")), format!("a{shown}b"));
        }
        for text in ["e\u{301}", "über", "שלום", "学习", "🦀", "\"'\\"] {
            assert_eq!(plain(text, 10), text);
        }
    }
}
