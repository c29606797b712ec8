//! The losses for rare classes, masks, distributions, embeddings and sequences, compared with PyTorch in f64: their reference
//! implementations in f64 and in f32, and their slopes with finite differences.

#![expect(clippy::unwrap_used, reason = "a test stops where something fails")]

use candle_core::{DType, Device, Tensor, Var};
use serde_json::Value;
use trainspec::data::Elements;
use trainspec::loss::{
    BinaryFocal, CosineEmbedding, CrossEntropy, Ctc, Dice, Focal, GaussianNegativeLogLikelihood, InfoNce,
    Loss, LossSum, PoissonNegativeLogLikelihood, Reduction, Triplet,
};
use trainspec::{
    Class, ClassMap, Config, Embeddings, Gaussians, Kind, Labels, LogitMap, Logits, Result, Shape,
    TokenLogits, Tokens, Values,
};

use super::file::{numbers, parse};

/// The number of cases of the script.
const CASES: usize = 81;

/// The losses that the planned engine also runs through candle.
const TAPED: [&str; 4] = ["Dice", "Triplet", "InfoNce", "Ctc"];

/// A loss with the keys of a case.
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
    target: Vec<f64>,
    target_shape: Vec<usize>,
    is_whole: bool,
    value: f64,
    gradient: Vec<f64>,
}

fn sizes(json: &Value) -> Vec<usize> {
    numbers(json).into_iter().map(|size| size as usize).collect()
}

impl Case {
    fn of(json: &Value) -> Self {
        Self {
            name: format!("{}, {}", json["loss"].as_str().unwrap(), json["name"].as_str().unwrap()),
            shape: sizes(&json["shape"]),
            prediction: numbers(&json["prediction"]),
            target: numbers(&json["target"]),
            target_shape: sizes(&json["target_shape"]),
            is_whole: json["is_whole"].as_bool().unwrap(),
            value: json["value"].as_f64().unwrap(),
            gradient: numbers(&json["gradient"]),
        }
    }

    /// Loss and gradient, divided as the reduction requires.
    fn run<O: Kind, T: Kind>(
        &self,
        loss: &impl Loss<O, T>,
        prediction: &[f64],
        dtype: DType,
    ) -> Result<(f64, Vec<f64>)> {
        let device = Device::Cpu;
        let tensor = Tensor::from_slice(prediction, self.shape.as_slice(), &device)?;
        let variable = Var::from_tensor(&tensor.to_dtype(dtype)?)?;
        let target = Tensor::from_slice(&self.target, self.target_shape.as_slice(), &device)?;
        let target = target.to_dtype(if self.is_whole { DType::U32 } else { dtype })?;
        let LossSum { sum, weight } = Loss::sum(loss, variable.as_tensor(), &target)?;
        let by = match Loss::reduction(loss) {
            Reduction::Mean => weight,
            Reduction::Sum => 1.0,
        };
        let gradients = sum.backward()?;
        let gradient = gradients.get(variable.as_tensor()).unwrap().to_dtype(DType::F64)?;
        let gradient = gradient.flatten_all()?.to_vec1::<f64>()?;
        let value = sum.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        Ok((value / by, gradient.into_iter().map(|slope| slope / by).collect()))
    }

    /// Loss and gradient of the kernel, divided as the reduction requires; `None` if the loss has none.
    fn run_kernel<O: Kind, T: Kind>(&self, loss: &impl Loss<O, T>) -> Option<(f64, Vec<f64>)> {
        let kernel = Loss::kernel(loss, Shape::of(&self.shape[1..]))?;
        let prediction: Vec<f32> = self.prediction.iter().map(|&y| y as f32).collect();
        let target = if self.is_whole {
            Elements::Int(self.target.iter().map(|&class| class as u32).collect())
        } else {
            Elements::Float(self.target.iter().map(|&value| value as f32).collect())
        };
        let mut gradient = vec![f32::NAN; prediction.len()];
        let (sum, weight) = kernel.sum(&prediction, &target, Some(&mut gradient)).unwrap();
        let alone = kernel.sum(&prediction, &target, None).unwrap();
        assert_eq!(
            (sum.to_bits(), weight.to_bits()),
            (alone.0.to_bits(), alone.1.to_bits()),
            "{}",
            self.name
        );
        let by = match Loss::reduction(loss) {
            Reduction::Mean => weight,
            Reduction::Sum => 1.0,
        };
        Some((sum / by, gradient.into_iter().map(|slope| f64::from(slope) / by).collect()))
    }

