//! Confidence intervals of a mean.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// The mean of values, and how well they determine it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of a sample: the squares are divided by the number of values less 1.
    pub deviation: f64,
    /// The 95 % confidence interval of the mean of normally distributed values: `mean ± t deviation / sqrt(n)`, with the quantile `t` of
    /// Student's distribution with `n - 1` degrees of freedom.
    pub interval: [f64; 2],
}

/// The confidence of an interval.
pub(super) const CONFIDENCE: f64 = 0.95;

impl Estimate {
    /// Estimates from at least two values. NaN if one of them is.
    pub(super) fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        let deviation = (squares / (n - 1.0)).sqrt();
        let half = t_quantile(values.len().saturating_sub(1), CONFIDENCE) * deviation / n.sqrt();
        Self { mean, deviation, interval: [mean - half, mean + half] }
    }
}

/// The `t` for which a variable of Student's distribution is in `-t..t` with this probability.
///
/// The probability is an elementary function of the angle `atan(t / sqrt(v))` for a whole number `v` of degrees of freedom; the angle is found
/// by bisection, to the last bit.
///
/// # Source
/// Abramowitz and Stegun, "Handbook of Mathematical Functions", 1964, 26.7.3 and 26.7.4.
fn t_quantile(degrees: usize, probability: f64) -> f64 {
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return (degrees as f64).sqrt() * low.tan();
        }
        if within(degrees, middle) < probability { low = middle } else { high = middle }
    }
}

/// The probability that the angle is at most `angle` in size.
fn within(degrees: usize, angle: f64) -> f64 {
    let (sine, cosine) = angle.sin_cos();
    let squared = cosine * cosine;
    // The terms are products of (n - 1) / n cos^2, with n = 2, 4, …, or n = 3, 5, ….
    let (mut sum, mut term, mut n) =
        if degrees.is_multiple_of(2) { (1.0, 1.0, 2) } else { (cosine, cosine, 3) };
    if degrees == 1 {
        sum = 0.0;
    }
    while n < degrees {
        term *= squared * (n - 1) as f64 / n as f64;
        sum += term;
        n += 2;
    }
    if degrees.is_multiple_of(2) { sine * sum } else { FRAC_2_PI * (angle + sine * sum) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Closed forms for 1, 2 and 4 degrees of freedom; for the others the table of the NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2,
    /// which has three decimals.
    #[test]
    fn quantiles_match_closed_forms_and_tables() {
        let one = (0.95 * FRAC_PI_2).tan();
        let two = 0.95 * (2.0 / (1.0 - 0.95_f64.powi(2))).sqrt();
        // Shaw 2006: t^2 = 4 (q - 1), with q = cos(acos(sqrt(a)) / 3) / sqrt(a) and a = 4 p (1 - p).
        let a: f64 = 4.0 * 0.975 * 0.025;
        let four = 2.0 * ((a.sqrt().acos() / 3.0).cos() / a.sqrt() - 1.0).sqrt();
        for (degrees, expected) in [(1, one), (2, two), (4, four)] {
            let found = t_quantile(degrees, 0.95);
            assert!((found - expected).abs() <= 1e-13 * expected, "{degrees}: {found} and {expected}");
        }
        for (degrees, expected) in [
            (3, 3.182),
            (5, 2.571),
            (6, 2.447),
            (7, 2.365),
            (8, 2.306),
            (9, 2.262),
            (10, 2.228),
            (11, 2.201),
            (19, 2.093),
            (20, 2.086),
            (29, 2.045),
            (30, 2.042),
            (60, 2.000),
            (99, 1.984),
            (100, 1.984),
        ] {
            let found = t_quantile(degrees, 0.95);
            assert!((found - expected).abs() <= 5.1e-4, "{degrees}: {found} and {expected}");
        }
        // The quantile of the normal distribution.
        assert!((t_quantile(1_000_000, 0.95) - 1.959_963_985).abs() < 1e-5);
    }

    #[test]
    fn estimate_matches_definition() {
        let found = Estimate::of(&[2.0, 4.0, 9.0]);
        let deviation = ((9.0 + 1.0 + 16.0) / 2.0_f64).sqrt();
        let half = 0.95 * (2.0 / (1.0 - 0.95_f64.powi(2))).sqrt() * deviation / 3.0_f64.sqrt();
        assert!((found.mean - 5.0).abs() < 1e-15 && (found.deviation - deviation).abs() < 1e-15);
        assert!(
            (found.interval[0] - (5.0 - half)).abs() < 1e-12
                && (found.interval[1] - (5.0 + half)).abs() < 1e-12
        );
        let equal = Estimate::of(&[0.5; 4]);
        assert_eq!((equal.deviation, equal.interval), (0.0, [0.5; 2]));
        assert!(Estimate::of(&[1.0, f64::NAN]).interval[0].is_nan());
    }
}
