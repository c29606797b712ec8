//! Parses values of keys from the command line.

use serde_json::Value;

/// Parses a value: a number in Rust's grammar, other JSON, or otherwise a string.
///
/// A number is anything that `str::parse` accepts as an integer or a finite float, such as `.001` and `+1e-3`. Each value has
/// one form, so that it has one hash: 0 has no sign.
pub(super) fn of_text(text: &str) -> Value {
    let text = text.trim();
    if let Ok(number) = text.parse::<u64>() {
        return number.into();
    }
    if let Ok(number) = text.parse::<i64>() {
        return number.into();
    }
    let number = text.parse().ok().and_then(serde_json::Number::from_f64).map(Value::Number);
    let value = number.or_else(|| serde_json::from_str(text).ok());
    unsigned_zeros(value.unwrap_or_else(|| Value::String(text.to_owned())))
}

/// Replaces each -0 by 0.
pub(crate) fn unsigned_zeros(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() && number.as_f64() == Some(0.0) => Value::from(0.0),
        Value::Array(list) => list.into_iter().map(unsigned_zeros).collect(),
        Value::Object(keys) => keys.into_iter().map(|(key, value)| (key, unsigned_zeros(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_parsed_like_rust_literals() {
        for (text, number) in [
            ("1e-3", json!(0.001)),
            (".001", json!(0.001)),
            ("1.", json!(1.0)),
            ("+1e-3", json!(0.001)),
            ("+5", json!(5)),
            ("007", json!(7)),
            (" 7 ", json!(7)),
            ("18446744073709551615", json!(u64::MAX)),
            ("-3", json!(-3)),
            ("0.1", json!(0.1)),
        ] {
            assert_eq!(of_text(text), number, "{text}");
        }
        for text in ["-0", "0", "+0", "00"] {
            assert_eq!(of_text(text).to_string(), "0", "{text}");
        }
        for text in ["-0.0", "-0e5", "-.0", "0.0"] {
            assert_eq!(of_text(text).to_string(), "0.0", "{text}");
        }
        assert_eq!(of_text(r#"{"lr": [-0.0, 1]}"#).to_string(), r#"{"lr":[0.0,1]}"#);
        for text in ["nan", "inf", "-infinity", "1_000", "0x10", "1e400", "F32", "1,5", ""] {
            assert_eq!(of_text(text), Value::String(text.to_owned()), "{text}");
        }
        assert_eq!(of_text("null"), Value::Null);
        assert_eq!(of_text("\"7\""), json!("7"));
    }
}
