use proptest::prelude::*;

use super::plain;
use super::{Activation, Dropout, Epilogue, Saved};
use crate::philox;
use crate::simd::{self, Level};

const DROPOUT: Dropout =
    Dropout { key: [1, 2], place: [3, 4, 5], threshold: u32::MAX / 4, scale: 4.0 / 3.0, each: 1 };
/// Runs that neither begin nor end with a piece, and hardly ever with a block.
const OF_RUNS: Dropout = Dropout { each: 37, ..DROPOUT };
const ACTIVATIONS: [Activation; 13] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.1 },
    Activation::Gelu,
    Activation::GeluTanh,
    Activation::Silu,
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Elu { alpha: 0.5, scale: 1.0 },
    Activation::Elu { alpha: 1.673_263_2, scale: 1.050_701 },
    Activation::Softplus,
    Activation::Mish,
    Activation::HardSwish,
];

/// Values from -`bound` to `bound`, sometimes 0.
fn numbers(count: usize, key: u32, bound: f64) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    let number = |word: u32| (bound * (f64::from(word) / f64::from(1_u32 << 31) - 1.0)) as f32;
    words.iter().map(|&word| if word.is_multiple_of(16) { 0.0 } else { number(word) }).collect()
}

/// All epilogues of a run whose residual is `residual`.
fn epilogues(residual: &[f32]) -> impl Iterator<Item = Epilogue<'_>> {
    let parts = [None, Some(DROPOUT), Some(OF_RUNS)].into_iter().flat_map(move |dropout| {
        [None, Some(residual)].into_iter().flat_map(move |residual| {
            [Activation::Identity, Activation::Relu].map(move |then| (dropout, residual, then))
        })
    });
    parts.flat_map(|(dropout, residual, then)| {
        ACTIVATIONS.map(move |activation| Epilogue { activation, dropout, residual, then })
    })
}

/// `y`, the gradient before the residual and that of `pre`, for the elements from `first` on of a run of `pre`.
fn run(epilogue: &Epilogue<'_>, first: usize, pre: &[f32], dy: &[f32]) -> [Vec<f32>; 3] {
    let mut y = vec![f32::NAN; pre.len()];
    epilogue.forward(first, pre, &mut y);
    let mut d = dy.to_vec();
    epilogue.backward_then(&y, &mut d);
    let saved = match epilogue.saved() {
        Saved::Nothing => &[][..],
        Saved::Output => &y,
        Saved::Input => pre,
    };
    let mut d_pre = vec![f32::NAN; pre.len()];
    epilogue.backward(first, saved, &d, &mut d_pre);

    let mut in_place = pre.to_vec();
    epilogue.forward_in_place(first, &mut in_place);
    assert_eq!(bits(&[in_place]), bits(&[y.clone()]));
    let mut in_place = d.clone();
    epilogue.backward_in_place(first, saved, &mut in_place);
    assert_eq!(bits(&[in_place]), bits(&[d_pre.clone()]));
    [y, d, d_pre]
}

/// The same for an entire value, with the functions that use all threads.
fn run_all(epilogue: &Epilogue<'_>, pre: &[f32], dy: &[f32]) -> [Vec<f32>; 3] {
    let mut y = vec![f32::NAN; pre.len()];
    epilogue.forward_all(pre, &mut y);
    let mut d = dy.to_vec();
    epilogue.backward_then_all(&y, &mut d);
    let saved = match epilogue.saved() {
        Saved::Nothing => &[][..],
        Saved::Output => &y,
        Saved::Input => pre,
    };
    let mut d_pre = vec![f32::NAN; pre.len()];
    epilogue.backward_all(saved, &d, &mut d_pre);

    let mut in_place = pre.to_vec();
    epilogue.forward_all_in_place(&mut in_place);
    assert_eq!(bits(&[in_place]), bits(&[y.clone()]));
    let mut in_place = d.clone();
    epilogue.backward_all_in_place(saved, &mut in_place);
    assert_eq!(bits(&[in_place]), bits(&[d_pre.clone()]));
    [y, d, d_pre]
}

