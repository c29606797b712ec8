//! What serde says of a value that it cannot read, in the words of the command line.

use crate::similar::similar;

/// Whether no more is said than that the type is another.
pub(super) fn is_of_type(problem: &str) -> bool {
    problem.starts_with("invalid type: ") || problem.starts_with("invalid value: ")
}

/// The problem without the names of Rust's types, and with the name that was probably meant.
pub(super) fn plain(problem: String) -> String {
    if let Some(better) = suggesting(&problem) {
        return better;
    }
    let types = [
        ("usize", "a whole number, 0 or more"),
        ("u64", "a whole number, 0 or more"),
        ("u32", "a whole number, 0 or more"),
        ("f64", "a number"),
        ("a boolean", "true or false"),
    ];
    for (theirs, ours) in types {
        if let Some(start) = problem.strip_suffix(theirs)
            && start.ends_with(", expected ")
        {
            return format!("{start}{ours}");
        }
    }
    problem
}

/// What serde says of an unknown key or variant, with the one that was probably meant before the list.
fn suggesting(problem: &str) -> Option<String> {
    let rest =
        problem.strip_prefix("unknown field `").or_else(|| problem.strip_prefix("unknown variant `"))?;
    let (found, list) = rest.split_once("`, expected ")?;
    let meant = similar(found, list.split('`').skip(1).step_by(2))?;
    Some(format!("there is no `{found}`; did you mean `{meant}`? expected {list}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_in_words() {
        let said = |text: &str| match serde_json::from_str::<usize>(text) {
            Ok(number) => number.to_string(),
            Err(error) => plain(error.to_string().split(" at line").next().unwrap_or_default().to_owned()),
        };
        assert_eq!(said("1.5"), "invalid type: floating point `1.5`, expected a whole number, 0 or more");
        assert_eq!(said("7"), "7");
        assert_eq!(plain("expected f64".to_owned()), "expected f64", "not serde's words");
        let said = plain("unknown variant `Xavir`, expected one of `Xavier`, `Zeros`".to_owned());
        assert_eq!(said, "there is no `Xavir`; did you mean `Xavier`? expected one of `Xavier`, `Zeros`");
        let said = "unknown field `momentum`, expected `lr` or `eps`";
        assert_eq!(plain(said.to_owned()), said);
        assert!(is_of_type("invalid value: map, expected map with a single key"));
        assert!(!is_of_type("unknown variant `a`, expected `b`"));
    }
}
