//! Metrics of whole runs: rejected metrics, their outputs, and the number of passes over the samples.

#![allow(missing_docs, clippy::unwrap_used, clippy::float_cmp)]

use std::cell::Cell;

use trainspec::engine::{self, Engine};
use trainspec::prelude::*;
use trainspec::rng::StepIndex;
use trainspec::trainer::{Totals, TrainStep};
use trainspec::{Experiment, Result};

thread_local! {
    /// The number of reads of test samples by this test.
    static TEST_READS: Cell<usize> = const { Cell::new(0) };
}

/// Points on a line whose class depends on their position; the test samples are all of class 0.
struct Points;

impl Dataset for Points {
    type Input = Features<2>;
    type Target = Class<3>;

    fn len(&self) -> usize {
        50
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [u32]) -> Result<()> {
        if index >= 40 {
            TEST_READS.set(TEST_READS.get() + 1);
        }
        let class = if index >= 40 { 0 } else { index % 3 };
        input.copy_from_slice(&[class as f32 - 1.0, (index as f32 * 0.37).sin()]);
        target.fill(class as u32);
        Ok(())
    }

    fn split(&self) -> Split {
        Split::Fixed { train: 0..29, validation: 29..40, test: 40..50 }
    }
}

#[model]
fn Net(x: Features<2>) -> Logits<3> {
    x.linear(out = 8).tanh().linear(out = 3)
}

train! {
    Sorted {
        model: Net,
        data: Points,
        metrics: [Accuracy, TopK { k: 2 }, F1, F1 { average: Average::Micro }, Auroc, ConfusionMatrix],
        batch: 4,
        accumulate: 2,
        epochs: 3,
        early_stop: EarlyStop { monitor: ValMetric("top_2_accuracy"), patience: 9 },
    }
}

fn refusal<M: Model>(training: Experiment<M>) -> String {
    training.without_folder().run().expect_err("the run is refused").to_string()
}

/// With a second pass for the confusion matrix it was 30.
#[test]
fn test_split_is_evaluated_once() {
    let out = tempfile::tempdir().unwrap();
    let run = Sorted::experiment().out(out.path()).run().unwrap();
    // Once when the data are checked, once with the final weights.
    assert_eq!(TEST_READS.get(), 20);
    let test = run.outcome.test.unwrap();
    let counts = run.outcome.confusion.unwrap().counts;
    assert_eq!(counts.iter().flatten().sum::<u64>(), 10);
    assert_eq!(test.metrics["accuracy"], counts[0][0] as f64 / 10.0);
    assert_eq!(test.metrics["accuracy"], test.metrics["f1_micro"]);
    // A single class has no pairs.
    assert!(test.metrics["auroc"].is_nan());
    let folder = run.folder.unwrap();
    let lines = std::fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let epoch: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(epoch["validation"]["confusion_matrix"].as_array().unwrap().len(), 3);
    assert!(
        epoch["training"]["auroc"].is_f64() && epoch["validation"]["top_2_accuracy"].is_number(),
        "{epoch}"
    );
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    assert!(manifest.to_string().contains("\"auroc\":null"), "{manifest}");
}

/// Fifty points of two classes, or with two labels each.
fn two_sided<T: trainspec::TargetKind>(
    targets: Vec<T::Element>,
) -> Result<impl Dataset<Input = Features<2>, Target = T>> {
    let inputs = (0..100).map(|i| (i as f32 * 0.37).sin()).collect();
    let split = Split::Fixed { train: 0..30, validation: 30..40, test: 40..50 };
    Ok(InMemory::<Features<2>, T>::new(inputs, targets)?.with_split(split))
}

#[model]
fn OneLogit(x: Features<2>) -> Logits<1> {
    x.linear(out = 1)
}

#[model]
fn TwoLogits(x: Features<2>) -> Logits<2> {
    x.linear(out = 2)
}

train! {
    Binary {
        model: OneLogit,
        data: two_sided::<Class<2>>((0..50).map(|i| i % 2).collect()),
        loss: BinaryCrossEntropy,
        metrics: [Accuracy, Auroc, Precision, Recall, F1 { average: Average::Binary }, ConfusionMatrix],
        epochs: 1,
        early_stop: EarlyStop { monitor: ValMetric("f1"), patience: 9 },
    }
}

train! {
    Margin {
        model: OneLogit,
        data: two_sided::<Class<2>>((0..50).map(|i| i % 2).collect()),
        loss: Hinge,
        metrics: [Accuracy, Auroc],
        epochs: 1,
    }
}

train! {
    Several {
        model: TwoLogits,
        data: two_sided::<Labels<2>>((0..100).map(|i| (i % 3 % 2) as f32).collect()),
        metrics: [Accuracy, Auroc, Precision, Recall { average: Average::Micro }, F1 { average: Average::Weighted }],
        epochs: 1,
        early_stop: EarlyStop { monitor: ValMetric("auroc"), patience: 9 },
    }
}

