//! Normalized targets: the loss sees them, everything else is in the units of the data.
//!
//! Seen to fail: statistics of all samples instead of the training part, metrics of normalized values, predictions that are not converted
//! back, a deviation in place of the variance of a normal distribution.

#![allow(clippy::unwrap_used, reason = "a test stops where something fails")]

use trainspec::data::{Dataset, InMemory, Normalization, Normalizer, PreparedDataset, Split};
use trainspec::prelude::*;
use trainspec::{Experiment, Result, TrainedModel};

const SAMPLES: usize = 64;
const TRAINING: usize = 40;

/// Targets with a mean of 1,000 and a deviation of 8, exactly, over the training samples; then others.
fn values() -> (Vec<f32>, Vec<f32>) {
    let inputs =
        (0..SAMPLES).flat_map(|sample| [(sample % 5) as f32 * 0.3, (sample % 7) as f32 * 0.2]).collect();
    let target = |sample: usize| match sample {
        0..TRAINING => 1000.0 + if sample.is_multiple_of(2) { 8.0 } else { -8.0 },
        _ => 900.0 + 3.0 * sample as f32,
    };
    (inputs, (0..SAMPLES).map(target).collect())
}

fn of_data<D: Dataset>(data: D) -> impl Dataset<Input = D::Input, Target = D::Target> {
    data.with_split(Split::InOrder { validation: 0.1875, test: 0.1875 })
}

type Table = InMemory<Features<2>, Values<1>>;

fn raw() -> Result<impl Dataset<Input = Features<2>, Target = Values<1>>> {
    let (inputs, targets) = values();
    Ok(of_data(Table::new(inputs, targets)?).with_target_normalization(Normalization::PerElement))
}

/// Normalized by hand.
fn by_hand() -> Result<impl Dataset<Input = Features<2>, Target = Values<1>>> {
    let (inputs, targets) = values();
    Ok(of_data(Table::new(inputs, targets.iter().map(|target| (target - 1000.0) / 8.0).collect())?))
}

#[model]
fn Net(x: Features<2>) -> Values<1> {
    x.linear(out = 6).tanh().linear(out = 1)
}

macro_rules! experiment {
    ($name:ident, $data:expr) => {
        train! {
            $name {
                model: Net,
                data: $data,
                loss: Huber { delta: 0.7 },
                metrics: [MeanAbsoluteError, RootMeanSquaredError, R2],
                batch: 8,
                epochs: 6,
                seed: 5,
                optimizer: AdamW { lr: 2e-2 },
                checkpoint: Checkpoint { every: Epochs(2), keep: 2 },
            }
        }
    };
}

experiment!(Prices, raw());
experiment!(ByHand, by_hand());

#[test]
fn training_with_normalized_targets_has_the_bits_of_targets_normalized_by_hand() {
    let prices = Prices::experiment().set("checkpoint", "null").unwrap().without_folder().run().unwrap();
    let by_hand = ByHand::experiment().set("checkpoint", "null").unwrap().without_folder().run().unwrap();
    for ((path, a), (_, b)) in prices.model.parameters().zip(by_hand.model.parameters()) {
        let bits = |tensor: &candle_core::Tensor| -> Vec<u32> {
            let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            values.into_iter().map(f32::to_bits).collect()
        };
        assert_eq!(bits(a), bits(b), "{path}");
    }
    let [a, b] = [&prices, &by_hand].map(|run| run.outcome.test.clone().unwrap());
    assert_eq!(a.loss.to_bits(), b.loss.to_bits());
    // In the units of the data: 8 times as large, and the share of the variance is the same, up to rounding of values near 1,000.
    for name in ["mean_absolute_error", "root_mean_squared_error"] {
        let (a, b) = (a.metrics[name], b.metrics[name]);
        assert!((a - 8.0 * b).abs() < 1e-4, "{name}: {a} and {b}");
    }
    assert!((a.metrics["r2"] - b.metrics["r2"]).abs() < 1e-5);
    assert!(a.metrics["mean_absolute_error"] > 8.0);
}

