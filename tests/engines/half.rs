//! 16-bit values: storing them in half the memory changes no bit, both engines round alike, and each value is rounded
//! where it should be.

use candle_core::{Device, Tensor};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use trainspec::data::{Batch, BatchTensor, Elements};
use trainspec::engine::{Engine, Objective, Planned, Tape, initial};
use trainspec::graph::{Graph, Module, Scope};
use trainspec::layer::{Linear, Relu};
use trainspec::loss::LossSum;
use trainspec::op::Format;
use trainspec::plan::{Plan, Storage};
use trainspec::rng::{Purpose, StepIndex, Stream};
use trainspec::{CheckResult, Config, Result, Shape, Value};
use trainspec_kernels::half;
use trainspec_kernels::simd::{Level, at_level};
use trainspec_kernels::threads::never_alone;

use super::random::{Input, Knot, RandomModel};
use super::{Goal, SEED, batch, exact, found, largest, models};

const FORMATS: [Format; 2] = [Format::Bf16, Format::F16];

/// Returns every result of two micro-batches and a following evaluation as bits.
fn bits(model: RandomModel, size: usize, storage: Storage) -> Vec<u32> {
    let mut engine = Planned::new(model.graph(), Goal::boxed(true), SEED).unwrap().with_storage(storage);
    let mut numbers = Vec::new();
    for micro_batch in 0..2 {
        let batch = batch(model, size + micro_batch as usize, micro_batch.into());
        let part = engine.accumulate_scaled(&batch, StepIndex { step: 5, micro_batch }, &[8.0]).unwrap();
        numbers.push(part[0].loss as f32);
        numbers.extend(engine.prediction(0).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap());
    }
    numbers.extend(engine.store().gradients().unwrap().iter().flatten());
    engine.evaluate(&batch(model, size, 0)).unwrap();
    numbers.extend(engine.prediction(0).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap());
    for parameter in engine.parameters().unwrap() {
        numbers.extend(parameter.flatten_all().unwrap().to_vec1::<f32>().unwrap());
    }
    numbers.into_iter().map(f32::to_bits).collect()
}

proptest! {
    #![proptest_config(models(128))]

    /// In the wide form nothing is packed, and no step copies values. Seen to fail when an accumulator is not loaded, when an
    /// in-place inverse is not stored, and when a copy that the next step reads is not rounded.
    #[test]
    fn results_do_not_depend_on_value_storage(
        seed in 0..1_u64 << 32,
        kind in 0..Input::ALL.len(),
        layers in 1..12_usize,
        size in 2..9_usize,
        format in 0..2_usize,
    ) {
        let model = RandomModel { input: Input::ALL[kind], seed, layers, knot: None };
        let format = Some(FORMATS[format]);
        let expected = bits(model, size, Storage { format, wide: true });
        prop_assert!(bits(model, size, Storage { format, wide: false }) == expected, "{model:?}");
    }
}

proptest! {
    #![proptest_config(models(32))]
    #[test]
    fn results_do_not_depend_on_threads_or_simd_level(
        seed in 0..1_u64 << 32,
        kind in 0..Input::ALL.len(),
        layers in 1..10_usize,
        size in 2..40_usize,
        format in 0..2_usize,
    ) {
        let model = RandomModel { input: Input::ALL[kind], seed, layers, knot: None };
        let storage = Storage::from(Some(FORMATS[format]));
        let expected = bits(model, size, storage);
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| never_alone(|| bits(model, size, storage)));
            prop_assert!(found == expected, "{threads} threads: {model:?}");
        }
        for &level in Level::available() {
            prop_assert!(at_level(level, || bits(model, size, storage)) == expected, "{level:?}: {model:?}");
        }
    }
}

#[test]
fn residual_graph_results_do_not_depend_on_value_storage() {
    for knot in Knot::ALL {
        let model = RandomModel { input: Input::Features, seed: 1, layers: 0, knot: Some(knot) };
        for format in FORMATS.map(Some) {
            let [packed, wide] = [false, true].map(|wide| bits(model, 5, Storage { format, wide }));
            assert_eq!(packed, wide, "{knot:?}");
        }
    }
}

/// Runs both engines on one model: returns the distance of the planned engine from the tape, and of the tape from the
/// reference in f64, relative to the largest gradient.
fn distances(model: RandomModel, sizes: &[usize], format: Format) -> (f64, f64) {
    let graph = model.graph();
    let batches: Vec<Batch> = (0..).zip(sizes).map(|(number, &size)| batch(model, size, number)).collect();
    let planned = Planned::new(graph.clone(), Goal::boxed(true), SEED).unwrap();
    let tape = Tape::new(graph.clone(), Goal::boxed(false), SEED, Device::Cpu).unwrap();
    let parameters = initial(&graph, SEED, &Device::Cpu).unwrap();
    let (_, gradients) = exact(&graph, &parameters, &batches);
    let (_, of_tape) = found(&mut tape.with_format(Some(format)), &batches);
    let (_, of_planned) = found(&mut planned.with_storage(Some(format)), &batches);
    let scale = largest(gradients.iter().flatten().copied()).max(f64::MIN_POSITIVE);
    let far = |a: &[f32], b: &dyn Fn(usize) -> f64| {
        largest(a.iter().enumerate().map(|(place, &a)| f64::from(a) - b(place)))
    };
    let apart = largest(of_planned.iter().zip(&of_tape).map(|(a, b)| far(a, &|place| f64::from(b[place]))));
    let error = largest(of_tape.iter().zip(&gradients).map(|(a, b)| far(a, &|place| b[place])));
    (apart / scale, error / scale)
}

