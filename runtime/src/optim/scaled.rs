//! Multiplication of many numbers by a factor that f32 may not hold.

/// Multiplies each of `values`, in f32; in f64 by a factor below the normal numbers of f32 or above them, such as that which
/// brings a gradient of 3e38 to the norm 1.
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

/// Whether f32 holds a factor with all its digits.
pub(crate) fn is_single(factor: f64) -> bool {
    factor == 0.0 || (factor as f32).is_normal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_not_lost_at_the_ends_of_the_range() {
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
