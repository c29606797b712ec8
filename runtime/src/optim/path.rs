//! Patterns of parameter paths.

use crate::layer::Bindings;
use crate::shape::{CheckError, CheckResult};

/// Checks that a pattern has no empty parts, and that `**` is a whole part.
pub(crate) const fn check(pattern: &str) -> CheckResult {
    let text = pattern.as_bytes();
    let (mut at, mut start) = (0, 0);
    while at <= text.len() {
        if at == text.len() || text[at] == b'.' {
            if at == start {
                return Err(CheckError::new("pattern is \"").text(pattern).text(
                    "\"; expected the path of parameters, such as \"linear_1.weight\", \"block.*.weight\" or \"head.**\"",
                ));
            }
            let mut i = start;
            while i + 1 < at {
                if text[i] == b'*' && text[i + 1] == b'*' && at - start > 2 {
                    return Err(CheckError::new("pattern is \"")
                        .text(pattern)
                        .text("\"; `**` matches whole parts of a path, use `*` for characters within one"));
                }
                i += 1;
            }
            start = at + 1;
        }
        at += 1;
    }
    Ok(())
}

/// Returns whether a pattern has a `*`.
pub(crate) const fn has_star(pattern: &str) -> bool {
    let text = pattern.as_bytes();
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'*' {
            return true;
        }
        at += 1;
    }
    false
}

/// Returns the start of a matching path up to the first part of the pattern that has a `*`: `block.3` of `block.3.linear_1.weight` for
/// `block.*.**`. The name of the parameter itself is not part of it.
pub(crate) fn layer<'a>(pattern: &str, path: &'a str) -> &'a str {
    let parts = pattern.split('.').position(|part| part.contains('*')).unwrap_or(0);
    let end = path.match_indices('.').nth(parts).or_else(|| path.match_indices('.').next_back());
    end.map_or(path, |(end, _)| &path[..end])
}

/// Returns whether a path matches a pattern.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
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

/// Returns whether a part of a path matches the pattern of a part: it contains the pieces between stars in their order.
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

/// Returns whether two patterns have the same stars in the same order.
pub(crate) const fn same_stars(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (mut i, mut j) = (0, 0);
    loop {
        let (of_a, of_b) = (stars_at(a, &mut i), stars_at(b, &mut j));
        if of_a != of_b {
            return false;
        }
        if of_a == 0 {
            return true;
        }
    }
}

/// Returns the number of adjacent stars at the next position with stars and advances past them; 0 at the end. Two stars in one
/// part differ from `**`, which is next to a dot or an end on both sides.
const fn stars_at(text: &[u8], at: &mut usize) -> usize {
    while *at < text.len() && text[*at] != b'*' {
        *at += 1;
    }
    let start = *at;
    while *at < text.len() && text[*at] == b'*' {
        *at += 1;
    }
    *at - start
}

/// Renames a path that matches `from`: returns `to`, with its stars replaced by what those of `from` match.
pub(crate) fn renamed(from: &str, to: &str, path: &str) -> Option<String> {
    let patterns: Vec<_> = from.split('.').collect();
    let parts: Vec<_> = path.split('.').collect();
    let mut found = Vec::new();
    if !parts_found(&patterns, &parts, &mut found) {
        return None;
    }
    let mut found = found.into_iter();
    let mut renamed = Vec::new();
    for part in to.split('.') {
        if part == "**" {
            renamed.extend(found.next().filter(|parts| !parts.is_empty()));
            continue;
        }
        let mut letters = String::new();
        for (place, piece) in part.split('*').enumerate() {
            if place > 0 {
                letters += &found.next().unwrap_or_default();
            }
            letters += piece;
        }
        renamed.push(letters);
    }
    Some(renamed.join("."))
}

/// Like [`parts_match`], and returns what each star matches.
fn parts_found(patterns: &[&str], parts: &[&str], found: &mut Vec<String>) -> bool {
    match (patterns, parts) {
        ([], []) => true,
        (["**", rest @ ..], _) => (0..=parts.len()).any(|skipped| {
            let before = found.len();
            found.push(parts[..skipped].join("."));
            let matched = parts_found(rest, &parts[skipped..], found);
            if !matched {
                found.truncate(before);
            }
            matched
        }),
        ([pattern, patterns @ ..], [part, parts @ ..]) => {
            let before = found.len();
            let matched = letters_found(pattern, part, found) && parts_found(patterns, parts, found);
            if !matched {
                found.truncate(before);
            }
            matched
        }
        _ => false,
    }
}

