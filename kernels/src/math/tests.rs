use super::comparison;
use super::{exp, phi, sigmoid, tanh};

/// A part of what the example `accuracy` measures, with the documented bounds.
#[test]
fn errors_are_within_documented_bounds() {
    comparison::each(10_007, &mut |name, worst| {
        let bound = match name {
            "exp" => 0.91,
            "erf" => 1.60,
            "phi" => 6.10,
            "sigmoid" => 2.41,
            "sigmoid_slope" | "tanh_slope" => 4.22,
            "tanh" => 2.50,
            "silu" => 3.35,
            "silu_slope" => 4.79,
            "gelu" => 6.09,
            "gelu_slope" => 5.08,
            "gelu_tanh" => 215.0,
            "gelu_tanh_slope" => 221.0,
            "exp_m1" => 1.00,
            "softplus" => 2.00,
            "mish" => 4.50,
            "mish_slope" => 4.70,
            other => panic!("{other} is not documented"),
        };
        assert!(worst.error <= bound, "{name}: {worst:?}");
    });
}

#[test]
fn range_limits_are_exact() {
    let (infinity, none) = (f32::INFINITY, f32::NEG_INFINITY);
    for (found, expected) in [
        (exp(infinity), infinity),
        (exp(88.8), infinity),
        (exp(none), 0.0),
        (exp(-104.0), 0.0),
        (exp(0.0), 1.0),
        (tanh(infinity), 1.0),
        (tanh(none), -1.0),
        (tanh(-0.0), -0.0),
        (sigmoid(infinity), 1.0),
        (sigmoid(none), 0.0),
        (phi(infinity), 1.0),
        (phi(none), 0.0),
        // The smallest normal number, and a subnormal one.
        (exp(-103.27893), 1e-45),
        (exp(-95.0), 5.521e-42),
    ] {
        assert_eq!(found.to_bits(), expected.to_bits(), "{found}, not {expected}");
    }
}
