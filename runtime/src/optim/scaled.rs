//! Multiplication of a slice by a factor that may be out of the range of f32.

/// Multiplies each of `values` in f32, or in f64 if the factor is outside the normal range of f32, such as the factor that
/// scales a gradient of 3e38 to norm 1.
pub(crate) fn multiply(values: &mut [f32], factor: f64) {
    if is_single(factor) {
        let factor = factor as f32;
        for value in values {
            *value *= factor;
        }
    } else {
        for value in values {
            *value = (f64::from(*value) * factor) as f32;
        }
    }
}

/// Returns whether a factor is in the normal range of f32.
pub(crate) fn is_single(factor: f64) -> bool {
    factor == 0.0 || (factor as f32).is_normal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_factors_are_exact_at_range_limits() {
        let times = |value: f32, factor| {
            let mut values = [value];
            multiply(&mut values, factor);
            values[0]
        };
        for (value, factor, product) in [
            (3e38, 1.0 / f64::from(3e38_f32), 1.0),
            (1e-38, 1e38_f64 * 1e3, 1e3),
            (3.0, 0.5, 1.5),
            (3.0, 0.0, 0.0),
        ] {
            assert!((times(value, factor) - product).abs() <= 1e-6 * product, "{value} * {factor}");
        }
        assert!(times(1.0, f64::NAN).is_nan());
    }
}
