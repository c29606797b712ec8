//! Models with several inputs and outputs: one loss, weight and list of metrics for each output.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use trainspec::data::{Batch, Dataset, InMemory, Normalization, PreparedDataset, Split};
use trainspec::engine::{self, Engine, Objective, Planned, Tape};
use trainspec::loss::BoundLoss;
use trainspec::prelude::*;
use trainspec::trainer::{Event, TrainStep};
use trainspec::{Experiment, Result, Run};

/// A photo and two facts; its class and its price.
#[model]
fn House(photo: Image<1, 4, 4>, facts: Features<2>) -> (Logits<3>, Values<1>) {
    let x = photo.conv2d(out = 4, kernel = 3, padding = 1).relu().flatten();
    let x = x.concat(facts).linear(out = 16).relu();
    let class = x.linear(out = 3);
    let price = x.linear(out = 1);
    (class, price)
}

type Photos = (Image<1, 4, 4>, Features<2>);

/// Photos and facts, classes and prices.
type Columns = ((Vec<f32>, Vec<f32>), (Vec<u32>, Vec<f32>));

const SAMPLES: usize = 90;

fn columns() -> Columns {
    let mut columns = Columns::default();
    let ((photos, facts), (classes, prices)) = &mut columns;
    for sample in 0..SAMPLES as u32 {
        let class = sample % 3;
        photos.extend((0..16).map(|pixel| if pixel % 3 == class { 1.0 } else { (sample % 7) as f32 * 0.05 }));
        let (rooms, size) = ((sample % 5) as f32, (sample % 11) as f32 * 10.0);
        facts.extend([rooms, size]);
        // Of some, the class is not known.
        classes.push(if sample % 8 == 7 { 9 } else { class });
        prices.push(0.3 * rooms + 0.02 * size + 0.5 * class as f32);
    }
    columns
}

fn houses() -> Result<impl Dataset<Input = Photos, Target = (Class<3>, Values<1>)>> {
    let (inputs, targets) = columns();
    let data = InMemory::<Photos, (Class<3>, Values<1>)>::new(inputs, targets)?;
    let split = Split::InOrder { validation: 0.2, test: 0.2 };
    Ok(data.with_normalization(Normalization::PerElement).with_split(split))
}

train! {
    Houses {
        model: House,
        data: houses(),
        loss: (CrossEntropy { ignore_index: Some(9), label_smoothing: 0.1 }, MeanSquaredError),
        loss_weights: [1.0, 0.5],
        metrics: ([Accuracy], [R2, MeanAbsoluteError]),
        batch: 16,
        epochs: 30,
        optimizer: AdamW { lr: 1e-2 },
        early_stop: EarlyStop { monitor: ValMetric("price_r2"), patience: 30 },
        seed: 3,
    }
}

#[test]
fn model_with_two_inputs_and_two_outputs_trains() {
    let run = Houses::experiment().without_folder().run().unwrap();
    let test = run.outcome.test.unwrap();
    let names: Vec<_> = test.metrics.keys().copied().collect();
    assert_eq!(
        names,
        ["class_accuracy", "class_loss", "price_loss", "price_mean_absolute_error", "price_r2"]
    );
    let loss = test.metrics["class_loss"] + 0.5 * test.metrics["price_loss"];
    assert_eq!(test.loss.to_bits(), loss.to_bits());
    assert!(test.metrics["class_accuracy"] > 0.9 && test.metrics["price_r2"] > 0.9, "{test:?}");
}

#[test]
fn predictions_of_two_outputs_have_the_bits_of_evaluations() {
    let run = Houses::experiment().set("epochs", "2").unwrap().without_folder().run().unwrap();
    let ((photos, facts), _) = columns();
    let (classes, prices) = run.model.predict((&photos, &facts)).unwrap();
    assert_eq!((classes.len(), prices.len()), (3 * SAMPLES, SAMPLES));
    let mut experiment = Houses::experiment();
    let (graph, data) = (experiment.graph().unwrap(), experiment.data().unwrap());
    let settings = experiment.settings().unwrap();
    let mut engine = engine::open(&graph, settings).unwrap();
    let tensors: Vec<_> = run.model.parameters().map(|(_, tensor)| tensor.clone()).collect();
    engine.set_parameters(&tensors).unwrap();
    engine.evaluate(&data.batch(&(0..SAMPLES).collect::<Vec<_>>()).unwrap()).unwrap();
    for (output, predicted) in [&classes, &prices].into_iter().enumerate() {
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&engine.predictions(output).unwrap()), bits(predicted));
    }
    let problem = run.model.predict((&photos[..16], &facts[..4])).unwrap_err().to_string();
    assert!(problem.contains("the first has 1, the second input 2"), "{problem}");
    let problem = run.model.predict((&photos[..16], &[1.0, f32::NAN])).unwrap_err().to_string();
    assert!(problem.contains("element 1 of the second input is NaN"), "{problem}");
}

