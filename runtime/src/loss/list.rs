//! Lists of numbers in a configuration, which is a constant and can be copied.

use serde::{Deserialize, Deserializer};

use crate::keys::Facts;
use crate::shape::{CheckError, CheckResult};

/// Reads a list. A program reads its spec once, so the few bytes may stay.
pub(super) fn leaked<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static [f64], D::Error> {
    Ok(Vec::leak(Vec::deserialize(deserializer)?))
}

/// That each number of the key `name` is a weight, and one of them is above 0; and that there must be one for each class.
pub(super) const fn check_weights(name: &'static str, weights: &[f64]) -> CheckResult<Facts> {
    let (mut i, mut counts) = (0, weights.is_empty());
    while i < weights.len() {
        if !(weights[i] >= 0.0 && weights[i] <= f32::MAX as f64) {
            return Err(CheckError::new(name)
                .text(" has ")
                .float(weights[i])
                .text(" as number ")
                .number(i)
                .text(" (from 0); expected finite numbers of 0 or more"));
        }
        // As f32, the type of the arithmetic.
        counts = counts || weights[i] as f32 > 0.0;
        i += 1;
    }
    if !counts {
        return Err(CheckError::new(name).text(" is 0 for all; expected one above 0"));
    }
    Ok(Facts::NOTHING.one_for_each_class(name, weights.len()))
}

/// The numbers as kernels take them.
pub(super) fn singles(weights: &[f64]) -> Vec<f32> {
    weights.iter().map(|&weight| weight as f32).collect()
}
