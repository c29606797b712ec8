//! Every loss and each of its keys compared with PyTorch in f64, on ordinary and on extreme inputs: as the kernel of the
//! planned engine, and in the reference implementation of the tape, in f32 and in f64.
//!
//! Seen to fail, one by one: a weighted mean over samples instead of weights; smoothing as `1/(C - 1)` over the other classes;
//! Huber's bound at `delta / 2`, and its lines with the slope 1; logits without the maximum subtracted; the slope of an
//! absolute error of 0 as 1; smoothing without the class weights; PyTorch's `(1 - t) y + softplus(-y)`, which loses the digits
//! of small losses.

#![expect(clippy::unwrap_used, reason = "a test stops where something fails")]

use candle_core::{DType, Device, Tensor, Var};
use serde_json::Value;
use trainspec::data::Elements;
use trainspec::loss::{
    BinaryCrossEntropy, CrossEntropy, Hinge, Huber, KlDivergence, Loss, LossKernel, LossSum,
    MeanAbsoluteError, MeanSquaredError, NegativeLogLikelihood, Reduction, SmoothL1,
};
use trainspec::{
    Class, Config, Kind, Labels, LogProbabilities, Logits, Probabilities, Result, Shape, Values,
};

use super::file::parse;

/// The largest error in roundings, 2^-24, of the terms of a value (`value_size`, `gradient_size`).
///
/// An exponential has an error of 2 of them, and the distance to the largest logit, the sum of up to 8 values, the quotient
/// and the weight of 1, 3, 1 and 1; a sigmoid has an error of 5, and its products and their difference of 3. The measured
/// maximum is 1.9. candle adds values sequentially, up to 40 of them, of which a gradient has two sums.
const KERNEL: f64 = 8.0;
const REFERENCE: f64 = 80.0;
/// The same in f64, with some digits of margin: checks the formula, apart from roundings.
const EXACT: f64 = 1e-6;

/// The number of cases of the script.
const CASES: usize = 109;

/// A number, or the text of an infinity.
fn number(json: &Value) -> f64 {
    json.as_f64().unwrap_or_else(|| json.as_str().unwrap().parse().unwrap())
}

fn numbers(json: &Value) -> Vec<f64> {
    json.as_array().unwrap().iter().map(number).collect()
}

/// A configuration with the keys of the case.
fn with<C: Config>(keys: &Value) -> C {
    let mut json = serde_json::to_value(C::DEFAULT).unwrap();
    json.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    let loss: C = serde_json::from_value(json).unwrap();
    assert!(C::CHECK(&loss).is_ok(), "{keys}");
    loss
}

struct Case {
    name: String,
    shape: Vec<usize>,
    prediction: Vec<f64>,
    target: Elements,
    value: (f64, f64),
    gradient: Vec<(f64, f64)>,
}