/// The file has a normalization for each input, and the loaded model predicts the same bits.
#[test]
fn model_file_has_the_normalization_of_each_input() {
    let folder = tempfile::tempdir().unwrap();
    let run = Houses::experiment().set("epochs", "1").unwrap().without_folder().run().unwrap();
    let ((photos, facts), _) = columns();
    let expected = run.model.predict((&photos, &facts)).unwrap();
    let (file, exported) =
        (folder.path().join("model.safetensors"), folder.path().join("export.safetensors"));
    run.model.save(&file).unwrap();
    run.model.export(&exported).unwrap();
    for path in [&file, &exported] {
        let model = House::load(path).unwrap();
        assert_eq!(model.normalizers().iter().count(), 2);
        assert_eq!(model.predict((&photos, &facts)).unwrap(), expected);
    }
    let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
    assert!(text.contains("normalization.photo.mean") && text.contains("normalization.facts.deviation"));
}

/// A run in two processes, the second of which resumes the first, has the bits of one run.
#[test]
fn resumed_run_with_two_outputs_has_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = |epochs: &str| {
        let experiment = Houses::experiment().set("epochs", epochs).unwrap();
        experiment.set("checkpoint", r#"{"every":{"Epochs":1}}"#).unwrap()
    };
    let whole = experiment("4").out(folder.path().join("whole")).run().unwrap();
    let parts = folder.path().join("parts");
    experiment("2").out(&parts).run().unwrap();
    let resumed = experiment("4").allow_spec_change("epochs").out(&parts).resume_newest().run().unwrap();
    let bits = |run: &Run<House>| {
        let parameters = run.model.parameters();
        parameters
            .flat_map(|(_, tensor)| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap())
            .map(f32::to_bits)
            .collect::<Vec<_>>()
    };
    assert_eq!(bits(&whole), bits(&resumed));
}

/// The parameters after three steps of an engine, for windows of micro-batches of this size.
fn steps(experiment: fn() -> Experiment<House>, size: usize, is_planned: bool) -> Vec<f32> {
    let mut experiment = experiment().set("optimizer.lr", "0.001").unwrap();
    let (graph, data) = (experiment.graph().unwrap(), experiment.data().unwrap());
    let settings = experiment.settings().unwrap();
    let objectives = || -> Vec<Box<dyn Objective>> {
        let boxed = |loss: &Arc<dyn BoundLoss>| -> Box<dyn Objective> { Box::new(Arc::clone(loss)) };
        settings.loss.iter().map(boxed).collect()
    };
    let mut engine: Box<dyn Engine> = if is_planned {
        Box::new(Planned::new(graph.clone(), objectives(), 3).unwrap())
    } else {
        Box::new(Tape::new(graph.clone(), objectives(), 3, candle_core::Device::Cpu).unwrap())
    };
    let windows = windows(&data, size);
    let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
    for window in windows {
        stepper.step(&window).unwrap();
    }
    let parameters = engine.parameters().unwrap();
    parameters.iter().flat_map(|tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap()).collect()
}

/// Three windows of 16 samples.
fn windows(data: &PreparedDataset, size: usize) -> Vec<Vec<Batch>> {
    let window = |samples: &[usize]| samples.chunks(size).map(|part| data.batch(part).unwrap()).collect();
    data.train()[..48].chunks(16).map(window).collect()
}

/// Adam moves each of about 200 parameters by at most 0.001 in a step. Gradients that agree to 1e-5, as those of sums in
/// another order do, move one by the same to 1e-5 of that, except near 0, where the direction is that of the rounding error:
/// there the moves may differ altogether. No gradient is that small here.
#[test]
fn accumulated_gradients_of_two_outputs_do_not_depend_on_micro_batches() {
    let expected = steps(Houses::experiment, 16, false);
    for (size, is_planned) in [(16, true), (5, true), (5, false), (1, true)] {
        let found = steps(Houses::experiment, size, is_planned);
        let differs = expected.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(differs < 2e-6, "micro-batches of {size}, planned {is_planned}: {differs}");
    }
}