#[test]
fn predictions_and_model_files_are_in_the_units_of_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let run = Prices::experiment().out(folder.path()).run().unwrap();
    let by_hand = ByHand::experiment().set("checkpoint", "null").unwrap().without_folder().run().unwrap();
    let (inputs, targets) = values();
    let predicted = run.model.predict(&inputs).unwrap();
    let normalized = by_hand.model.predict(&inputs).unwrap();
    for (predicted, normalized) in predicted.iter().zip(normalized) {
        assert_eq!(predicted.to_bits(), ((1000.0 + 8.0 * f64::from(normalized)) as f32).to_bits());
    }
    // The metric is that of the predictions.
    let errors = predicted.iter().zip(&targets).skip(TRAINING + 12);
    let mean = errors.map(|(p, t)| f64::from((p - t).abs())).sum::<f64>() / 12.0;
    let test = run.outcome.test.unwrap();
    assert!((mean - test.metrics["mean_absolute_error"]).abs() < 1e-4, "{mean} and {test:?}");
    let (saved, exported) = (run.folder.unwrap().join("model.safetensors"), folder.path().join("export"));
    run.model.export(&exported).unwrap();
    for path in [&saved, &exported] {
        let model = Net::load(path).unwrap();
        assert_eq!(model.predict(&inputs).unwrap(), predicted);
        let normalizer = model.target_normalizers().of(0).unwrap();
        assert_eq!((normalizer.mean(), normalizer.deviation()), ([1000.0].as_slice(), [8.0].as_slice()));
        let evaluated = Prices::experiment().evaluate(&model, PreparedDataset::test).unwrap();
        assert_eq!(evaluated, test);
    }
    let text = |path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    assert!(text(saved.clone()).contains("\"target_normalization.mean\""));
    assert!(text(exported).contains("target_normalization"));
    // The program without normalization evaluates the model as it was trained.
    experiment!(Plain, values().map_targets());
    let evaluated = Plain::experiment().evaluate(&Net::load(&saved).unwrap(), PreparedDataset::test).unwrap();
    assert_eq!(evaluated, test);
}

/// The targets without normalization.
trait MapTargets {
    fn map_targets(self) -> Result<Plain>;
}

type Plain = trainspec::data::WithOverrides<Table>;

impl MapTargets for (Vec<f32>, Vec<f32>) {
    fn map_targets(self) -> Result<Plain> {
        Ok(Table::new(self.0, self.1)?.with_split(Split::InOrder { validation: 0.1875, test: 0.1875 }))
    }
}

#[test]
fn resumed_run_with_normalized_targets_has_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let run = |epochs: &str, change: fn(Experiment<Net>) -> Experiment<Net>| {
        let experiment = Prices::experiment().out(folder.path()).set("epochs", epochs).unwrap();
        change(experiment).run().unwrap().folder.unwrap()
    };
    let whole = run("6", |experiment| experiment);
    let part = run("4", |experiment| experiment);
    assert_ne!(whole, part);
    let resumed = Prices::experiment().resume(&part).allow_spec_change("epochs").set("epochs", "6").unwrap();
    let resumed = resumed.run().unwrap().folder.unwrap();
    for file in ["model.safetensors", "metrics.jsonl"] {
        assert_eq!(
            std::fs::read(whole.join(file)).unwrap(),
            std::fs::read(resumed.join(file)).unwrap(),
            "{file}"
        );
    }
    let verified = Prices::experiment().verify(&whole, None).unwrap();
    assert!(verified.first.is_none(), "{verified:?}");
    let manifest = std::fs::read_to_string(whole.join("manifest.json")).unwrap();
    assert!(manifest.contains("\"normalizes_targets\": true"), "{manifest}");
}

#[model]
fn Distribution(x: Features<2>) -> Gaussians<1> {
    x.linear(out = 2).reshape(to = [2, 1])
}

train! {
    Uncertain { model: Distribution, data: raw(), loss: GaussianNegativeLogLikelihood, epochs: 1, seed: 1 }
}
train! {
    UncertainByHand { model: Distribution, data: by_hand(), loss: GaussianNegativeLogLikelihood, epochs: 1, seed: 1 }
}