impl Case {
    fn of(json: &Value) -> Self {
        let shape: Vec<_> =
            json["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
        let target = numbers(&json["target"]);
        let target = if json["is_whole"].as_bool().unwrap() {
            Elements::Int(target.into_iter().map(|class| class as u32).collect())
        } else {
            Elements::Float(target.into_iter().map(|value| value as f32).collect())
        };
        let sizes = numbers(&json["gradient_size"]);
        Self {
            name: format!("{}, {}", json["loss"].as_str().unwrap(), json["name"].as_str().unwrap()),
            shape,
            prediction: numbers(&json["prediction"]),
            target,
            value: (number(&json["value"]), number(&json["value_size"])),
            gradient: numbers(&json["gradient"]).into_iter().zip(sizes).collect(),
        }
    }

    /// Loss and gradient, divided as the reduction requires.
    fn compare(&self, form: &str, (value, gradient): (f64, Vec<f64>), roundings: f64) -> f64 {
        let unit = f64::from(f32::EPSILON) / 2.0;
        let mut worst = 0.0_f64;
        let mut check = |what: &str, found: f64, (expected, size): (f64, f64)| {
            if expected.is_infinite() {
                assert_eq!(found.to_bits(), expected.to_bits(), "{}, {form}: {what} is {found}", self.name);
                return;
            }
            // A maximum with NaN would return the other number.
            assert!(found.is_finite(), "{}, {form}: {what} is {found}, expected {expected}", self.name);
            // Results below f32's normal numbers are 0.
            let least = f64::from(f32::MIN_POSITIVE);
            let off = ((found - expected).abs() - least).max(0.0);
            assert!(
                off <= roundings * unit * size,
                "{}, {form}: {what} is {found}, expected {expected}; off by {:.1} roundings of {size}",
                self.name,
                off / size / unit
            );
            if off > 0.0 {
                worst = worst.max(off / size / unit);
            }
        };
        check("the loss", value, self.value);
        assert_eq!(gradient.len(), self.gradient.len());
        for (place, (found, expected)) in gradient.into_iter().zip(&self.gradient).enumerate() {
            check(&format!("gradient {place}"), found, *expected);
        }
        worst
    }

    fn run<O: Kind, T: Kind, L: Loss<O, T>>(&self, loss: &L) {
        let divisor = |weight: f64| match Loss::reduction(loss) {
            Reduction::Mean => weight,
            Reduction::Sum => 1.0,
        };
        // The kernel.
        let prediction: Vec<f32> = self.prediction.iter().map(|&y| y as f32).collect();
        let kernel: Box<dyn LossKernel> = Loss::kernel(loss, Shape::of(&self.shape[1..])).unwrap();
        let mut gradient = vec![f32::NAN; prediction.len()];
        let (sum, weight) = kernel.sum(&prediction, &self.target, Some(&mut gradient)).unwrap();
        let alone = kernel.sum(&prediction, &self.target, None).unwrap();
        assert_eq!(
            (sum.to_bits(), weight.to_bits()),
            (alone.0.to_bits(), alone.1.to_bits()),
            "{}",
            self.name
        );
        let by = divisor(weight);
        let gradient = gradient.into_iter().map(|d| f64::from(d) / by).collect();
        let of_kernel = self.compare("kernel", (sum / by, gradient), KERNEL);
        // The reference implementation.
        let mut of_reference = [0.0; 2];
        for (worst, (dtype, roundings)) in
            of_reference.iter_mut().zip([(DType::F32, REFERENCE), (DType::F64, EXACT)])
        {
            let taped = self.taped(loss, dtype).unwrap();
            assert_eq!(taped.1.to_bits(), weight.to_bits(), "{}", self.name);
            let gradient = taped.2.into_iter().map(|d| d / by).collect();
            *worst = self.compare(&format!("{dtype:?}"), (taped.0 / by, gradient), roundings);
        }
        println!("{:6.2} {:6.2} {:9.1e} {}", of_kernel, of_reference[0], of_reference[1], self.name);
    }

    /// Sum, weight and gradient of the reference implementation.
    fn taped<O: Kind, T: Kind>(&self, loss: &impl Loss<O, T>, dtype: DType) -> Result<(f64, f64, Vec<f64>)> {
        let tensor = Tensor::from_slice(&self.prediction, self.shape.as_slice(), &Device::Cpu)?;
        let variable = Var::from_tensor(&tensor.to_dtype(dtype)?)?;
        let target = match &self.target {
            Elements::Float(reals) => {
                Tensor::from_slice(reals, self.shape.as_slice(), &Device::Cpu)?.to_dtype(dtype)?
            }
            Elements::Int(wholes) => Tensor::from_slice(wholes, wholes.len(), &Device::Cpu)?,
        };
        let LossSum { sum, weight } = Loss::sum(loss, variable.as_tensor(), &target)?;
        let gradients = sum.backward()?;
        let gradient = match gradients.get(variable.as_tensor()) {
            Some(gradient) => gradient.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?,
            None => vec![0.0; self.prediction.len()],
        };
        Ok((sum.to_dtype(DType::F64)?.to_scalar()?, weight, gradient))
    }
}

/// The number of classes in the types does not matter to the formulas: they follow the shapes.
#[test]
fn losses_match_pytorch() {
    let file = parse(include_str!("losses.json"));
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), CASES);
    for json in cases {
        let (case, keys) = (Case::of(json), &json["keys"]);
        match json["loss"].as_str().unwrap() {
            "CrossEntropy" => case.run::<Logits<5>, Class<5>, _>(&with::<CrossEntropy>(keys)),
            "NegativeLogLikelihood" => {
                case.run::<LogProbabilities<5>, Class<5>, _>(&with::<NegativeLogLikelihood>(keys));
            }
            "MeanSquaredError" => case.run::<Values<4>, Values<4>, _>(&with::<MeanSquaredError>(keys)),
            "MeanAbsoluteError" => case.run::<Values<4>, Values<4>, _>(&with::<MeanAbsoluteError>(keys)),
            "Huber" => case.run::<Values<4>, Values<4>, _>(&with::<Huber>(keys)),
            "SmoothL1" => case.run::<Values<4>, Values<4>, _>(&with::<SmoothL1>(keys)),
            "BinaryCrossEntropy" => case.run::<Logits<4>, Labels<4>, _>(&with::<BinaryCrossEntropy>(keys)),
            "KlDivergence" => {
                case.run::<LogProbabilities<5>, Probabilities<5>, _>(&with::<KlDivergence>(keys));
            }
            "Hinge" => case.run::<Logits<5>, Class<5>, _>(&with::<Hinge>(keys)),
            other => panic!("{other} is not a loss"),
        }
    }
}

