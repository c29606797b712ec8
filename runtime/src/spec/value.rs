//! Values of keys as they are written on the command line.

use serde_json::Value;

/// The value that a text says: a number in Rust's grammar, other JSON, or else a string.
///
/// A number is what `str::parse` takes for a whole or a finite number, `.001` and `+1e-3` too. One value has one form, so that it
/// has one hash: 0 has no sign.
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

/// The same with 0 for each -0.
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
    fn numbers_are_read_as_rust_reads_them() {
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