/// Like [`letters_match`], and returns what each star matches: as few characters as possible, and the rest for the last one.
fn letters_found(pattern: &str, part: &str, found: &mut Vec<String>) -> bool {
    if !letters_match(pattern, part) {
        return false;
    }
    let Some((first, others)) = pattern.split_once('*') else { return true };
    let mut rest = &part[first.len()..];
    let mut pieces: Vec<_> = others.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let place = rest.find(piece).unwrap_or_default();
        found.push(rest[..place].to_owned());
        rest = &rest[place + piece.len()..];
    }
    found.push(rest[..rest.len() - last.len()].to_owned());
    true
}

/// Returns the paths most similar to a pattern, the most similar first.
pub(crate) fn nearest<'a>(pattern: &str, paths: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut paths: Vec<_> = paths.map(|path| (distance(pattern, path), path)).collect();
    paths.sort_by_key(|(distance, _)| *distance);
    paths.into_iter().map(|(_, path)| path).take(3).collect()
}

/// Computes the edit distance from `a` to `b`; what a star matches costs nothing.
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

/// The largest number of layers of one `let` that a message names.
const MOST: usize = 4;

/// Returns a hint for a pattern that matches nothing, if it refers to a `let` that does not name a layer: a clause for the end
/// of a message.
pub(crate) fn hint(bindings: &Bindings, pattern: &str) -> String {
    let is_meant = |name: &str| {
        pattern.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            || matches(pattern, &format!("{name}.weight"))
    };
    let Some((name, layers)) = bindings.iter().find(|(name, _)| is_meant(name)) else {
        return String::new();
    };
    let shown: Vec<_> = layers.iter().take(MOST).map(|layer| format!("`{layer}`")).collect();
    let more = if layers.len() > MOST { ", …" } else { "" };
    match shown.as_slice() {
        [] => format!("; `let {name}` binds no layer with parameters"),
        [one] => format!(
            "; the layer of `let {name}` is called {one}: a `let` names a layer only if it binds that single call, and \
             only once"
        ),
        several => format!(
            "; the layers of `let {name}` are called {}{more}: a `let` names a layer only if it binds a single call, \
             and only once",
            several.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_star_matches_one_component_and_double_star_many() {
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
    fn wildcards_are_substituted_in_renames() {
        for (from, to, path, expected) in [
            ("fc.*", "head.*", "fc.weight", Some("head.weight")),
            ("fc.*", "head.*", "fc.a.weight", None),
            ("fc.weight", "head.weight", "fc.weight", Some("head.weight")),
            ("layer*.*.**", "stage_*.*.**", "layer1.0.conv.weight", Some("stage_1.0.conv.weight")),
            ("model.**", "**", "model.a.b", Some("a.b")),
            ("**", "body.**", "a.b", Some("body.a.b")),
            ("**.ln", "x.**", "ln", Some("x")),
            ("**.h.*.w", "**.g.*.v", "a.h.b.h.3.w", Some("a.h.b.g.3.v")),
            ("*a*b", "*-*", "xaab", Some("x-a")),
        ] {
            assert_eq!(renamed(from, to, path).as_deref(), expected, "{from} {to} {path}");
        }
    }

    #[test]
    fn pattern_components_must_not_be_empty() {
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
    fn similar_paths_are_listed_first() {
        let paths = ["linear_1.weight", "linear_1.bias", "block.0.norm.weight", "head.weight"];
        assert_eq!(nearest("haed.weight", paths.into_iter())[0], "head.weight");
        assert_eq!(nearest("blocks.*.norm.weight", paths.into_iter())[0], "block.0.norm.weight");
        assert_eq!(nearest("x", paths.into_iter()).len(), 3);
    }

    #[test]
    fn unmatched_layer_name_is_explained() {
        let mut bindings = Bindings::default();
        bindings.note("head".to_owned(), ["linear_1".to_owned()].into_iter());
        bindings
            .note("stem".to_owned(), ["conv2d_1", "batch_norm_1", "conv2d_1"].map(str::to_owned).into_iter());
        bindings.note("block.0.flat".to_owned(), std::iter::empty());
        for pattern in ["head", "head.*", "head.weight", "head.**", "he*.*"] {
            let hint = hint(&bindings, pattern);
            assert!(
                hint.starts_with("; the layer of `let head` is called `linear_1`: "),
                "{pattern}: {hint}"
            );
        }
        let found = hint(&bindings, "stem.*");
        assert!(
            found.starts_with("; the layers of `let stem` are called `conv2d_1`, `batch_norm_1`: "),
            "{found}"
        );
        assert_eq!(hint(&bindings, "block.*.flat.bias"), "");
        assert_eq!(hint(&bindings, "block.0.flat.*"), "; `let block.0.flat` binds no layer with parameters");
        for pattern in ["headed.*", "tail.*", "x.head.*"] {
            assert_eq!(hint(&bindings, pattern), "", "{pattern}");
        }
    }
}