fn bits(values: &[Vec<f32>]) -> Vec<u32> {
    // Which NaN an operation returns is not specified.
    let canonical = |value: f32| if value.is_nan() { f32::NAN } else { value };
    values.iter().flatten().map(|value| canonical(*value).to_bits()).collect()
}

/// The kernel against [`plain`], element by element.
///
/// A value of an activation is within 6.1 ulp, thus 12.2 of 2^-24 of it, but for
/// [`Activation::GeluTanh`] below 0: there the argument of its exponential, which is at most 86 for inputs within 8,
/// has 3 roundings more. A slope, within 1.2, is within 5.1 units of 2^-24 of its terms, which are within 2, or has
/// twice the error of the output. Dropout, residual and gradient round once each.
fn check(first: usize, count: usize) {
    let unit = f64::from(f32::EPSILON) / 2.0;
    let (pre, dy) = (numbers(count, 7, 8.0), numbers(count, 8, 1.0));
    let residual = numbers(first + count, 9, 1.0);
    for epilogue in epilogues(&residual) {
        let [y, d, d_pre] = run(&epilogue, first, &pre, &dy);
        for index in 0..count {
            let (x, dy) = (f64::from(pre[index]), f64::from(dy[index]));
            let factor = plain::factor(epilogue.dropout, first + index);
            let value = plain::value(epilogue.activation, x) * factor;
            let residual = epilogue.residual.map_or(0.0, |residual| f64::from(residual[first + index]));
            let sum = value + residual;
            let expected = plain::value(epilogue.then, sum);
            let argument =
                if epilogue.activation == Activation::GeluTanh && x < 0.0 { 3.0 * 86.0 } else { 0.0 };
            let tolerance = unit * ((12.2 + argument + 2.0) * value.abs() + residual.abs());
            let found = f64::from(y[index]);
            assert!((found - expected).abs() <= tolerance, "{epilogue:?}: {x}: {found} is not {expected}");

            // Where the sum is nearly 0, so is the output; its sign is that of the output.
            let expected_d = if epilogue.then == Activation::Relu && y[index] <= 0.0 { 0.0 } else { dy };
            assert_eq!(f64::from(d[index]).to_bits(), expected_d.to_bits(), "{epilogue:?}");

            let expected = expected_d * plain::slope(epilogue.activation, x) * factor;
            let found = f64::from(d_pre[index]);
            let tolerance = unit * dy.abs() * 12.0;
            assert!((found - expected).abs() <= tolerance, "{epilogue:?}: {x} has {found}, not {expected}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn matches_reference(first in 0..300_usize, count in 0..200_usize) {
        check(first, count);
    }
}

#[test]
fn reference_slopes_match_finite_differences() {
    const STEP: f64 = 1e-5;
    for activation in ACTIVATIONS {
        for n in -1000..1000 {
            let x = (f64::from(n) + 0.5) / 100.0;
            let slope =
                (plain::value(activation, x + STEP) - plain::value(activation, x - STEP)) / (2.0 * STEP);
            // The third derivative times STEP^2 / 6, and the values' rounding over STEP.
            assert!((slope - plain::slope(activation, x)).abs() < 1e-8, "{activation:?} at {x}");
        }
    }
}

#[test]
fn partial_epilogue_equals_whole_epilogue() {
    let count = 700;
    let (pre, dy, residual) = (numbers(count, 7, 8.0), numbers(count, 8, 1.0), numbers(count, 9, 1.0));
    for epilogue in epilogues(&residual) {
        let whole = run(&epilogue, 0, &pre, &dy);
        assert_eq!(bits(&run_all(&epilogue, &pre, &dy)), bits(&whole));
        for (first, length) in [
            (0, 1),
            (1, 1),
            (1, 66),
            (2, 62),
            (3, 61),
            (3, 64),
            (5, 128),
            (2, 254),
            (3, 600),
            (63, 65),
            (199, 1),
        ] {
            let part = first..first + length;
            let found = run(&epilogue, first, &pre[part.clone()], &dy[part.clone()]);
            let expected = whole.each_ref().map(|values| values[part.clone()].to_vec());
            assert_eq!(bits(&found), bits(&expected), "{epilogue:?} {part:?}");
        }
    }
}

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    let count = 150_001;
    let (pre, dy, residual) = (numbers(count, 7, 8.0), numbers(count, 8, 1.0), numbers(count, 9, 1.0));
    // The largest for which the portable level, on a machine without fused products, is fast.
    let small = 300;
    for epilogue in epilogues(&residual) {
        let expected = bits(&run_all(&epilogue, &pre[..small], &dy[..small]));
        for &level in Level::available() {
            let found = simd::at_level(level, || run_all(&epilogue, &pre[..small], &dy[..small]));
            assert_eq!(bits(&found), expected, "{epilogue:?} {level:?}");
        }
    }
    for activation in ACTIVATIONS {
        let epilogue = Epilogue {
            activation,
            dropout: Some(DROPOUT),
            residual: Some(&residual),
            then: Activation::Relu,
        };
        let expected = bits(&run(&epilogue, 0, &pre, &dy));
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            let found = pool.install(|| run_all(&epilogue, &pre, &dy));
            assert_eq!(bits(&found), expected, "{epilogue:?} {threads} threads");
        }
    }
}

