//! The planned engine and the tape engine agree: on random models, for every gradient, and over whole steps.
//!
//! The reference is the tape in f64. Both engines round in f32, each in its own order. How much a graph amplifies a rounding
//! depends on the graph, and the error of the tape in f32 measures it. So the error of the planned engine may be a few times
//! that of the tape, plus a few roundings.

#![expect(clippy::unwrap_used, reason = "a test stops where something fails")]

mod bits;
mod extremes;
mod fallback;
mod frozen;
mod half;
mod losses;
#[cfg(target_os = "linux")]
mod memory;
mod mixed;
mod predict;
mod random;
mod subnormal;

use candle_core::{DType, Device, Tensor, Var};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use random::{CLASSES, Input, Knot, RandomModel};
use trainspec::data::{Batch, BatchTensor, Elements};
use trainspec::engine::{Engine, Objective, Planned, Tape, forward, initial};
use trainspec::graph::Graph;
use trainspec::layer::Mode;
use trainspec::loss::{CrossEntropy, Loss, LossKernel, LossSum};
use trainspec::optim::{GlobalNorm, ParameterConfig, Sgd, Update};
use trainspec::rng::{Purpose, StepIndex, Stream};
use trainspec::{Class, Config, Logits, Result, Shape};
use trainspec_kernels::grad_norm::global_norm_of;

const SEED: u64 = 3;

/// Cross entropy, with a kernel or without.
struct Goal {
    loss: CrossEntropy,
    has_kernel: bool,
}

impl Goal {
    fn boxed(has_kernel: bool) -> Box<dyn Objective> {
        Box::new(Self { loss: CrossEntropy { label_smoothing: 0.1, ..CrossEntropy }, has_kernel })
    }
}

impl Objective for Goal {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        Loss::<Logits<CLASSES>, Class<CLASSES>>::sum(&self.loss, prediction, target)
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        let kernel = Loss::<Logits<CLASSES>, Class<CLASSES>>::kernel(&self.loss, prediction);
        kernel.filter(|_| self.has_kernel)
    }
}

fn batch(model: RandomModel, size: usize, number: u64) -> Batch {
    let shape = model.shape();
    let at = StepIndex { step: number, micro_batch: 0 };
    let stream = Stream::new(model.seed, Purpose::Augment, "batch");
    let count = size * shape.elements();
    let input = match shape.vocabulary() {
        Some(vocabulary) => {
            Elements::Int(stream.words(at, count).into_iter().map(|word| word % vocabulary as u32).collect())
        }
        None => Elements::Float(stream.normal(at, count)),
    };
    let classes = Stream::new(model.seed, Purpose::Augment, "classes").words(at, size);
    let target = Elements::Int(classes.into_iter().map(|word| word % CLASSES as u32).collect());
    Batch {
        size,
        inputs: vec![BatchTensor { shape, elements: input }],
        targets: vec![BatchTensor { shape: Shape::class(CLASSES), elements: target }],
        mixed: None,
    }
}

/// Returns the loss and every gradient of two micro-batches, in f64.
fn exact(graph: &Graph, parameters: &[Tensor], batches: &[Batch]) -> (f64, Vec<Vec<f64>>) {
    let variables: Vec<Var> = parameters
        .iter()
        .map(|parameter| Var::from_tensor(&parameter.to_dtype(DType::F64).unwrap()).unwrap())
        .collect();
    let goal = Goal { loss: CrossEntropy { label_smoothing: 0.1, ..CrossEntropy }, has_kernel: false };
    let mut total = 0.0;
    let mut sums: Vec<Vec<f64>> =
        graph.parameters.iter().map(|parameter| vec![0.0; parameter.shape.elements()]).collect();
    for (micro_batch, batch) in (0..).zip(batches) {
        let input = batch.inputs[0].to_tensor(batch.size, &Device::Cpu).unwrap();
        let input = if input.dtype() == DType::F32 { input.to_dtype(DType::F64).unwrap() } else { input };
        let target = batch.targets[0].to_tensor(batch.size, &Device::Cpu).unwrap();
        let mode = Mode::Train { seed: SEED, at: StepIndex { step: 0, micro_batch } };
        let tensors: Vec<Tensor> = variables.iter().map(|variable| variable.as_tensor().clone()).collect();
        let (output, _) = forward(graph, &tensors, &[input], mode).unwrap();
        let loss = goal.sum(&output[0], &target).unwrap().sum;
        total += loss.to_scalar::<f64>().unwrap();
        let gradients = loss.backward().unwrap();
        for (variable, sum) in variables.iter().zip(&mut sums) {
            if let Some(gradient) = gradients.get(variable.as_tensor()) {
                let gradient = gradient.flatten_all().unwrap().to_vec1::<f64>().unwrap();
                sum.iter_mut().zip(gradient).for_each(|(sum, part)| *sum += part);
            }
        }
    }
    (total, sums)
}

