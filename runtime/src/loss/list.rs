//! Lists of numbers in configurations, which are `const` and `Copy`.

use serde::{Deserialize, Deserializer};

use crate::keys::Facts;
use crate::shape::{CheckError, CheckResult};

/// Deserializes a list and leaks it. A program reads its spec once, so this costs a few bytes.
pub(super) fn leaked<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static [f64], D::Error> {
    Ok(Vec::leak(Vec::deserialize(deserializer)?))
}

/// Checks that the key `name` has only weights of 0 or more, at least one of them above 0. The result requires one weight for
/// each class.
pub(super) const fn check_weights(name: &'static str, weights: &[f64]) -> CheckResult<Facts> {
    let (mut i, mut counts) = (0, weights.is_empty());
    while i < weights.len() {
        if !(weights[i] >= 0.0 && weights[i] <= f32::MAX as f64) {
            return Err(CheckError::new(name)
                .text(" has ")
                .float(weights[i])
                .text(" as element ")
                .number(i)
                .text(" (from 0); expected finite values of 0 or more"));
        }
        // Compared as f32, the type of the computation.
        counts = counts || weights[i] as f32 > 0.0;
        i += 1;
    }
    if !counts {
        return Err(CheckError::new(name).text(" has only zeros; expected at least one value above 0"));
    }
    Ok(Facts::NOTHING.one_for_each_class(name, weights.len()))
}

/// Converts the values to f32 for the kernels.
pub(super) fn singles(weights: &[f64]) -> Vec<f32> {
    weights.iter().map(|&weight| weight as f32).collect()
}
