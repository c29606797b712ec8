//! Ranges that keys share.

use crate::shape::{CheckError, CheckResult};

/// Checks that a number is at least 0.
pub(crate) const fn not_negative(key: &str, value: f64) -> CheckResult {
    // It must also be finite as f32, the type of the arithmetic.
    if value >= 0.0 && (value as f32).is_finite() {
        return Ok(());
    }
    let range = if value.is_finite() && value > 0.0 {
        "0 or more, within the range of f32"
    } else {
        "a finite number, 0 or more"
    };
    Err(CheckError::new(key).text(" is ").float(value).text("; expected ").text(range))
}