/// Returns the loss and every gradient of an engine.
fn found(engine: &mut dyn Engine, batches: &[Batch]) -> (f64, Vec<Vec<f32>>) {
    let mut total = 0.0;
    for (micro_batch, batch) in (0..).zip(batches) {
        total += engine.accumulate(batch, StepIndex { step: 0, micro_batch }).unwrap()[0].loss;
    }
    (total, engine.store().gradients().unwrap())
}

/// Returns the largest absolute value; NaN if there is one.
fn largest(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let larger = |largest: f64, number: f64| {
        if number.is_nan() || number.abs() > largest { number.abs() } else { largest }
    };
    numbers.into_iter().fold(0.0, larger)
}

fn distance(found: &[f32], exact: &[f64]) -> f64 {
    largest(found.iter().zip(exact).map(|(&found, exact)| f64::from(found) - exact))
}

/// Compares the engines on one model. `sizes` are the sizes of the micro-batches of a window.
fn agree(model: RandomModel, sizes: &[usize], has_kernel: bool) {
    let graph = model.graph();
    let batches: Vec<Batch> = (0..).zip(sizes).map(|(number, &size)| batch(model, size, number)).collect();
    let mut planned = Planned::new(graph.clone(), Goal::boxed(has_kernel), SEED).unwrap();
    let mut tape = Tape::new(graph.clone(), Goal::boxed(false), SEED, Device::Cpu).unwrap();
    let parameters = initial(&graph, SEED, &Device::Cpu).unwrap();
    let (loss, gradients) = exact(&graph, &parameters, &batches);
    let (tape_loss, tape_gradients) = found(&mut tape, &batches);
    let (planned_loss, planned_gradients) = found(&mut planned, &batches);

    // The error of f32 in the whole graph, relative to its largest gradient: the error of the tape, or 16 roundings.
    let scale = largest(gradients.iter().flatten().copied());
    assert!(loss.is_finite() && scale.is_finite(), "{model:?}: the witness is not finite");
    let error = |found: &[Vec<f32>]| {
        let parts = found.iter().zip(&gradients).filter(|(found, _)| !found.is_empty());
        largest(parts.map(|(found, exact)| distance(found, exact)))
    };
    let least = 16.0 * f64::from(f32::EPSILON);
    let allowed = 8.0 * error(&tape_gradients).max(scale * least);
    let of_loss = 8.0 * (tape_loss - loss).abs().max(loss.abs() * least);
    assert!((planned_loss - loss).abs() <= of_loss, "{model:?}: the loss is {planned_loss}, expected {loss}");
    for ((parameter, found), exact) in graph.parameters.iter().zip(&planned_gradients).zip(&gradients) {
        assert_eq!(found.len(), if parameter.is_trained() { exact.len() } else { 0 });
        let off = if found.is_empty() { 0.0 } else { distance(found, exact) };
        assert!(
            off <= allowed,
            "{model:?}: the gradient of {} is off by {off}, allowed is {allowed}",
            parameter.path
        );
    }
    evaluate(model, &mut planned, &mut tape, &batches);
    train(model, planned, tape, sizes[0], allowed / scale.max(f64::MIN_POSITIVE));
}

