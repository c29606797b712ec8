//! Compares the functions with f64 over many f32; shared by the tests and the example `accuracy`.

use rayon::prelude::*;

use super::{math, reference, simd};
use reference::Mills;

/// The largest error of a function, and where it occurs.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "the tests show all fields at once")]
pub(crate) struct Worst {
    /// In ulps, or for derivatives in units of 2^-24 of the sum of the magnitudes of their terms.
    pub(crate) error: f64,
    pub(crate) x: f32,
    pub(crate) found: f32,
    pub(crate) exact: f64,
}

/// Calls `report` for each function with its name and its results for every `stride`-th f32; for a stride of 1, where values are
/// so small or so large that the function is linear or constant, it uses only a part of them.
pub(crate) fn each(stride: u64, report: &mut dyn FnMut(&str, Worst)) {
    let mills = &Mills::new();
    report("exp", worst(stride, math::exp, |x| by_ulp(x.exp())));
    report("tanh", worst(stride, math::tanh, |x| by_ulp(x.tanh())));
    report("tanh_slope", worst(stride, math::tanh_slope, |x| by_ulp(reference::tanh_slope(x))));
    report("sigmoid", worst(stride, math::sigmoid, |x| by_ulp(reference::sigmoid(x))));
    report(
        "sigmoid_slope",
        worst(stride, math::sigmoid_slope, |x| by_ulp(reference::tanh_slope(x / 2.0) / 4.0)),
    );
    report("erf", worst(stride, math::erf, |x| by_ulp(mills.erf(x))));
    report("phi", worst(stride, math::phi, |x| by_ulp(mills.phi(x))));
    report("gelu", worst(stride, math::gelu, |x| by_ulp(limited(x) * mills.phi(x))));
    report(
        "gelu_slope",
        worst(stride, math::gelu_slope, |x| by_terms([mills.phi(x), limited(x) * reference::density(x)])),
    );
    report(
        "gelu_tanh",
        worst(stride, math::gelu_tanh, |x| by_ulp(limited(x) * reference::sigmoid(reference::inner(x).0))),
    );
    report(
        "gelu_tanh_slope",
        worst(stride, math::gelu_tanh_slope, |x| {
            let (inner, slope) = reference::inner(limited(x));
            let sigmoid = reference::sigmoid(inner);
            by_terms([sigmoid, limited(x) * sigmoid * reference::sigmoid(-inner) * slope])
        }),
    );
    report("silu", worst(stride, math::silu, |x| by_ulp(limited(x) * reference::sigmoid(x))));
    report(
        "silu_slope",
        worst(stride, math::silu_slope, |x| {
            let sigmoid = reference::sigmoid(x);
            by_terms([sigmoid, limited(x) * sigmoid * reference::sigmoid(-x)])
        }),
    );
    each_smooth(stride, report);
}

/// The later functions.
fn each_smooth(stride: u64, report: &mut dyn FnMut(&str, Worst)) {
    report("exp_m1", worst(stride, math::exp_m1, |x| by_ulp(if x > 0.0 { 0.0 } else { x.exp_m1() })));
    report("softplus", worst(stride, math::softplus, |x| by_ulp(reference::softplus(x))));
    report("mish", worst(stride, math::mish, |x| by_ulp(limited(x) * reference::mish_gate(x)[0])));
    report(
        "mish_slope",
        worst(stride, math::mish_slope, |x| {
            let [gate, rest] = reference::mish_gate(x);
            let slope = x.clamp(-1e4, 1e4) * rest * (1.0 + gate) * reference::sigmoid(x);
            by_terms([gate, slope])
        }),
    );
}

/// -infinity times 0 is 0 here.
fn limited(x: f64) -> f64 {
    if x < -1e4 { -1e4 } else { x }
}

/// The exact value, and the unit of its error.
type Exact = (f64, f64);

fn by_ulp(exact: f64) -> Exact {
    let exponent = ((exact.abs().to_bits() >> 52) as i32 - 1023).clamp(-126, 127);
    (exact, 2.0_f64.powi(exponent - 23))
}

fn by_terms(terms: [f64; 2]) -> Exact {
    let magnitude = terms[0].abs() + terms[1].abs();
    (terms[0] + terms[1], (magnitude * 2.0_f64.powi(-24)).max(2.0_f64.powi(-149)))
}

simd! {
    fn map[F: Fn(f32) -> f32][F](values: &mut [f32], function: F) {
        for value in values {
            *value = function(*value);
        }
    }
}

/// Whether a function of `x` may be other than linear or constant.
fn is_lively(x: f32) -> bool {
    (2.0_f32.powi(-27)..256.0).contains(&x.abs())
}

fn worst(
    stride: u64,
    function: impl Fn(f32) -> f32 + Copy + Sync,
    exact: impl Fn(f64) -> Exact + Sync,
) -> Worst {
    const BLOCK: u64 = 1 << 12;
    let none = Worst { error: 0.0, x: 0.0, found: 0.0, exact: 0.0 };
    let count = (1_u64 << 32).div_ceil(stride);
    (0..count.div_ceil(BLOCK))
        .into_par_iter()
        .filter(|block| stride > 1 || is_lively(f32::from_bits((block * BLOCK) as u32)) || block % 101 == 0)
        .map(|block| {
            let numbers = (block * BLOCK..((block + 1) * BLOCK).min(count))
                .map(|n| f32::from_bits((n * stride) as u32));
            let xs: Vec<f32> = numbers.collect();
            let mut founds = xs.clone();
            map(&mut founds, function);
            let mut worst = none;
            for (&x, &found) in xs.iter().zip(&founds) {
                let (exact, unit) = exact(f64::from(x));
                let error = error(found, exact, unit);
                if error > worst.error {
                    worst = Worst { error, x, found, exact };
                }
            }
            worst
        })
        .reduce(|| none, |a, b| if b.error > a.error { b } else { a })
}

/// The error of `found` against `exact`; infinite if one is NaN or infinite and the other is not, or the signs of 0 differ.
fn error(found: f32, exact: f64, unit: f64) -> f64 {
    if exact.is_nan() || found.is_nan() {
        return if exact.is_nan() && found.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if found.is_infinite() || exact.is_infinite() {
        return if found.to_bits() == (exact as f32).to_bits() { 0.0 } else { f64::INFINITY };
    }
    (f64::from(found) - exact).abs() / unit
}