#[test]
fn nan_propagates_and_passes_its_gradient() {
    for epilogue in epilogues(&[1.0, 1.0]) {
        let [y, d, d_pre] = run(&epilogue, 0, &[1.0, f32::NAN], &[1.0, 1.0]);
        assert!(!y[0].is_nan() && y[1].is_nan(), "{epilogue:?}");
        assert_eq!(d[1].to_bits(), 1.0_f32.to_bits(), "{epilogue:?}");
        if epilogue.activation == Activation::Relu {
            // Nothing is dropped of the first two elements.
            let scale = epilogue.dropout.map_or(1.0, |dropout| dropout.scale);
            assert_eq!(d_pre[1].to_bits(), scale.to_bits(), "{epilogue:?}");
        }
    }
}

#[test]
fn infinite_inputs_give_limits_without_nan() {
    for activation in ACTIVATIONS {
        let epilogue = Epilogue { activation, ..Epilogue::NONE };
        let mut y = [f32::INFINITY, f32::NEG_INFINITY, 0.0];
        epilogue.forward_in_place(0, &mut y);
        assert!(y.iter().all(|y| !y.is_nan()), "{activation:?}");
        let mut d = [1.0; 2];
        let saved = match epilogue.saved() {
            Saved::Nothing => &[][..],
            Saved::Output => &y[..2],
            Saved::Input => &[f32::INFINITY, f32::NEG_INFINITY],
        };
        epilogue.backward_in_place(0, saved, &mut d);
        let expected = plain::slope(activation, 1e3) as f32;
        assert_eq!(d[0].to_bits(), expected.to_bits(), "{activation:?}");
    }
}

#[test]
fn relu_slope_at_zero_is_zero() {
    let epilogue = Epilogue { activation: Activation::Relu, ..Epilogue::NONE };
    let [y, _, d_pre] = run(&epilogue, 0, &[-1.0, -0.0, 0.0, f32::MIN_POSITIVE], &[1.0; 4]);
    assert_eq!(bits(&[y]), bits(&[vec![0.0, 0.0, 0.0, f32::MIN_POSITIVE]]));
    assert_eq!(d_pre, [0.0, 0.0, 0.0, 1.0]);
}

#[test]
#[should_panic(expected = "saved value and gradient")]
fn lengths_are_checked() {
    Epilogue { activation: Activation::Gelu, ..Epilogue::NONE }.backward_in_place(0, &[1.0], &mut [1.0; 2]);
}

#[test]
#[should_panic(expected = "out of range")]
fn short_residual_is_rejected() {
    Epilogue { residual: Some(&[1.0; 4]), ..Epilogue::NONE }.forward_in_place(3, &mut [1.0; 2]);
}