/// Compares both engines in evaluation mode, with the running statistics of the micro-batches.
fn evaluate(model: RandomModel, planned: &mut Planned, tape: &mut Tape, batches: &[Batch]) {
    for batch in batches {
        let (planned_loss, tape_loss) = (planned.evaluate(batch).unwrap(), tape.evaluate(batch).unwrap());
        let [planned, tape] = [planned.prediction(0).unwrap(), tape.prediction(0).unwrap()];
        assert_eq!(planned.dims(), tape.dims());
        let [planned, tape] = [planned, tape].map(|p| p.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        let size = largest(tape.iter().map(|&number| f64::from(number))).max(1.0);
        let off = largest(planned.iter().zip(&tape).map(|(a, b)| f64::from(a - b)));
        // A forward pass of at most 12 layers, each of sums of up to some hundred terms.
        let allowed = size * 2048.0 * f64::from(f32::EPSILON);
        assert!(off <= allowed, "{model:?}: predictions are {off} apart, allowed is {allowed}");
        assert!((planned_loss[0].loss - tape_loss[0].loss).abs() <= batch.size as f64 * 2.0 * allowed);
        assert_eq!(planned_loss[0].weight.to_bits(), tape_loss[0].weight.to_bits());
    }
}

/// Takes ten steps on both engines, clipped so that each moves the parameters by 2e-3 at most: over such a short distance a
/// disagreement, relative to the distance, at most doubles with each step.
fn train(model: RandomModel, mut planned: Planned, mut tape: Tape, size: usize, of_one_step: f64) {
    let sgd = Sgd { lr: 1e-3, momentum: 0.5, ..Sgd::DEFAULT };
    let clip = GlobalNorm { max: 1.0 };
    let first = tape.parameters().unwrap();
    let treatments = ParameterConfig::of_all(&model.graph().parameters, &sgd);
    let mut ends = Vec::new();
    for engine in [&mut planned as &mut dyn Engine, &mut tape] {
        engine.set_parameters(&first).unwrap();
        for t in 1..=10 {
            if t > 1 {
                let at = StepIndex { step: t - 1, micro_batch: 0 };
                engine.accumulate(&batch(model, size, t), at).unwrap();
            }
            let average = 1.0 / size as f64;
            let factor = clip.factor(average * global_norm_of(&engine.store().gradients().unwrap()));
            let scales = vec![average * factor; first.len()];
            let (lr, bound, share) = (sgd.lr, f64::INFINITY, 0.0);
            engine
                .update(&Update {
                    optimizer: &sgd,
                    t,
                    lr,
                    treatments: &treatments,
                    scales: &scales,
                    bound,
                    share,
                    starts: &[],
                })
                .unwrap();
        }
        ends.push(engine.parameters().unwrap());
    }
    // Weights move far less than running statistics.
    let graph = model.graph();
    for is_trained in [true, false] {
        let moved = |end: &[Tensor]| -> Vec<f64> {
            let all = graph.parameters.iter().zip(end.iter().zip(&first));
            all.filter(|(parameter, _)| parameter.is_trained() == is_trained)
                .flat_map(|(_, (end, first))| {
                    (end - first).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
                })
                .map(f64::from)
                .collect()
        };
        let (planned, tape) = (moved(&ends[0]), moved(&ends[1]));
        let size = largest(tape.iter().copied());
        let off = largest(planned.iter().zip(&tape).map(|(a, b)| a - b));
        // Parameters of size 1 are themselves rounded at each of the ten steps.
        let allowed = 1024.0 * of_one_step * size + 10.0 * f64::from(f32::EPSILON);
        assert!(off <= allowed, "{model:?}: after ten steps {off} apart of {size}, allowed is {allowed}");
    }
}

/// The number of models, the same in every run; `PROPTEST_CASES` overrides it.
fn models(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(cases),
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(models(128))]
    #[test]
    fn engines_agree_on_random_models(
        seed in 0..1_u64 << 32,
        kind in 0..Input::ALL.len(),
        layers in 1..12_usize,
        first in 4..9_usize,
        second in 4..9_usize,
        has_kernel: bool,
    ) {
        let model = RandomModel { input: Input::ALL[kind], seed, layers, knot: None };
        agree(model, &[first, second], has_kernel);
    }
}

#[test]
fn engines_agree_on_residual_graphs() {
    for knot in Knot::ALL {
        let model = RandomModel { input: Input::Features, seed: 1, layers: 0, knot: Some(knot) };
        for has_kernel in [false, true] {
            agree(model, &[4, 5], has_kernel);
        }
    }
}
