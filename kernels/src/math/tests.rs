use super::comparison;
use super::{exp, phi, sigmoid, tanh};

/// A part of what the example `accuracy` goes through, with the bounds that the documentation tells.
#[test]
fn errors_are_as_documented() {
    comparison::each(10_007, &mut |name, worst| {
        let bound = match name {
            "exp" | "erf" => 1.5,
            "tanh" | "sigmoid" | "silu" => 3.0,
            "gelu_tanh" | "gelu_tanh_slope" => 200.0,
            _ => 5.5,
        };
        assert!(worst.error <= bound, "{name}: {worst:?}");
    });
}

#[test]
fn ends_are_exact() {
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
        // The least number, and one that is subnormal.
        (exp(-103.27893), 1e-45),
        (exp(-95.0), 5.521e-42),
    ] {
        assert_eq!(found.to_bits(), expected.to_bits(), "{found}, not {expected}");
    }
}
