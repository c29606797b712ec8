//! Rewrites serde's messages about invalid values in terms of the command line.

use crate::similar::similar;

/// Whether the message only reports a wrong type.
pub(super) fn is_of_type(problem: &str) -> bool {
    problem.starts_with("invalid type: ") || problem.starts_with("invalid value: ")
}

/// The message without the names of Rust types, and with a suggestion for a misspelled name.
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

/// The message for an unknown key or variant, with a suggestion before the list.
fn suggesting(problem: &str) -> Option<String> {
    let rest =
        problem.strip_prefix("unknown field `").or_else(|| problem.strip_prefix("unknown variant `"))?;
    let (found, list) = rest.split_once("`, expected ")?;
    let meant = similar(found, list.split('`').skip(1).step_by(2))?;
    Some(format!("unknown name `{found}`; did you mean `{meant}`? expected {list}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_errors_name_types_in_plain_text() {
        let said = |text: &str| match serde_json::from_str::<usize>(text) {
            Ok(number) => number.to_string(),
            Err(error) => plain(error.to_string().split(" at line").next().unwrap_or_default().to_owned()),
        };
        assert_eq!(said("1.5"), "invalid type: floating point `1.5`, expected a whole number, 0 or more");
        assert_eq!(said("7"), "7");
        assert_eq!(plain("expected f64".to_owned()), "expected f64", "not a serde message");
        let said = plain("unknown variant `Xavir`, expected one of `Xavier`, `Zeros`".to_owned());
        assert_eq!(said, "unknown name `Xavir`; did you mean `Xavier`? expected one of `Xavier`, `Zeros`");
        let said = "unknown field `momentum`, expected `lr` or `eps`";
        assert_eq!(plain(said.to_owned()), said);
        assert!(is_of_type("invalid value: map, expected map with a single key"));
        assert!(!is_of_type("unknown variant `a`, expected `b`"));
    }
}
