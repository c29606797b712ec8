//! Names of one of several inputs, outputs or targets in messages.

/// `input` if there is only one, otherwise `first input`, `second input`, …
pub(crate) fn ordinal(what: &str, place: usize, count: usize) -> String {
    const ORDINALS: [&str; 6] = ["first", "second", "third", "fourth", "fifth", "sixth"];
    match ORDINALS.get(place) {
        _ if count == 1 => what.to_owned(),
        Some(ordinal) => format!("{ordinal} {what}"),
        None => format!("{what} {place} (from 0)"),
    }
}

#[cfg(test)]
mod tests {
    use super::ordinal;

    #[test]
    fn only_one_of_several_is_numbered() {
        assert_eq!(ordinal("input", 0, 1), "input");
        assert_eq!(ordinal("target", 1, 2), "second target");
        assert_eq!(ordinal("output", 6, 7), "output 6 (from 0)");
    }
}
