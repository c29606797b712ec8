//! Reads the files that the scripts generate.

use serde_json::Value;

/// A file's JSON.
#[allow(dead_code, reason = "until a topic uses it")]
pub(crate) fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("a golden file is JSON")
}

/// A list of numbers, integers or not; `null` stands for Python's `nan`.
#[allow(dead_code, reason = "until a topic uses it")]
pub(crate) fn numbers(json: &Value) -> Vec<f64> {
    let number = |json: &Value| if json.is_null() { f64::NAN } else { json.as_f64().expect("a number") };
    json.as_array().expect("a list").iter().map(number).collect()
}

/// The same, of f32: the script wrote each with enough digits to be exact.
#[allow(dead_code, reason = "until a topic uses it")]
pub(crate) fn singles(json: &Value) -> Vec<f32> {
    numbers(json).into_iter().map(|number| number as f32).collect()
}

#[test]
fn golden_numbers_are_parsed_exactly() {
    let json = parse("[1, -0.1, 1e-9, null]");
    assert_eq!(numbers(&json)[..3], [1.0, -0.1, 1e-9]);
    assert!(numbers(&json)[3].is_nan());
    assert_eq!(singles(&json)[1].to_bits(), (-0.1_f32).to_bits());
}
