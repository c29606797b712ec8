//! Which keys of two specs differ.

use serde_json::Value;

use crate::spec::canonical;

/// A key whose value has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `optimizer.lr`
    pub key: String,
    /// The start of the old value as JSON.
    pub old: String,
    /// The start of the new value as JSON.
    pub new: String,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { key, old, new } = self;
        write!(f, "`{key}` was {old}, is {new}")
    }
}

impl Change {
    /// Returns whether a list of keys has this one, or one that contains it.
    pub(super) fn is_among(&self, keys: &[String]) -> bool {
        let holds = |rest: &str| rest.is_empty() || rest.starts_with('.');
        keys.iter().any(|key| self.key.strip_prefix(key.as_str()).is_some_and(holds))
    }
}

/// The innermost keys that differ between two specs, in alphabetical order.
pub(super) fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", Some(old), Some(new), &mut changes);
    changes
}

fn compare(key: &str, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<Change>) {
    let within = |name: &dyn std::fmt::Display| match key {
        "" => name.to_string(),
        _ => format!("{key}.{name}"),
    };
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
            for name in names {
                compare(&within(name), old.get(name), new.get(name), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            for (place, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&within(&place), Some(old), Some(new), changes);
            }
        }
        _ if old.map(canonical) == new.map(canonical) => {}
        _ => changes.push(Change { key: key.to_owned(), old: text(old), new: text(new) }),
    }
}

/// A value in a sentence, cut if it is long.
fn text(value: Option<&Value>) -> String {
    const MOST: usize = 60;
    let Some(value) = value else { return "missing".to_owned() };
    let text = canonical(value);
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spec_difference_names_innermost_keys() {
        let old = json!({ "a": { "x": 1, "y": [1, { "z": 2.0 }] }, "b": null, "same": [1, 2], "gone": "g" });
        let new =
            json!({ "a": { "x": 3, "y": [1, { "z": 2.5 }] }, "b": { "c": 1 }, "same": [1, 2], "list": [] });
        let found: Vec<_> = changes(&old, &new).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "`a.x` was 1, is 3",
                "`a.y.1.z` was 2.0, is 2.5",
                "`b` was null, is {\"c\":1}",
                "`gone` was \"g\", is missing",
                "`list` was missing, is []",
            ]
        );
        assert!(changes(&old, &old).is_empty());
        let long = changes(&json!(["a"]), &json!(["é".repeat(100), 1]));
        assert!(long[0].to_string().ends_with("é…"), "{}", long[0]);
    }

    #[test]
    fn permitted_key_includes_nested_keys() {
        let changes = changes(&json!({ "optimizer": { "lr": 1 } }), &json!({ "optimizer": { "lr": 2 } }));
        let permitted = |key: &str| changes[0].is_among(&[key.to_owned()]);
        assert!(permitted("optimizer") && permitted("optimizer.lr"));
        assert!(!permitted("optimizer.l") && !permitted("opt") && !permitted("lr"));
    }
}