/// The engines round in the same places, except for fused operations: most models agree to a fraction of a rounding. Where
/// the order of a sum changes a rounding, or the sign of a `ReLU` input, the graph amplifies the difference, and the distance
/// of the tape from the reference measures by how much. In f16 some models leave its range, on both engines.
#[test]
fn engines_agree_in_half_precision() {
    for format in FORMATS {
        let (mut near, mut count) = (0, 0);
        for seed in 0..100_u64 {
            let (kind, layers) = ((seed % 4) as usize, 1 + (seed % 11) as usize);
            let model = RandomModel { input: Input::ALL[kind], seed, layers, knot: None };
            let (apart, of_tape) = distances(model, &[6, 5], format);
            let step = f64::from(format.epsilon());
            assert!(
                !(of_tape.is_finite() && apart > 8.0 * of_tape.max(2.0 * step)),
                "{format:?} {model:?}: {apart} apart, the tape is off by {of_tape}"
            );
            assert!(of_tape.is_finite() || format == Format::F16, "{model:?}");
            count += usize::from(of_tape.is_finite());
            near += usize::from(apart <= step);
        }
        assert!(near * 4 >= count * 3 && count >= 90, "{format:?}: of {count} models {near} agree");
    }
}

/// The sum of predictions times targets: a loss whose gradient is the target.
struct Given;

impl Objective for Given {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        Ok(LossSum { sum: (prediction * target)?.sum_all()?, weight: 1.0 })
    }
}

const BATCH: usize = 4;
const WIDTH: usize = 8;

/// Two affine maps with a `ReLU` between them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Two {}

impl Config for Two {
    const NAME: &'static str = "two";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
}

impl Module for Two {
    const IS_MODEL: bool = true;

    fn build(&self, scope: &mut Scope<'_>, inputs: &[Value]) -> Result<Vec<Value>> {
        let linear = Linear { out: WIDTH, ..Linear::DEFAULT };
        let x = scope.call(linear, &[inputs[0]])?;
        let x = scope.call(Relu {}, &[x])?;
        Ok(vec![scope.call(linear, &[x])?])
    }
}

/// Values from 1 to 2.
fn between_one_and_two(what: &str, count: usize) -> Vec<f32> {
    let units = Stream::new(1, Purpose::Augment, what).uniform(StepIndex::default(), count);
    units.into_iter().map(|unit| 1.0 + unit).collect()
}

fn real(numbers: &[f32]) -> BatchTensor {
    BatchTensor { shape: Shape::of(&[WIDTH]), elements: Elements::Float(numbers.to_vec()) }
}

fn rounded(format: Format, numbers: &[f32]) -> Vec<f32> {
    let mut numbers = numbers.to_vec();
    half::round(format, &mut numbers);
    numbers
}

/// `c[i][j] = sum over k of a[i][k] b[j][k]`, for rows of [`WIDTH`].
fn products(a: &[f32], b: &[f32]) -> Vec<f32> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    a.chunks(WIDTH).flat_map(|a| b.chunks(WIDTH).map(move |b| dot(a, b))).collect()
}

/// `c[i][j] = sum over k of a[k][i] b[k][j]`
fn gradients(a: &[f32], b: &[f32]) -> Vec<f32> {
    let part = |i: usize, j: usize| a.chunks(WIDTH).zip(b.chunks(WIDTH)).map(|(a, b)| a[i] * b[j]).sum();
    (0..WIDTH).flat_map(|i| (0..WIDTH).map(move |j| part(i, j))).collect()
}

