//! Loss kernels, compared with candle's autodiff of their formulas in f64.

use candle_core::{DType, Device, Tensor, Var};
use trainspec::data::Elements;
use trainspec::loss::{CrossEntropy, Focal, Loss, LossKernel, LossSum, MeanSquaredError};
use trainspec::rng::{Purpose, StepIndex, Stream};
use trainspec::{Class, ClassMap, Kind, LogitMap, Logits, Result, Shape, TokenLogits, Tokens, Values};

const BATCH: usize = 4;

/// Returns a prediction of some shape, with values of every magnitude if `extreme`.
fn prediction(shape: Shape, extreme: bool) -> Vec<f32> {
    let count = BATCH * shape.elements();
    let normal = Stream::new(2, Purpose::Augment, "prediction").normal(StepIndex::default(), count);
    if !extreme {
        return normal;
    }
    (0..).zip(normal).map(|(place, number): (usize, f32)| number * [1e4, 1.0, 1e-4][place % 3]).collect()
}

fn check(
    kernel: Option<Box<dyn LossKernel>>,
    sum: impl Fn(&Tensor, &Tensor) -> Result<LossSum>,
    shape: Shape,
    (targets, axes): (&Elements, &[usize]),
) {
    let kernel = kernel.unwrap();
    for extreme in [false, true] {
        let numbers = prediction(shape, extreme);
        let mut gradient = vec![f32::NAN; numbers.len()];
        let (loss, weight) = kernel.sum(&numbers, targets, Some(&mut gradient)).unwrap();
        let alone = kernel.sum(&numbers, targets, None).unwrap();
        assert_eq!((loss.to_bits(), weight.to_bits()), (alone.0.to_bits(), alone.1.to_bits()));

        let mut all = vec![BATCH];
        all.extend_from_slice(shape.axes());
        let input = Tensor::from_slice(&numbers, all, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap();
        let variable = Var::from_tensor(&input).unwrap();
        let target = match targets {
            Elements::Float(reals) => {
                Tensor::from_slice(reals, axes, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap()
            }
            Elements::Int(wholes) => Tensor::from_slice(wholes, axes, &Device::Cpu).unwrap(),
        };
        let expected = sum(variable.as_tensor(), &target).unwrap();
        assert_eq!(weight.to_bits(), expected.weight.to_bits());
        let expected_loss = expected.sum.to_scalar::<f64>().unwrap();
        // A term has the magnitude of the largest value, and is rounded a few times.
        let size = numbers.iter().fold(1.0_f64, |size, &number| size.max(f64::from(number).abs()));
        let rounding = 16.0 * f64::from(f32::EPSILON);
        let of_squares = if matches!(targets, Elements::Float(_)) { size * size } else { size };
        assert!((loss - expected_loss).abs() <= numbers.len() as f64 * of_squares * rounding, "{loss}");
        let gradients = expected.sum.backward().unwrap();
        let told =
            gradients.get(variable.as_tensor()).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        for (found, told) in gradient.iter().zip(told) {
            assert!((f64::from(*found) - told).abs() <= size * rounding, "{found}, expected {told}");
        }
    }
}

#[test]
fn cross_entropy_kernel_matches_tape_formula() {
    for label_smoothing in [0.0, 0.1] {
        let loss = CrossEntropy { label_smoothing, ..CrossEntropy };
        let shape = <Logits<5> as Kind>::SHAPE;
        check(
            Loss::<Logits<5>, Class<5>>::kernel(&loss, shape),
            |prediction, target| Loss::<Logits<5>, Class<5>>::sum(&loss, prediction, target),
            shape,
            (&Elements::Int(vec![0, 4, 2, 2]), &[BATCH]),
        );
        let shape = Shape::of(&[3, 7]);
        check(
            Loss::<TokenLogits<7>, Tokens<7, 3>>::kernel(&loss, shape),
            |prediction, target| Loss::<TokenLogits<7>, Tokens<7, 3>>::sum(&loss, prediction, target),
            shape,
            (&Elements::Int((0..12).map(|place| place * 5 % 7).collect()), &[BATCH, 3]),
        );
    }
}

/// Maps of more pixels than a kernel computes side by side, and rows of tokens.
#[test]
fn kernels_of_class_losses_match_tape_formula() {
    type Map = LogitMap<3, 7, 11>;
    type Classes = ClassMap<3, 7, 11>;
    let shape = <Map as Kind>::SHAPE;
    let targets = Elements::Int((0..BATCH as u32 * 77).map(|place| place * 5 % 3).collect());
    for label_smoothing in [0.0, 0.1] {
        let loss = CrossEntropy { label_smoothing, ..CrossEntropy };
        check(
            Loss::<Map, Classes>::kernel(&loss, shape),
            |prediction, target| Loss::<Map, Classes>::sum(&loss, prediction, target),
            shape,
            (&targets, &[BATCH, 7, 11]),
        );
    }
    for gamma in [0.0, 1.5, 2.0] {
        let loss = Focal { gamma, ..Focal };
        check(
            Loss::<Map, Classes>::kernel(&loss, shape),
            |prediction, target| Loss::<Map, Classes>::sum(&loss, prediction, target),
            shape,
            (&targets, &[BATCH, 7, 11]),
        );
        let shape = Shape::of(&[3, 7]);
        check(
            Loss::<TokenLogits<7>, Tokens<7, 3>>::kernel(&loss, shape),
            |prediction, target| Loss::<TokenLogits<7>, Tokens<7, 3>>::sum(&loss, prediction, target),
            shape,
            (&Elements::Int((0..12).map(|place| place * 5 % 7).collect()), &[BATCH, 3]),
        );
    }
}

#[test]
fn mean_squared_error_kernel_matches_tape_formula() {
    let loss = MeanSquaredError;
    let shape = <Values<3> as Kind>::SHAPE;
    check(
        Loss::<Values<3>, Values<3>>::kernel(&loss, shape),
        |prediction, target| Loss::<Values<3>, Values<3>>::sum(&loss, prediction, target),
        shape,
        (&Elements::Float((0..12_u8).map(|place| f32::from(place) * 0.5 - 3.0).collect()), &[BATCH, 3]),
    );
}

#[test]
fn target_count_and_range_are_checked() {
    let shape = <Logits<5> as Kind>::SHAPE;
    let kernel = Loss::<Logits<5>, Class<5>>::kernel(&CrossEntropy, shape).unwrap();
    let said =
        |targets: Vec<u32>| kernel.sum(&[0.0; 10], &Elements::Int(targets), None).unwrap_err().to_string();
    assert_eq!(said(vec![0, 5]), "the target 5 is not a class; expected 0 to 4");
    assert_eq!(said(vec![0]), "there are 1 targets; the model's output requires 2");
}