train! {
    OneLabel {
        model: OneLogit,
        data: two_sided::<Labels<1>>((0..50).map(|i| (i % 2) as f32).collect()),
        metrics: [Accuracy, Auroc, F1 { average: Average::Binary }],
        epochs: 1,
    }
}

/// With one logit, and for each label; the counts of the confusion matrix match the accuracy.
#[test]
fn binary_metrics_are_measured() {
    let values = |metrics: &std::collections::BTreeMap<&'static str, f64>| {
        metrics.iter().map(|(name, value)| (*name, (0.0..=1.0).contains(value))).collect::<Vec<_>>()
    };
    let test = Binary::experiment().without_folder().run().unwrap().outcome.test.unwrap();
    let counts = test.confusion.unwrap().counts;
    assert_eq!((counts[0][0] + counts[1][1]) as f64 / 10.0, test.metrics["accuracy"]);
    assert_eq!(counts.iter().flatten().sum::<u64>(), 10);
    let names = ["accuracy", "auroc", "f1", "precision_macro", "recall_macro"];
    assert_eq!(values(&test.metrics), names.map(|name| (name, true)));
    let test = Margin::experiment().without_folder().run().unwrap().outcome.test.unwrap();
    assert_eq!(values(&test.metrics), [("accuracy", true), ("auroc", true)]);
    let test = Several::experiment().without_folder().run().unwrap().outcome.test.unwrap();
    let names = ["accuracy", "auroc", "f1_weighted", "precision_macro", "recall_micro"];
    assert_eq!(values(&test.metrics), names.map(|name| (name, true)));
    let test = OneLabel::experiment().without_folder().run().unwrap().outcome.test.unwrap();
    assert_eq!(values(&test.metrics), ["accuracy", "auroc", "f1"].map(|name| (name, true)));
    let refused = Several::experiment()
        .set("metrics.4.average", "Binary")
        .map(|mut training| training.settings().map(|_| ()).unwrap_err().to_string());
    let refused = refused.unwrap_or_else(|error| error.to_string());
    assert!(refused.contains("average is Binary, but there are 2 labels"), "{refused}");
}

#[test]
fn undefined_metric_is_rejected_before_first_step() {
    let with = |key: &str, value: &str| {
        Sorted::experiment().set(key, value).map_or_else(|error| error.to_string(), refusal)
    };
    assert!(with("metrics.1.k", "3").contains("TopK: k is 3; expected less than the 3 classes"));
    assert!(with("metrics.1.k", "0").contains("k is 0; expected at least 1"));
    // A label follows its keys: the run no longer has `top_2_accuracy`, or has two metrics of one name.
    assert!(with("metrics.1.k", "1").contains("`top_2_accuracy` is not a metric of the run"));
    assert!(with("metrics.3.average", "Macro").contains("would be named `f1_macro`"));
    assert!(with("metrics.2.average", "Binary").contains("average is Binary, but there are 3 classes"));
    assert!(
        with("early_stop.monitor", "val_confusion_matrix")
            .contains("`confusion_matrix` is a table, not a single value")
    );
}

/// The state of half an epoch round-trips through the JSON of a checkpoint.
#[test]
fn metric_state_survives_checkpoint_bit_for_bit() {
    let mut training = Sorted::experiment();
    let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
    let settings = training.settings().unwrap();
    let mut engine = engine::open(&graph, settings).unwrap();
    let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
    let window: Vec<_> = data.train()[..7].chunks(4).map(|indices| data.batch(indices).unwrap()).collect();
    let totals = stepper.accumulate(&window).unwrap();
    let json = totals.to_json().unwrap();
    let text = serde_json::to_string(&json).unwrap();
    let restored = Totals::restored(settings, &serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(format!("{restored:?}"), format!("{totals:?}"));
    assert_eq!(restored.to_json().unwrap(), json);
    assert!(
        Totals::restored(settings, &serde_json::json!({ "loss": [0.0, 0.0], "samples": 0, "metrics": {} }))
            .is_err()
    );
}

/// Metrics read the values that candle receives.
#[test]
fn both_engines_expose_equal_predictions() {
    let mut training = Sorted::experiment();
    let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
    let settings = training.settings().unwrap();
    let objective = || Box::new(std::sync::Arc::clone(&settings.loss[0]));
    let batch = data.batch(&data.train()[..5]).unwrap();
    let planned = engine::Planned::new(graph.clone(), objective(), 0).unwrap();
    let tape = engine::Tape::new(graph.clone(), objective(), 0, candle_core::Device::Cpu).unwrap();
    for mut engine in [Box::new(planned) as Box<dyn Engine>, Box::new(tape)] {
        assert!(engine.predictions(0).is_err());
        engine.accumulate(&batch, StepIndex::default()).unwrap();
        let tensor = engine.prediction(0).unwrap();
        assert_eq!(tensor.dims(), [5, 3]);
        assert_eq!(engine.prediction_shape(0).axes(), [3]);
        assert_eq!(*engine.predictions(0).unwrap(), tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap());
    }
}