/// Every value of a small network, calculated by hand. Values from 1 to 2 have 8 bits after rounding to bf16, products 16,
/// and all sums here fit the 24 of f32: they are exact in any order, so the bits must be equal.
///
/// Seen to fail when weights, the input, the loss's gradient or a gradient in between is not rounded, when the
/// gradient of a parameter is, and when the loss is scaled after its gradient is rounded.
#[test]
fn bf16_rounds_after_each_operation() {
    let format = Format::Bf16;
    let graph = Graph::of(&Two {}, &[Shape::of(&[WIDTH])]).unwrap();
    let numbers = |what, count| between_one_and_two(what, count);
    let (x, target) = (numbers("x", BATCH * WIDTH), numbers("target", BATCH * WIDTH));
    let parameters: Vec<Tensor> = graph
        .parameters
        .iter()
        .map(|parameter| {
            let axes = parameter.shape.axes();
            Tensor::from_vec(numbers(&parameter.path, axes.iter().product()), axes, &Device::Cpu).unwrap()
        })
        .collect();
    let batch = Batch { size: BATCH, inputs: vec![real(&x)], targets: vec![real(&target)], mixed: None };
    let masters: Vec<Vec<f32>> =
        parameters.iter().map(|tensor| tensor.flatten_all().unwrap().to_vec1().unwrap()).collect();

    let round = |numbers: &[f32]| rounded(format, numbers);
    let x = round(&x);
    let [w1, b1, w2, b2] = [0, 1, 2, 3].map(|place: usize| round(&masters[place]));
    let plus = |y: Vec<f32>, b: &[f32]| -> Vec<f32> {
        y.iter().enumerate().map(|(place, y)| y + b[place % WIDTH]).collect()
    };
    let hidden = round(&plus(products(&x, &w1), &b1));
    let output = round(&plus(products(&hidden, &w2), &b2));
    let scaled: Vec<f32> = target.iter().map(|target| 3.0 * target).collect();
    let d = round(&scaled);
    let turned: Vec<f32> =
        (0..WIDTH).flat_map(|i| (0..WIDTH).map(move |j| (i, j))).map(|(i, j)| w2[j * WIDTH + i]).collect();
    let d_hidden = round(&products(&d, &turned));
    let ones = vec![1.0; BATCH * WIDTH];
    let sum = |d: &[f32]| gradients(&ones, d)[..WIDTH].to_vec();
    let expected = [gradients(&d_hidden, &x), sum(&d_hidden), gradients(&d, &hidden), sum(&d)];

    let planned = Planned::new(graph.clone(), Box::new(Given), SEED).unwrap().with_storage(Some(format));
    let tape = Tape::new(graph, Box::new(Given), SEED, Device::Cpu).unwrap().with_format(Some(format));
    for mut engine in [Box::new(planned) as Box<dyn Engine>, Box::new(tape)] {
        engine.set_parameters(&parameters).unwrap();
        let loss = engine.accumulate_scaled(&batch, StepIndex::default(), &[3.0]).unwrap()[0].loss;
        let prediction = engine.prediction(0).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(prediction, output);
        let told: f64 = output.iter().zip(&target).map(|(y, target)| f64::from(y * target)).sum();
        assert!((loss - told).abs() <= told * 64.0 * f64::from(f32::EPSILON), "{loss}, expected {told}");
        assert_eq!(engine.store().gradients().unwrap(), expected);
        for (tensor, master) in engine.parameters().unwrap().iter().zip(&masters) {
            assert_eq!(&tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap(), master);
        }
    }
}

/// A gradient of 1e-8 is less than half of f16's smallest number: without a loss scale it underflows in the backward pass.
/// With a loss scale it is kept to f16's precision. A gradient that is too large when scaled becomes infinite.
#[test]
fn loss_scale_keeps_small_gradients_and_overflow_is_detected() {
    let graph = Graph::of(&Two {}, &[Shape::of(&[WIDTH])]).unwrap();
    let batch = |target: f32| Batch {
        size: BATCH,
        inputs: vec![real(&between_one_and_two("x", BATCH * WIDTH))],
        targets: vec![real(&[target; BATCH * WIDTH])],
        mixed: None,
    };
    let planned = Planned::new(graph.clone(), Box::new(Given), SEED).unwrap().with_storage(Some(Format::F16));
    let tape = Tape::new(graph, Box::new(Given), SEED, Device::Cpu).unwrap().with_format(Some(Format::F16));
    for mut engine in [Box::new(planned) as Box<dyn Engine>, Box::new(tape)] {
        let mut bias = |target: f32, scale: f32| {
            engine.accumulate_scaled(&batch(target), StepIndex::default(), &[scale]).unwrap();
            let last = engine.store().gradients().unwrap()[3].clone();
            engine.discard().unwrap();
            last
        };
        assert_eq!(bias(1e-8, 1.0), [0.0; WIDTH]);
        for gradient in bias(1e-8, 65_536.0) {
            let off = f64::from(gradient) / 65_536.0 / (BATCH as f64 * 1e-8) - 1.0;
            assert!(off.abs() <= f64::from(Format::F16.epsilon()), "{gradient}");
        }
        assert_eq!(bias(1e3, 65_536.0), [f32::INFINITY; WIDTH]);
    }
}

/// Values saved for backward take half the memory, and a step needs less memory.
#[test]
fn half_precision_saved_values_take_half_the_memory() {
    let (mut halves, mut wholes) = (0, 0);
    for seed in 0..40 {
        let model = RandomModel { input: Input::Image, seed, layers: 10, knot: None };
        let graph = model.graph();
        let plan = |format| Plan::training_in(&graph, SEED, 64, Storage::from(format)).unwrap();
        let whole = plan(None);
        for format in FORMATS {
            let half = plan(Some(format));
            assert!(half.kept() <= whole.kept(), "{model:?}");
            halves += half.kept();
            wholes += whole.kept();
        }
    }
    // Not halved: the indices of maxima, statistics, and values that live for two steps only.
    assert!(halves * 10 < wholes * 7, "{halves} of {wholes} words");
}
