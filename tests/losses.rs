//! Losses in whole runs: the effect of their keys on a step, and rejected data and keys.

#![allow(missing_docs, clippy::unwrap_used)]

use trainspec::data::InMemory;
use trainspec::prelude::*;
use trainspec::trainer::{StepReport, TrainStep};
use trainspec::{Experiment, engine};

#[model]
fn Three(x: Features<2>) -> Logits<3> {
    x.linear(out = 4).tanh().linear(out = 3)
}

/// 32 samples; the label of every fourth is unknown, and written as 255.
fn partly_labelled() -> trainspec::Result<InMemory<Features<2>, Class<3>>> {
    let label = |i: u32| if i % 4 == 3 { 255 } else { i % 3 };
    InMemory::new(inputs(), (0..32).map(label).collect())
}

fn inputs() -> Vec<f32> {
    (0..64).map(|i| (i as f32 * 0.37).sin()).collect()
}

fn labelled() -> trainspec::Result<InMemory<Features<2>, Class<3>>> {
    InMemory::new(inputs(), (0..32).map(|i| i % 3).collect())
}

train! {
    Ignoring { model: Three, data: partly_labelled(), batch: 8, steps: 3, loss: CrossEntropy { ignore_index: Some(255) } }
}

train! {
    Measured {
        model: Three,
        data: partly_labelled(),
        metrics: [Accuracy, F1 { average: Average::Micro }, Auroc],
        batch: 8,
        steps: 3,
        loss: CrossEntropy { ignore_index: Some(255) },
    }
}

train! {
    Refusing { model: Three, data: partly_labelled(), batch: 8, steps: 3 }
}

/// The compiler does not check the keys of a constant.
const TWO: CrossEntropy = CrossEntropy { weights: &[1.0, 2.0], ..CrossEntropy };

train! {
    TooFewWeights { model: Three, data: labelled(), steps: 3, loss: TWO }
}

train! {
    Mean { model: Three, data: labelled(), batch: 8, accumulate: 2, steps: 3, optimizer: Sgd { lr: 0.5 } }
}

train! {
    Sum {
        model: Three,
        data: labelled(),
        batch: 8,
        accumulate: 2,
        steps: 3,
        optimizer: Sgd { lr: 0.03125 },
        loss: CrossEntropy { reduction: Reduction::Sum },
    }
}

#[test]
fn data_with_ignored_label_is_accepted_and_other_labels_rejected() {
    assert!(Ignoring::experiment().without_folder().run().is_ok());
    let said = Refusing::experiment().without_folder().run().unwrap_err().to_string();
    assert!(said.contains("the target is 255; expected a whole number from 0 to 2"), "{said}");
    let said = Ignoring::experiment().set("loss.ignore_index", "254").unwrap().without_folder().run();
    assert!(said.unwrap_err().to_string().contains("the target is 255"));
}

/// The folder of the files of the next runs.
static FOLDER: std::sync::LazyLock<tempfile::TempDir> =
    std::sync::LazyLock::new(|| tempfile::tempdir().unwrap());

/// The same samples in a table, from line 1 on.
fn table() -> trainspec::Result<InMemory<Features<2>, Class<3>>> {
    let label = |i: usize| if i % 4 == 3 { 255 } else { i % 3 };
    let rows: Vec<_> =
        inputs().chunks(2).enumerate().map(|(i, x)| format!("{},{},{}\n", x[0], x[1], label(i))).collect();
    let path = FOLDER.path().join("partly.csv");
    std::fs::write(&path, rows.concat()).unwrap();
    Csv::open(path).read()
}

train! {
    FromTable { model: Three, data: table(), batch: 8, steps: 3, loss: CrossEntropy { ignore_index: Some(255) } }
}