    fn check<O: Kind, T: Kind>(&self, loss: &impl Loss<O, T>) {
        let largest = |values: &[f64]| values.iter().fold(1.0_f64, |largest, value| largest.max(value.abs()));
        let slopes = largest(&self.gradient);
        // A sequence of 8 steps has about 100 operations. An exponential turns an absolute error of a prediction into a relative one.
        let single = f64::from(f32::EPSILON);
        let of_dtype = |dtype| self.run(loss, &self.prediction, dtype).unwrap();
        let mut results =
            vec![("f64", f64::EPSILON, of_dtype(DType::F64)), ("f32", single, of_dtype(DType::F32))];
        let is_taped = TAPED.iter().any(|name| self.name.starts_with(name));
        let of_kernel = self.run_kernel(loss);
        assert_eq!(of_kernel.is_none(), is_taped, "{}", self.name);
        results.extend(of_kernel.map(|result| ("kernel", single, result)));
        for (form, unit, (value, gradient)) in results {
            let bound = 100.0 * unit * largest(&self.prediction).min(100.0);
            let name = format!("{}, {form}", self.name);
            assert!(
                (value - self.value).abs() <= bound * (1.0 + self.value.abs()),
                "{name}: {value}, {}",
                self.value
            );
            assert_eq!(gradient.len(), self.gradient.len());
            for (found, expected) in gradient.iter().zip(&self.gradient) {
                assert!((found - expected).abs() <= bound * slopes, "{name}: {found}, expected {expected}");
            }
        }
        self.differences(loss);
        self.samples(loss);
    }

    /// The sum and the weight are those of the samples one by one, so that any division into micro-batches gives the same step.
    fn samples<O: Kind, T: Kind>(&self, loss: &impl Loss<O, T>) {
        let count = self.shape[0];
        let run = |range: std::ops::Range<usize>| -> Result<(f64, f64)> {
            let part = |values: &[f64], shape: &[usize]| {
                let (size, mut shape) = (values.len() / count, shape.to_vec());
                shape[0] = range.len();
                Tensor::from_slice(&values[range.start * size..range.end * size], shape, &Device::Cpu)
            };
            let target = part(&self.target, &self.target_shape)?;
            let target = if self.is_whole { target.to_dtype(DType::U32)? } else { target };
            let LossSum { sum, weight } = Loss::sum(loss, &part(&self.prediction, &self.shape)?, &target)?;
            Ok((sum.to_scalar::<f64>()?, weight))
        };
        let whole = run(0..count).unwrap();
        let mut total = (0.0, 0.0);
        for sample in 0..count {
            let (sum, weight) = run(sample..sample + 1).unwrap();
            total = (total.0 + sum, total.1 + weight);
        }
        assert_eq!(total.1.to_bits(), whole.1.to_bits(), "{}", self.name);
        assert!(
            (total.0 - whole.0).abs() <= 1e-13 * (1.0 + whole.0.abs()),
            "{}: {total:?} {whole:?}",
            self.name
        );
    }

    /// The difference over a small step, except where a step crosses an edge: there the slope is between the two.
    fn differences<O: Kind, T: Kind>(&self, loss: &impl Loss<O, T>) {
        let (_, gradient) = self.run(loss, &self.prediction, DType::F64).unwrap();
        for (place, slope) in gradient.iter().enumerate() {
            let step = 1e-6 * (1.0 + self.prediction[place].abs());
            let at = |by: f64| {
                let mut moved = self.prediction.clone();
                moved[place] += by;
                self.run(loss, &moved, DType::F64).unwrap().0
            };
            let (above, here, below) = (at(step), at(0.0), at(-step));
            let (right, left) = ((above - here) / step, (here - below) / step);
            // The second derivative times the step, and the rounding of a loss over the step.
            let slack = 1e-6 * (1.0 + here.abs()) + (right - left).abs();
            assert!(
                (slope - 0.5 * (right + left)).abs() <= slack,
                "{}: slope {place} is {slope}, by differences {left} and {right}",
                self.name
            );
        }
    }
}

#[test]
fn task_losses_match_pytorch() {
    let file = parse(include_str!("task_losses.json"));
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), CASES);
    for json in cases {
        let (case, keys) = (Case::of(json), &json["keys"]);
        let is_map = case.shape.len() == 4;
        match json["loss"].as_str().unwrap() {
            "CrossEntropy" => {
                case.check::<LogitMap<3, 2, 4>, ClassMap<3, 2, 4>>(&with::<CrossEntropy>(keys));
            }
            "Focal" if is_map => case.check::<LogitMap<3, 2, 4>, ClassMap<3, 2, 4>>(&with::<Focal>(keys)),
            "Dice" if is_map => case.check::<LogitMap<3, 2, 4>, ClassMap<3, 2, 4>>(&with::<Dice>(keys)),
            "Focal" => case.check::<Logits<5>, Class<5>>(&with::<Focal>(keys)),
            "BinaryFocal" => case.check::<Logits<4>, Labels<4>>(&with::<BinaryFocal>(keys)),
            "Dice" => case.check::<Logits<6>, Labels<6>>(&with::<Dice>(keys)),
            "GaussianNegativeLogLikelihood" => {
                case.check::<Gaussians<3>, Values<3>>(&with::<GaussianNegativeLogLikelihood>(keys));
            }
            "PoissonNegativeLogLikelihood" => {
                case.check::<Values<3>, Values<3>>(&with::<PoissonNegativeLogLikelihood>(keys));
            }
            "CosineEmbedding" => case.check::<Embeddings<2, 3>, Class<2>>(&with::<CosineEmbedding>(keys)),
            "Triplet" => case.check::<Embeddings<3, 4>, Class<2>>(&with::<Triplet>(keys)),
            "InfoNce" => case.check::<Embeddings<4, 3>, Class<3>>(&with::<InfoNce>(keys)),
            "Ctc" => case.check::<TokenLogits<5>, Tokens<5, 3>>(&with::<Ctc>(keys)),
            other => panic!("{other} is not a loss"),
        }
    }
}

