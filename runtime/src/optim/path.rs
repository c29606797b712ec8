//! Patterns of parameter paths.

use crate::shape::{Problem, Verdict};

/// That a pattern has parts, and `**` for whole parts only.
pub(super) const fn check(pattern: &str) -> Verdict {
    let text = pattern.as_bytes();
    let (mut at, mut start) = (0, 0);
    while at <= text.len() {
        if at == text.len() || text[at] == b'.' {
            if at == start {
                return Err(Problem::new("pattern is \"").text(pattern).text(
                    "\"; expected the path of parameters, such as \"linear_1.weight\", \"block.*.weight\" or \"head.**\"",
                ));
            }
            let mut i = start;
            while i + 1 < at {
                if text[i] == b'*' && text[i + 1] == b'*' && at - start > 2 {
                    return Err(Problem::new("pattern is \"").text(pattern).text(
                        "\"; `**` stands for whole parts of a path, write `*` for letters within one",
                    ));
                }
                i += 1;
            }
            start = at + 1;
        }
        at += 1;
    }
    Ok(())
}

/// Whether a path is one that the pattern means.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let patterns: Vec<_> = pattern.split('.').collect();
    let parts: Vec<_> = path.split('.').collect();
    parts_match(&patterns, &parts)
}

fn parts_match(patterns: &[&str], parts: &[&str]) -> bool {
    match (patterns, parts) {
        ([], []) => true,
        (["**", rest @ ..], _) => (0..=parts.len()).any(|skipped| parts_match(rest, &parts[skipped..])),
        ([pattern, patterns @ ..], [part, parts @ ..]) => {
            letters_match(pattern, part) && parts_match(patterns, parts)
        }
        _ => false,
    }
}

/// Whether a part is one that the pattern of a part means: its pieces between stars stand in it in their order.
fn letters_match(pattern: &str, part: &str) -> bool {
    let Some((first, others)) = pattern.split_once('*') else { return pattern == part };
    let Some(mut rest) = part.strip_prefix(first) else { return false };
    let mut pieces: Vec<_> = others.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match rest.find(piece) {
            Some(place) => rest = &rest[place + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The paths that are written most like a pattern, the nearest first.
pub(super) fn nearest<'a>(pattern: &str, paths: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut paths: Vec<_> = paths.map(|path| (distance(pattern, path), path)).collect();
    paths.sort_by_key(|(distance, _)| *distance);
    paths.into_iter().map(|(_, path)| path).take(3).collect()
}

/// How many letters have to be put in, taken out or changed to make `b` of `a`; what stands for a star costs nothing.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<_> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for letter in a.chars() {
        let is_star = letter == '*';
        let mut before = row[0];
        row[0] += usize::from(!is_star);
        for (place, other) in b.iter().enumerate() {
            let changed = before + usize::from(!is_star && letter != *other);
            before = row[place + 1];
            let put_in = row[place] + usize::from(!is_star);
            row[place + 1] = changed.min(put_in).min(before + usize::from(!is_star));
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_within_a_part_and_two_span_parts() {
        for (pattern, path, expected) in [
            ("head.weight", "head.weight", true),
            ("head.weight", "head.weights", false),
            ("head.*", "head.weight", true),
            ("head.*", "head.inner.weight", false),
            ("*", "head.weight", false),
            ("block.*.linear_*.weight", "block.3.linear_12.weight", true),
            ("block.*.weight", "block.3.linear_12.weight", false),
            ("**.weight", "block.3.linear_12.weight", true),
            ("**.weight", "weight", true),
            ("**.weight", "block.3.linear_12.bias", false),
            ("block.**", "block.3.linear_12.bias", true),
            ("block.**.bias", "block.bias", true),
            ("**", "anything.at.all", true),
            ("**.b*s", "a.bias", true),
            ("**.*a*a*", "x.banana", true),
            ("**.*a*a*z", "x.banana", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_pattern_has_parts() {
        for pattern in ["a", "a.b", "**", "a.**.b*", "*"] {
            assert!(check(pattern).is_ok(), "{pattern}");
        }
        for pattern in ["", ".a", "a.", "a..b"] {
            assert!(check(pattern).unwrap_err().as_str().contains("expected the path"), "{pattern}");
        }
        assert!(check("a.b**").unwrap_err().as_str().contains("whole parts"));
        assert!(check("***").is_err());
    }

    #[test]
    fn near_paths_come_first() {
        let paths = ["linear_1.weight", "linear_1.bias", "block.0.norm.weight", "head.weight"];
        assert_eq!(nearest("haed.weight", paths.into_iter())[0], "head.weight");
        assert_eq!(nearest("blocks.*.norm.weight", paths.into_iter())[0], "block.0.norm.weight");
        assert_eq!(nearest("x", paths.into_iter()).len(), 3);
    }
}
