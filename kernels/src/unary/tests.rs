use super::*;
use crate::reduce::testing::{numbers, same_bits};

const ALL: [Unary; 8] = [
    Unary::Affine { factor: -1.5, shift: 0.25 },
    Unary::Reciprocal { numerator: 2.0 },
    Unary::Abs,
    Unary::Square,
    Unary::Sqrt,
    Unary::Exp,
    Unary::Log,
    Unary::Clamp { min: -0.5, max: 0.5 },
];

/// The value and the derivative, in f64.
fn exact(unary: Unary, x: f64) -> (f64, f64) {
    match unary {
        Unary::Affine { factor, shift } => (f64::from(factor) * x + f64::from(shift), f64::from(factor)),
        Unary::Reciprocal { numerator } => (f64::from(numerator) / x, -f64::from(numerator) / (x * x)),
        Unary::Abs => (x.abs(), if x == 0.0 { 0.0 } else { x.signum() }),
        Unary::Square => (x * x, 2.0 * x),
        Unary::Sqrt => (x.sqrt(), 0.5 / x.sqrt()),
        Unary::Exp => (x.exp(), x.exp()),
        Unary::Log => (x.ln(), 1.0 / x),
        Unary::Clamp { min, max } => {
            let (min, max) = (f64::from(min), f64::from(max));
            (x.clamp(min, max), if (min..=max).contains(&x) { 1.0 } else { 0.0 })
        }
    }
}

fn inputs(unary: Unary, count: usize) -> Vec<f32> {
    let x = numbers(count, 1);
    match unary {
        // Where the function is defined.
        Unary::Sqrt | Unary::Log => x.iter().map(|x| x.abs() + 1e-3).collect(),
        Unary::Reciprocal { .. } => x.iter().map(|x| x + 0.01 * x.signum()).collect(),
        _ => x,
    }
}

#[test]
fn values_and_gradients_match_f64() {
    for unary in ALL {
        for count in [0, 1, 15, 16, 100, BLOCK + 7] {
            let (x, dy) = (inputs(unary, count), numbers(count, 2));
            let (mut y, mut dx) = (vec![f32::NAN; count], vec![f32::NAN; count]);
            unary.forward(&x, &mut y);
            unary.backward(&x, &dy, &mut dx, WriteMode::Overwrite);
            let mut sum = dy.clone();
            unary.backward(&x, &dy, &mut sum, WriteMode::Accumulate);
            for i in 0..count {
                let (value, slope) = exact(unary, f64::from(x[i]));
                // At most four roundings of the result, and of its terms.
                let near = |found: f32, expected: f64, size: f64| {
                    let unit = f64::from(f32::EPSILON);
                    assert!(
                        (f64::from(found) - expected).abs() <= 4.0 * unit * size,
                        "{unary:?} at {}",
                        x[i]
                    );
                };
                near(y[i], value, value.abs() + 1.0);
                let gradient = f64::from(dy[i]) * slope;
                near(dx[i], gradient, gradient.abs());
                near(sum[i], f64::from(dy[i]) + gradient, gradient.abs() + f64::from(dy[i]).abs());
            }
        }
    }
}

#[test]
fn results_do_not_depend_on_threads_or_simd_level() {
    for unary in ALL {
        same_bits(|| {
            let x = inputs(unary, 3 * BLOCK + 5);
            let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            unary.forward(&x, &mut y);
            unary.backward(&x, &y, &mut dx, WriteMode::Overwrite);
            vec![y, dx]
        });
    }
}

#[test]
fn limits_of_functions_match_pytorch() {
    let value = |unary: Unary, x: f32| {
        let mut y = [0.0];
        unary.forward(&[x], &mut y);
        y[0]
    };
    let slope = |unary: Unary, x: f32| {
        let mut dx = [0.0];
        unary.backward(&[x], &[1.0], &mut dx, WriteMode::Overwrite);
        dx[0]
    };
    let clamp = Unary::Clamp { min: -0.5, max: 0.5 };
    assert!(ALL.iter().all(|&unary| value(unary, f32::NAN).is_nan()));
    let equal = |found: f32, expected: f32| assert_eq!(found.to_bits(), expected.to_bits());
    equal(slope(Unary::Abs, 0.0), 0.0);
    for (x, expected) in [(0.5, 1.0), (-0.5, 1.0), (0.6, 0.0)] {
        equal(slope(clamp, x), expected);
    }
    equal(slope(Unary::Sqrt, 0.0), f32::INFINITY);
    equal(value(Unary::Log, 0.0), f32::NEG_INFINITY);
    assert!(value(Unary::Log, -1.0).is_nan() && value(Unary::Sqrt, -1.0).is_nan());
}
