use proptest::prelude::*;

use super::{Softmax, reference};
use crate::matmul::WriteMode;
use crate::philox;
use crate::simd::{self, Level};

/// Values from -`bound` to `bound`.
fn numbers(count: usize, key: u32, bound: f64) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    words.iter().map(|&word| (bound * (f64::from(word) / f64::from(1_u32 << 31) - 1.0)) as f32).collect()
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

fn data(softmax: &Softmax) -> [Vec<f32>; 2] {
    let count = softmax.rows * softmax.classes;
    [numbers(count, 1, 8.0), numbers(count, 2, 1.0)]
}

/// `y`, and `dx` overwritten and added to 1.
fn run(softmax: &Softmax, x: &[f32], dy: &[f32]) -> [Vec<f32>; 3] {
    let [mut y, mut dx] = [vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]];
    let mut added = vec![1.0; x.len()];
    softmax.forward(x, &mut y);
    softmax.backward(&y, dy, (&mut dx, WriteMode::Overwrite));
    softmax.backward(&y, dy, (&mut added, WriteMode::Accumulate));
    [y, dx, added]
}

fn bits(values: &[Vec<f32>]) -> Vec<u32> {
    values.iter().flatten().map(|value| value.to_bits()).collect()
}

/// The kernel against the reference.
///
/// With `x` within 8, a difference to the largest is within 16 and its rounding a relative error of 16 units of 2^-24 in
/// its exponential, which has 2 of its own; the sum has the same, and `classes / 16 + 5` for its order; a quotient and
/// a product are 2 more. In backward the mean has another sum, and each term the error of `y` twice.
fn check(softmax: &Softmax) {
    let [x, dy] = data(softmax);
    let [y, dx, added] = run(softmax, &x, &dy);
    let unit = f64::from(f32::EPSILON) / 2.0;
    let order = softmax.classes as f64 / 16.0 + 5.0;
    let roundings = 2.0 * 18.0 + order + 2.0;
    for row in 0..softmax.rows {
        let part = row * softmax.classes..(row + 1) * softmax.classes;
        let (x, dy) = (widen(&x[part.clone()]), widen(&dy[part.clone()]));
        let expected = reference::forward(&x).into_iter().zip(reference::backward(&x, &dy));
        for (index, (expected_y, (expected_dx, size))) in part.zip(expected) {
            let found = f64::from(y[index]);
            assert!((found - expected_y).abs() <= unit * roundings * expected_y, "{softmax:?} y[{index}]");
            let (found, tolerance) = (f64::from(dx[index]), unit * (2.0 * roundings + order + 3.0) * size);
            assert!((found - expected_dx).abs() <= tolerance, "{softmax:?} dx[{index}]");
            let found = f64::from(added[index]);
            let tolerance = tolerance + unit * (1.0 + size);
            assert!((found - 1.0 - expected_dx).abs() <= tolerance, "{softmax:?} 1 + dx[{index}]");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn matches_reference(rows in 0..5_usize, classes in 0..200_usize) {
        check(&Softmax { rows, classes });
    }
}

#[test]
fn reference_gradient_matches_finite_differences() {
    const STEP: f64 = 1e-5;
    let (mut x, dy) = (widen(&numbers(7, 1, 2.0)), widen(&numbers(7, 2, 1.0)));
    let gradient = reference::backward(&x, &dy);
    let loss = |x: &[f64]| -> f64 { reference::forward(x).iter().zip(&dy).map(|(y, dy)| y * dy).sum() };
    for index in 0..x.len() {
        let value = x[index];
        x[index] = value + STEP;
        let above = loss(&x);
        x[index] = value - STEP;
        let slope = (above - loss(&x)) / (2.0 * STEP);
        x[index] = value;
        // The third derivative times STEP^2 / 6, and the sum's rounding over STEP.
        assert!((slope - gradient[index].0).abs() < 1e-9);
    }
}

#[test]
fn results_do_not_depend_on_simd_level_threads_or_other_rows() {
    for softmax in [Softmax { rows: 9, classes: 77 }, Softmax { rows: 5000, classes: 33 }] {
        let [x, dy] = data(&softmax);
        let results = run(&softmax, &x, &dy);
        let expected = bits(&results);
        if softmax.rows < 100 {
            for &level in Level::available() {
                let found = simd::at_level(level, || run(&softmax, &x, &dy));
                assert_eq!(bits(&found), expected, "{level:?}");
            }
        }
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            assert_eq!(bits(&pool.install(|| run(&softmax, &x, &dy))), expected, "{threads} threads");
        }
        for row in (0..softmax.rows).step_by(softmax.rows / 9) {
            let part = row * softmax.classes..(row + 1) * softmax.classes;
            let found = run(&Softmax { rows: 1, ..softmax }, &x[part.clone()], &dy[part.clone()]);
            let expected = results.each_ref().map(|values| values[part.clone()].to_vec());
            assert_eq!(bits(&found), bits(&expected), "{row}");
        }
    }
}

#[test]
fn large_values_do_not_overflow() {
    let mut y = [0.0; 20];
    let x: Vec<f32> = (0..20_u8).map(|n| f32::from(n) * 1e30).collect();
    Softmax { rows: 1, classes: 20 }.forward(&x, &mut y);
    assert_eq!(y[19].to_bits(), 1.0_f32.to_bits());
    assert!(y[..19].iter().all(|y| y.to_bits() == 0));
}

#[test]
fn nan_propagates_within_its_row() {
    for classes in [3, 16, 20] {
        for place in [0, classes - 1] {
            let mut x = vec![1.0; 2 * classes];
            x[place] = f32::NAN;
            let mut y = vec![0.0; 2 * classes];
            Softmax { rows: 2, classes }.forward(&x, &mut y);
            assert!(y[..classes].iter().all(|y| y.is_nan()) && y[classes..].iter().all(|y| !y.is_nan()));
        }
    }
}

#[test]
#[should_panic(expected = "x is [rows, classes]")]
fn lengths_are_checked() {
    Softmax { rows: 1, classes: 2 }.forward(&[1.0], &mut [0.0]);
}