/// PyTorch's clamp changes the variance, but not its slope by the log-variance; here the slope is that at the smallest variance.
#[test]
fn small_variance_counts_as_smallest() {
    let case = Case {
        name: "clamped".to_owned(),
        shape: vec![1, 2, 1],
        prediction: vec![1.0, -30.0],
        target: vec![3.0],
        target_shape: vec![1, 1],
        is_whole: false,
        value: 0.0,
        gradient: Vec::new(),
    };
    let loss = GaussianNegativeLogLikelihood { min_variance: 0.5, ..GaussianNegativeLogLikelihood };
    let (value, gradient) = case.run::<Gaussians<1>, Values<1>>(&loss, &case.prediction, DType::F64).unwrap();
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-13, "{found}, {expected}");
    close(value, 0.5 * (0.5_f64.ln() + 4.0 / 0.5));
    close(gradient[0], -2.0 / 0.5);
    close(gradient[1], 0.5 * (1.0 - 4.0 / 0.5));
}

/// A prediction that is certain and right has no loss and no slope; one that is certain and wrong has an infinite loss, not NaN.
#[test]
fn certain_predictions_have_no_nan() {
    let case = Case {
        name: "certain".to_owned(),
        shape: vec![2, 2],
        prediction: vec![200.0, -200.0, -200.0, 200.0],
        target: vec![0.0, 0.0],
        target_shape: vec![2],
        is_whole: true,
        value: 0.0,
        gradient: Vec::new(),
    };
    for gamma in [0.0, 0.5, 1.0, 2.0] {
        let loss = Focal { gamma, reduction: Reduction::Sum, ..Focal };
        for dtype in [DType::F32, DType::F64] {
            let (value, gradient) = case.run::<Logits<2>, Class<2>>(&loss, &case.prediction, dtype).unwrap();
            let of_kernel = case.run_kernel::<Logits<2>, Class<2>>(&loss).unwrap();
            assert!((of_kernel.0 - value).abs() < 1e-4, "{gamma}: {of_kernel:?}");
            assert!((value - 400.0).abs() < 1e-4, "{gamma}: {value}");
            for (found, expected) in gradient.iter().zip([0.0, 0.0, -1.0, 1.0]) {
                assert!((found - expected).abs() < 1e-6, "{gamma}: {gradient:?}");
            }
        }
    }
}

#[test]
fn targets_without_loss_are_rejected() {
    let logits = Tensor::zeros((2, 3, 4), DType::F32, &Device::Cpu).unwrap();
    let said = |targets: &[[u32; 3]; 2]| {
        let targets = Tensor::new(targets, &Device::Cpu).unwrap();
        Loss::<TokenLogits<4>, Tokens<4, 3>>::sum(&Ctc, &logits, &targets).map_err(|error| error.to_string())
    };
    assert!(said(&[[1, 2, 3], [2, 2, 0]]).is_ok());
    assert_eq!(
        said(&[[1, 2, 3], [2, 2, 1]]).unwrap_err(),
        "Ctc: the target of sample 1 (from 0) of the batch needs 4 steps for its 3 tokens, with a blank between equal tokens; the \
         model returns 3"
    );
    let accepts = |target: &[u32]| Loss::<TokenLogits<4>, Tokens<4, 3>>::accepts(&Ctc, target).is_ok();
    assert!(accepts(&[1, 0, 0]) && accepts(&[0, 0, 0]) && accepts(&[1, 2, 3]) && !accepts(&[1, 0, 2]));
    assert!(Loss::<TokenLogits<4>, Tokens<4, 3>>::fits(&Ctc { blank: 4, ..Ctc }).is_err());
    assert!(Loss::<Embeddings<4, 2>, Class<2>>::fits(&InfoNce).is_err());
    let ignoring = Dice { ignore_index: Some(255), ..Dice };
    assert_eq!(
        Loss::<Logits<4>, Labels<4>>::fits(&ignoring).unwrap_err().as_str(),
        "ignore_index is 255, but the targets are labels, which have no class to ignore; expected `None`, or targets of the kind \
         `ClassMap`"
    );
    assert!(Loss::<LogitMap<2, 2, 2>, ClassMap<2, 2, 2>>::fits(&ignoring).is_ok());
    assert!(Loss::<Embeddings<3, 2>, Class<2>>::fits(&InfoNce).is_ok());
}