/// Where PyTorch divides 0 by 0, loss, weight and gradient are 0.
#[test]
fn batch_with_all_labels_ignored_has_zero_loss() {
    let targets = Elements::Int(vec![7, 7]);
    let case = Case {
        name: "all ignored".to_owned(),
        shape: vec![2, 3],
        prediction: vec![1.0, 2.0, 3.0, 1e4, -1e4, 0.0],
        target: targets,
        value: (0.0, 0.0),
        gradient: vec![(0.0, 0.0); 6],
    };
    let keys = serde_json::json!({ "ignore_index": 7, "weights": [1.0, 2.0, 3.0], "label_smoothing": 0.1 });
    let cross_entropy: CrossEntropy = with(&keys);
    let prediction: Vec<f32> = case.prediction.iter().map(|&y| y as f32).collect();
    let kernel = Loss::<Logits<3>, Class<3>>::kernel(&cross_entropy, Shape::of(&[3])).unwrap();
    let mut gradient = vec![f32::NAN; 6];
    assert_eq!(kernel.sum(&prediction, &case.target, Some(&mut gradient)).unwrap(), (0.0, 0.0));
    assert_eq!(gradient, [0.0; 6]);
    for dtype in [DType::F32, DType::F64] {
        let taped = case.taped::<Logits<3>, Class<3>>(&cross_entropy, dtype).unwrap();
        assert_eq!(taped, (0.0, 0.0, vec![0.0; 6]));
        let likelihood = NegativeLogLikelihood { ignore_index: Some(7), ..NegativeLogLikelihood };
        let taped = case.taped::<LogProbabilities<3>, Class<3>>(&likelihood, dtype).unwrap();
        assert_eq!(taped, (0.0, 0.0, vec![0.0; 6]));
    }
}

/// One logit for two classes equals one label; PyTorch has no such hinge loss, so it is calculated by hand.
#[test]
fn single_logit_equals_two_classes() {
    let prediction = [0.5_f32, -2.0, 1.0, 3.0, -1.0];
    let classes = Elements::Int(vec![1, 1, 1, 0, 0]);
    let labels = Elements::Float(vec![1.0, 1.0, 1.0, 0.0, 0.0]);
    let shape = Shape::of(&[1]);
    let loss = BinaryCrossEntropy { pos_weight: &[3.0], ..BinaryCrossEntropy };
    let run = |kernel: Option<Box<dyn LossKernel>>, target: &Elements| {
        let mut gradient = vec![f32::NAN; 5];
        let sum = kernel.unwrap().sum(&prediction, target, Some(&mut gradient)).unwrap();
        (sum, gradient)
    };
    let of_classes = run(Loss::<Logits<1>, Class<2>>::kernel(&loss, shape), &classes);
    assert_eq!(of_classes, run(Loss::<Logits<1>, Labels<1>>::kernel(&loss, shape), &labels));

    for (power, value, gradient) in [
        (1, 0.5 + 3.0 + 0.0 + 4.0 + 0.0, [-1.0, -1.0, 0.0, 1.0, 0.0]),
        (2, 0.25 + 9.0 + 0.0 + 16.0 + 0.0, [-1.0, -6.0, 0.0, 8.0, 0.0]),
    ] {
        let hinge = Hinge { power, ..Hinge };
        let ((sum, weight), found) = run(Loss::<Logits<1>, Class<2>>::kernel(&hinge, shape), &classes);
        assert_eq!((sum.to_bits(), weight.to_bits()), (f64::to_bits(value), 5.0_f64.to_bits()));
        assert_eq!(found, gradient);
        let case = Case {
            name: "hinge".to_owned(),
            shape: vec![5, 1],
            prediction: prediction.iter().map(|&y| f64::from(y)).collect(),
            target: classes.clone(),
            value: (0.0, 0.0),
            gradient: Vec::new(),
        };
        let taped = case.taped::<Logits<1>, Class<2>>(&hinge, DType::F64).unwrap();
        assert_eq!(taped, (value, 5.0, gradient.map(f64::from).to_vec()));
    }
}