/// 32 pictures of two pixels, and their labels.
fn pictures() -> trainspec::Result<Idx<Features<2>, Class<3>>> {
    let (x, y) = (FOLDER.path().join("pictures"), FOLDER.path().join("labels"));
    let pixels: Vec<u8> = (0..64).map(|i| i * 3).collect();
    let labels: Vec<u8> = (0..32).map(|i| if i % 4 == 3 { 255 } else { i % 3 }).collect();
    std::fs::write(&x, [[0, 0, 8, 2, 0, 0, 0, 32, 0, 0, 0, 2].as_slice(), &pixels].concat()).unwrap();
    std::fs::write(&y, [[0, 0, 8, 1, 0, 0, 0, 32].as_slice(), &labels].concat()).unwrap();
    Idx::read(x, y)
}

train! {
    FromPictures { model: Three, data: pictures(), batch: 8, steps: 3, loss: CrossEntropy { ignore_index: Some(255) } }
}

/// They were rejected when they were opened. An invalid label is reported with its file.
#[test]
fn file_with_ignored_label_is_accepted_and_other_labels_rejected() {
    assert!(FromTable::experiment().without_folder().run().is_ok());
    assert!(FromPictures::experiment().without_folder().run().is_ok());
    let said = FromTable::experiment().set("loss.ignore_index", "254").unwrap().without_folder().run();
    let said = said.unwrap_err().to_string();
    let place = said.split_once("partly.csv:4: sample 3 (from 0)").map(|(_, rest)| rest);
    assert!(
        place.is_some_and(|rest| rest.contains("the target is 255; expected a whole number from 0 to 2")),
        "{said}"
    );
    let said = FromPictures::experiment().set("loss.ignore_index", "254").unwrap().without_folder().run();
    let said = said.unwrap_err().to_string();
    assert!(said.contains("labels: label 3 (from 0): sample 3 (from 0)"), "{said}");
}

/// A missing label is not an error of the model. Seen to fail when metrics count ignored labels, which limits the accuracy
/// to 6/8 here.
#[test]
fn metrics_skip_ignored_labels() {
    let mut training = Measured::experiment();
    let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
    let settings = training.settings().unwrap();
    let mut engine = engine::open(&graph, settings).unwrap();
    let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
    let batch = data.batch(&(0..8).collect::<Vec<_>>()).unwrap();
    let report = stepper.step(std::slice::from_ref(&batch)).unwrap();
    let predictions = stepper.engine().predictions(0).unwrap();
    let trainspec::data::Elements::Int(targets) = &batch.targets[0].elements else { panic!("classes") };
    let labelled = targets.iter().zip(predictions.chunks(3)).filter(|(target, _)| **target != 255);
    let is_right =
        |(&target, logits): (&u32, &[f32])| logits.iter().all(|&logit| logit <= logits[target as usize]);
    let right: Vec<_> = labelled.map(is_right).collect();
    assert_eq!(right.len(), 6);
    let accuracy = right.iter().filter(|right| **right).count() as f64 / 6.0;
    assert!(accuracy > 0.0, "or the test shows nothing");
    for label in ["accuracy", "f1_micro"] {
        let found = report.metrics.iter().find(|(name, _)| *name == label).unwrap().1;
        assert_eq!(found.to_bits(), accuracy.to_bits(), "{label}: {found}, expected {accuracy}");
    }
    // A batch without labels has no values.
    let nothing = data.batch(&[3, 7, 11]).unwrap();
    let report = stepper.step(&[nothing]).unwrap();
    assert!(report.loss.is_nan(), "{}", report.loss);
    assert!(report.metrics.iter().all(|(_, value)| value.is_nan()), "{:?}", report.metrics);
}

#[test]
fn class_weight_count_is_checked() {
    let said = "CrossEntropy: weights has 2 values, but there are 3 classes; expected one for each";
    let found = TooFewWeights::experiment().without_folder().run().unwrap_err().to_string();
    assert!(found.contains(said), "{found}");
    // Keys that are set at start-up are checked alike.
    assert!(Mean::experiment().set("loss.weights", "[1, 2, 3]").is_ok());
    for (weights, said) in [
        ("[1, 2]", "expected one for each"),
        ("[0, 0, 0]", "weights has only zeros; expected at least one value above 0"),
        ("[1, -1, 1]", "weights has -1 as element 1 (from 0); expected finite values of 0 or more"),
    ] {
        let mut training = Mean::experiment();
        let found = match training.set("loss.weights", weights) {
            Ok(mut training) => training.settings().err().unwrap().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(said), "{found}");
        training = Mean::experiment();
        assert!(training.settings().is_ok());
    }
}