#[test]
fn predicted_distributions_are_in_the_units_of_the_data() {
    let (inputs, _) = values();
    let predict = |model: TrainedModel<Distribution>| model.predict(&inputs).unwrap();
    let converted = predict(Uncertain::experiment().without_folder().run().unwrap().model);
    let normalized = predict(UncertainByHand::experiment().without_folder().run().unwrap().model);
    for (converted, normalized) in converted.chunks(2).zip(normalized.chunks(2)) {
        let mean = (1000.0 + 8.0 * f64::from(normalized[0])) as f32;
        let log_variance = (f64::from(normalized[1]) + 64.0_f64.ln()) as f32;
        assert_eq!(converted[0].to_bits(), mean.to_bits());
        assert!((converted[1] - log_variance).abs() <= f32::EPSILON * 8.0);
    }
}

#[model]
fn Two(x: Features<2>) -> (Logits<2>, Values<2>) {
    let class = x.linear(out = 2);
    let values = x.linear(out = 2);
    (class, values)
}

fn two() -> Result<impl Dataset<Input = Features<2>, Target = (Class<2>, Values<2>)>> {
    let (inputs, targets) = values();
    let classes = (0..SAMPLES as u32).map(|sample| sample % 2).collect();
    // The second value is constant over the training samples.
    let pair = |(sample, target): (usize, &f32)| [*target, if sample < TRAINING { 7.0 } else { 9.0 }];
    let targets = targets.iter().enumerate().flat_map(pair).collect();
    let data = InMemory::<Features<2>, (Class<2>, Values<2>)>::new(inputs, (classes, targets))?;
    Ok(of_data(data).with_target_normalization(Normalization::PerElement))
}

train! {
    TwoOutputs { model: Two, data: two(), metrics: ([Accuracy], [MeanAbsoluteError]), epochs: 2 }
}

#[test]
fn each_element_of_real_targets_has_its_own_statistics() {
    let run = TwoOutputs::experiment().without_folder().run().unwrap();
    assert!(run.model.target_normalizers().of(0).is_none());
    let normalizer = run.model.target_normalizers().of(1).unwrap();
    assert_eq!(*normalizer, Normalizer::new(vec![1000.0, 7.0], vec![8.0, 1.0]).unwrap());
    let (inputs, _) = values();
    let (_, predicted) = run.model.predict(&inputs).unwrap();
    assert!(
        predicted.chunks(2).all(|pair| (900.0..1100.0).contains(&pair[0]) && (0.0..14.0).contains(&pair[1]))
    );
}

#[test]
fn targets_that_cannot_be_normalized_are_rejected() {
    let problem =
        |data: Box<dyn trainspec::data::AnyDataset>| PreparedDataset::new(data, 1).err().unwrap().to_string();
    let classes = InMemory::<Features<1>, Class<2>>::new(vec![0.0; 4], vec![0, 1, 0, 1]).unwrap();
    assert_eq!(
        problem(Box::new(classes.with_target_normalization(Normalization::PerElement))),
        "data: the target is `Class`, and only `Values` can be normalized; remove \
         `.with_target_normalization(Normalization::PerElement)`"
    );
    let labels = InMemory::<Features<1>, Labels<2>>::new(vec![0.0; 4], vec![0.0; 8]).unwrap();
    assert!(
        problem(Box::new(labels.with_target_normalization(Normalization::Whole))).contains("is `Labels`")
    );
    let far = Table::new(vec![0.0; 8], vec![1.0, 1.0 + f32::EPSILON, 1.0, 1e38]).unwrap();
    let far = far.with_split(Split::InOrder { validation: 0.0, test: 0.25 });
    let problem = problem(Box::new(far.with_target_normalization(Normalization::PerElement)));
    assert!(problem.contains("element 0 of the target becomes infinite when normalized"), "{problem}");
}

train! {
    Counts { model: Net, data: raw(), loss: PoissonNegativeLogLikelihood, epochs: 1 }
}

#[test]
fn loss_that_does_not_accept_normalized_targets_is_rejected() {
    let problem = Counts::experiment().without_folder().run().unwrap_err().to_string();
    let expected = "sample 1 (from 0) of the training part: element 0 of the target is -1.0; `PoissonNegativeLogLikelihood` expects";
    assert!(problem.contains(expected), "{problem}");
    assert!(problem.ends_with(
        "but the targets are normalized; use another loss, or remove `.with_target_normalization(…)`"
    ));
}
