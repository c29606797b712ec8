use proptest::prelude::*;

use super::{accumulate, add, copy_rows, mul, product_into, scaled, sub};
use crate::epilogue::{Activation, Dropout, Epilogue};
use crate::matmul::WriteMode;
use crate::philox;
use crate::simd::{self, Level};

const DROPOUT: Dropout =
    Dropout { key: [1, 2], place: [3, 4, 5], threshold: u32::MAX / 4, scale: 4.0 / 3.0, each: 1 };

/// Values from -1 to 1.
fn numbers(count: usize, key: u32) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    words.iter().map(|&word| (f64::from(word) / f64::from(1_u32 << 31) - 1.0) as f32).collect()
}

fn bits(values: &[Vec<f32>]) -> Vec<u32> {
    values.iter().flatten().map(|value| value.to_bits()).collect()
}

/// The results of all functions for `count` elements.
fn run(count: usize) -> [Vec<f32>; 9] {
    let (a, b, residual) = (numbers(count, 1), numbers(count, 2), numbers(count, 3));
    let epilogue = Epilogue {
        activation: Activation::Tanh,
        dropout: Some(DROPOUT),
        residual: Some(&residual),
        then: Activation::Relu,
    };
    let fill = |onto| vec![if onto == WriteMode::Accumulate { 1.0 } else { f32::NAN }; count];
    let combined = [add, sub, mul].map(|combine| {
        let mut y = fill(WriteMode::Overwrite);
        combine(&a, &b, &mut y, &epilogue);
        y
    });
    let onto = [WriteMode::Overwrite, WriteMode::Accumulate].map(|onto| {
        let [mut one, mut two, mut three] = [fill(onto), fill(onto), fill(onto)];
        accumulate(&a, &mut one, onto);
        scaled(&a, 0.3, &mut two, onto);
        product_into(&a, &b, &mut three, onto);
        [one, two, three]
    });
    let [[a, b, c], [d, e, f], [g, h, i]] = [combined, onto[0].clone(), onto[1].clone()];
    [a, b, c, d, e, f, g, h, i]
}

/// One operation rounds once, which is exact; what is added is fused, or rounds once more.
fn check(count: usize) {
    let (a, b, residual) = (numbers(count, 1), numbers(count, 2), numbers(count, 3));
    let found = run(count);
    let epilogue = Epilogue {
        activation: Activation::Tanh,
        dropout: Some(DROPOUT),
        residual: Some(&residual),
        then: Activation::Relu,
    };
    let combined = |operation: fn(f32, f32) -> f32| -> Vec<f32> {
        let mut y: Vec<_> = a.iter().zip(&b).map(|(&a, &b)| operation(a, b)).collect();
        epilogue.forward_in_place(0, &mut y);
        y
    };
    let each = |operation: fn(f32, f32) -> f32| -> Vec<f32> {
        a.iter().zip(&b).map(|(&a, &b)| operation(a, b)).collect()
    };
    let expected = [
        combined(|a, b| a + b),
        combined(|a, b| a - b),
        combined(|a, b| a * b),
        a.clone(),
        each(|a, _| a * 0.3),
        each(|a, b| a * b),
        each(|a, _| 1.0 + a),
        each(|a, _| a.mul_add(0.3, 1.0)),
        each(|a, b| a.mul_add(b, 1.0)),
    ];
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(
            bits(std::slice::from_ref(found)),
            bits(&[expected]),
            "result {index} of {count} elements"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn operations_match_plain_loops(count in 0..300_usize) {
        check(count);
    }

    #[test]
    fn gathered_rows_are_written_to_their_indices(
        width in 0..40_usize,
        rows in 0..9_usize,
        from_gap in 0..3_usize,
        into_gap in 0..3_usize,
        adds: bool,
    ) {
        let (from_stride, into_stride) = (width + from_gap, width + into_gap);
        let length = |stride: usize| if rows == 0 { 0 } else { (rows - 1) * stride + width };
        let from = numbers(length(from_stride), 1);
        let before = numbers(length(into_stride), 2);
        let mut into = before.clone();
        let onto = if adds { WriteMode::Accumulate } else { WriteMode::Overwrite };
        copy_rows(&from, from_stride, &mut into, into_stride, width, rows, onto);
        for (index, (&found, &before)) in into.iter().zip(&before).enumerate() {
            let (row, column) = (index / into_stride, index % into_stride);
            let expected = match (column < width, onto) {
                (false, _) => before,
                (true, WriteMode::Accumulate) => before + from[row * from_stride + column],
                (true, WriteMode::Overwrite) => from[row * from_stride + column],
            };
            assert_eq!(found.to_bits(), expected.to_bits(), "{row} {column}");
        }
    }
}

#[test]
fn many_blocks_match_plain_loops() {
    check(2 * super::BLOCK + 17);
    let (width, rows, stride) = (100, 2000, 103);
    let from = numbers(width * rows, 1);
    let mut into = vec![0.0; stride * rows];
    copy_rows(&from, width, &mut into[3..], stride, width, rows, WriteMode::Overwrite);
    for row in 0..rows {
        assert_eq!(into[row * stride..][..3], [0.0; 3]);
        assert_eq!(into[row * stride + 3..][..width], from[row * width..][..width]);
    }
}

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    let expected = bits(&run(1100));
    for &level in Level::available() {
        assert_eq!(simd::at_level(level, || bits(&run(1100))), expected, "{level:?}");
    }
    let expected = bits(&run(200_000));
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert_eq!(pool.install(|| bits(&run(200_000))), expected, "{threads} threads");
    }
}

#[test]
#[should_panic(expected = "the slices have equal lengths")]
fn lengths_are_checked() {
    product_into(&[1.0], &[1.0, 2.0], &mut [0.0; 2], WriteMode::Accumulate);
}

#[test]
#[should_panic(expected = "all rows go inside the slice")]
fn rows_are_checked() {
    copy_rows(&[1.0; 6], 3, &mut [0.0; 4], 3, 2, 2, WriteMode::Overwrite);
}