/// Returns the reports of a run's steps and the final parameters.
fn steps<M: Model>(mut training: Experiment<M>) -> (Vec<StepReport>, Vec<Vec<f32>>) {
    let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
    let settings = training.settings().unwrap();
    let mut engine = engine::open(&graph, settings).unwrap();
    let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
    let order = data.order(settings.seed, 1);
    let windows = order.chunks_exact(settings.batch * settings.accumulate).cycle();
    let reports = windows
        .take(3)
        .map(|window| {
            let batches: Vec<_> =
                window.chunks(settings.batch).map(|indices| data.batch(indices).unwrap()).collect();
            stepper.step(&batches).unwrap()
        })
        .collect();
    let parameters = engine.parameters().unwrap();
    (reports, parameters.iter().map(|p| p.flatten_all().unwrap().to_vec1().unwrap()).collect())
}

/// The gradient of a sum over 16 samples is 16 times that of the mean, however the window is divided, so a sixteenth of the
/// learning rate takes the same step, bit for bit, as all factors are powers of 2. Both log the loss per sample.
#[test]
fn sum_reduction_over_window_is_plain_sum() {
    let all =
        |training: Experiment<Three>| training.set("batch", "4").unwrap().set("accumulate", "4").unwrap();
    let (mean, at_mean) = steps(all(Mean::experiment()));
    let (sum, at_sum) = steps(all(Sum::experiment()));
    assert_eq!(at_mean, at_sum);
    for (mean, sum) in mean.iter().zip(&sum) {
        assert_eq!(mean.samples, 16);
        assert_eq!(mean.loss.to_bits(), sum.loss.to_bits());
        assert!((sum.gradient_norm / mean.gradient_norm - 16.0).abs() < 1e-12);
    }
}

#[model]
fn Tagger(x: Features<2>) -> Logits<2> {
    x.linear(out = 2)
}

#[model]
fn Spread(x: Features<2>) -> LogProbabilities<3> {
    x.linear(out = 3).log_softmax()
}

#[model]
fn Judge(x: Features<2>) -> Logits<1> {
    x.linear(out = 1)
}

#[model]
fn Curve(x: Features<2>) -> Values<1> {
    x.linear(out = 1)
}

#[model]
fn Bell(x: Features<2>) -> Gaussians<1> {
    x.linear(out = 2).reshape(to = [2, 1])
}

#[model]
fn Two(x: Features<2>) -> Embeddings<2, 3> {
    x.linear(out = 6).reshape(to = [2, 3])
}

#[model]
fn Trio(x: Features<2>) -> Embeddings<3, 2> {
    x.linear(out = 6).reshape(to = [3, 2])
}

/// Six steps of four tokens.
#[model]
fn Reader(x: Features<2>) -> TokenLogits<4> {
    x.linear(out = 24).reshape(to = [6, 4])
}

fn counts() -> trainspec::Result<InMemory<Features<2>, Values<1>>> {
    InMemory::new(inputs(), inputs().chunks(2).map(|x| (4.0 * x[0].abs()).floor()).collect())
}

fn words() -> trainspec::Result<InMemory<Features<2>, Tokens<4, 3>>> {
    let word = |x: &[f32]| if x[0] > 0.0 { [0, 0, 2] } else { [1, 3, 3] };
    InMemory::new(inputs(), inputs().chunks(2).flat_map(word).collect())
}

fn tags() -> trainspec::Result<InMemory<Features<2>, Labels<2>>> {
    InMemory::new(inputs(), inputs().into_iter().map(|x| f32::from(x > 0.0)).collect())
}