/// A custom loss whose weight is not the number of samples.
#[test]
fn weights_of_losses_are_checked() {
    let mut experiment = Houses::experiment();
    let (graph, data) = (experiment.graph().unwrap(), experiment.data().unwrap());
    let settings = experiment.settings().unwrap();
    let mut engine = engine::open(&graph, settings).unwrap();
    let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
    let totals = stepper.accumulate(&windows(&data, 16)[0]).unwrap();
    // Two of the first 16 samples have no class.
    let weights: Vec<_> = totals.losses.iter().map(|loss| loss.weight).collect();
    assert_eq!(weights, [14.0, 16.0]);
}

train! {
    /// Steps so small that the weights stay what they are.
    Augmented {
        model: House,
        data: houses(),
        loss: (CrossEntropy { ignore_index: Some(9) }, MeanSquaredError),
        batch: 16,
        epochs: 1,
        optimizer: Sgd { lr: 1e-30 },
        augment: ([FlipHorizontal, RandomCrop { padding: 1 }], [GaussianNoise { std: 0.5 }]),
    }
}

#[test]
fn augmentation_changes_training_samples_only() {
    let losses = |experiment: Experiment<House>| {
        let mut training = 0.0;
        let run = experiment.without_folder().run_with(&mut |event: &Event<'_>| {
            if let Event::Epoch(epoch) = event {
                training = epoch.training.loss;
            }
            Ok(())
        });
        let outcome = run.unwrap().outcome;
        (training, outcome.validation.unwrap().loss.to_bits(), outcome.test.unwrap().loss.to_bits())
    };
    let augmented = losses(Augmented::experiment());
    let plain = losses(Augmented::experiment().with_config(|settings| settings.augment.clear()));
    assert_eq!((augmented.1, augmented.2), (plain.1, plain.2));
    assert!((augmented.0 - plain.0).abs() > 1e-3, "{} and {}", augmented.0, plain.0);
}

#[test]
fn augmentations_of_each_input_are_serialized_and_set() {
    let spec = Augmented::experiment().spec().unwrap();
    assert_eq!(
        spec["augment"],
        serde_json::json!([
            { "type": "FlipHorizontal", "p": 0.5, "input": 0 },
            { "type": "RandomCrop", "padding": 1, "input": 0 },
            { "type": "GaussianNoise", "std": 0.5, "input": 1 },
        ])
    );
    assert!(spec.get("sampler").is_none(), "the default");
    let changed = Augmented::experiment().set("augment.2.std", "0.25").unwrap();
    assert_eq!(changed.overrides(), [("augment.2.std".to_owned(), "0.25".to_owned())]);
    let problem = |key: &str, value: &str| changed_by(key, value).err().unwrap().to_string();
    assert!(
        problem("augment.2.input", "0")
            .contains("the input of an augmentation is fixed at compile time; it is 1")
    );
    assert!(problem("augment.0.p", "2").contains("p is 2; expected 0 <= p <= 1"));
    assert!(problem("sampler", "ClassBalanced").contains("fixed at compile time"));
    // Whether it fits the input is known only with the data.
    let run = changed_by("augment.1.padding", "4").unwrap().without_folder().run();
    assert!(
        run.unwrap_err()
            .to_string()
            .contains("augment.1: RandomCrop: padding is 4, and the image is [1, 4, 4]")
    );
}

fn changed_by(key: &str, value: &str) -> Result<Experiment<House>> {
    Augmented::experiment().set(key, value)
}

#[test]
fn invalid_settings_of_outputs_are_rejected() {
    let problem = |key: &str, value: &str| Houses::experiment().set(key, value).err().unwrap().to_string();
    assert_eq!(
        problem("loss_weights", "[1.0]"),
        "loss_weights: expected a list of 2: its length is fixed at compile time"
    );
    assert!(problem("loss_weights", "[0, 0]").contains("loss_weights are all 0; expected one above 0"));
    assert!(problem("loss_weights", "[1, -1]").contains("has -1; expected a finite number, at least 0"));
    assert!(problem("loss.2.reduction", "Sum").contains("expected one of 0, 1"));
    let changed = Houses::experiment().set("loss.0.label_smoothing", "0.2").unwrap();
    assert!(changed.set("loss_weights", "[2, 0]").is_ok());
    assert!(problem("mix", r#"{"type":"Mixup"}"#).contains("fixed at compile time"));
}