fn shares() -> trainspec::Result<InMemory<Features<2>, Probabilities<3>>> {
    InMemory::new(inputs(), [0.5, 0.25, 0.25, 0.0, 0.0, 1.0].repeat(16))
}

fn sides() -> trainspec::Result<InMemory<Features<2>, Class<2>>> {
    InMemory::new(inputs(), inputs().chunks(2).map(|x| u32::from(x[0] > 0.0)).collect())
}

fn heights() -> trainspec::Result<InMemory<Features<2>, Values<1>>> {
    InMemory::new(inputs(), inputs().chunks(2).map(|x| x[0] - 2.0 * x[1]).collect())
}

macro_rules! runs {
    ($($name:ident: $model:ident, $data:ident { $($keys:tt)* })*) => {
        $(
            train! {
                $name { model: $model, data: $data(), batch: 8, epochs: 30, optimizer: Sgd { lr: 0.05 }, $($keys)* }
            }
        )*

        /// Each loss in the syntax of a declaration, with all of its keys: it falls.
        #[test]
        fn every_loss_decreases_in_training() {
            $(
                let mut losses = Vec::new();
                $name::experiment().without_folder().run_with(&mut |event: &trainspec::trainer::Event<'_>| {
                    if let trainspec::trainer::Event::Epoch(report) = event {
                        losses.push(report.training.loss);
                    }
                    Ok(())
                }).unwrap();
                assert!(losses[29] < 0.98 * losses[0], "{}: {losses:?}", stringify!($name));
            )*
        }
    };
}

runs! {
    Tags: Tagger, tags {}
    WeightedTags: Tagger, tags { loss: BinaryCrossEntropy { pos_weight: &[1.0, 3.0], reduction: Reduction::Sum } }
    Shares: Spread, shares {}
    Divergence: Spread, shares { loss: KlDivergence { reduction: Reduction::Mean } }
    Likelihood: Spread, labelled { loss: NegativeLogLikelihood { weights: &[1.0, 2.0, 1.0], ignore_index: Some(2) } }
    Entropy: Three, labelled { loss: CrossEntropy { weights: &[3.0, 1.0, 1.0], ignore_index: Some(2), label_smoothing: 0.1 } }
    Sides: Judge, sides { loss: BinaryCrossEntropy { pos_weight: &[2.0] } }
    Margin: Judge, sides { loss: Hinge }
    Margins: Three, labelled { loss: Hinge { margin: 0.5, power: 2 } }
    Distance: Curve, heights { loss: MeanAbsoluteError, metrics: [MeanAbsoluteError] }
    Squares: Curve, heights { loss: MeanSquaredError { reduction: Reduction::Mean } }
    Robust: Curve, heights { loss: Huber { delta: 0.5 } }
    Smooth: Curve, heights { loss: SmoothL1 { beta: 0.5 } }
    Focused: Three, labelled { loss: Focal { gamma: 1.5, weights: &[3.0, 1.0, 1.0], ignore_index: Some(2) } }
    FocusedTags: Tagger, tags { loss: BinaryFocal { gamma: 1.0, alpha: 0.5 }, metrics: [Mcc, Iou, AveragePrecision] }
    FocusedSides: Judge, sides { loss: BinaryFocal { reduction: Reduction::Sum }, metrics: [CalibrationError { bins: 5 }] }
    Overlap: Tagger, tags { loss: Dice { smooth: 0.5 } }
    Counts: Curve, counts { loss: PoissonNegativeLogLikelihood }
    Uncertain: Bell, heights { loss: GaussianNegativeLogLikelihood { min_variance: 1e-3 } }
    Angles: Two, sides { loss: CosineEmbedding { margin: 0.1 } }
    Triplets: Trio, sides { loss: Triplet { margin: 0.5 } }
    Candidates: Trio, sides { loss: InfoNce { temperature: 0.5 } }
    Sequences: Reader, words { loss: Ctc { blank: 3 } }
}
