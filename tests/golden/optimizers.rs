//! Every optimizer, with each of its options: twenty steps of three small tensors, through both engines.
//!
//! Each element of the tensors has its own gradients: tiny (1e-9), huge (1e4, once 1e10), zero, changing in sign; the
//! learning rate falls to a tenth in the middle. See `optimizers.py`.
//!
//! # The bound
//! Let `size` be the largest value of a weight during the steps and `moved` its largest step. A step rounds the weight up to
//! three times, each by half a unit of `size`: the decay factor, its product, and the sum. It changes the weight by a number
//! that is itself rounded: the second moment has 3 roundings in each step, which accumulate over up to 20 steps and are
//! halved by the root (30 halves); the first moment has 4, which decay with it (some 10 steps, 40 halves); the quotient of
//! both has up to 10. Where a step is smaller than `moved` because gradients of changing sign cancel in a moment, the error
//! is that of the terms, which are not larger than `moved`. So the error of `t` steps is at most
//! `t * epsilon * (1.5 * size + 40 * moved)`.
//!
//! Seen to fail, in the cases of the optimizer: epsilon inside the correction (Adam), a momentum that contains the old
//! learning rate (Sgd), a bias correction of one step more (Adam), decay after the update, a maximum of corrected moments
//! (amsgrad), Nesterov without its look ahead, epsilon outside of `AdaDelta`'s roots, `sign(0) = 1` in `l1`, `NAdam`'s product
//! one factor short, `RAdam`'s threshold of 4.

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trainspec::data::{Batch, BatchTensor, Elements};
use trainspec::engine::{Engine, Objective, Planned, Tape};
use trainspec::graph::Graph;
use trainspec::layer::{Embedding, Init, Layer, OutputRule, Parameter, Role};
use trainspec::loss::LossSum;
use trainspec::optim::{
    AdaDelta, AdaGrad, Adafactor, Adam, AdamW, Adamax, AnyOptimizer, Lamb, Lars, Lion, Lookahead, NAdam,
    ParameterConfig, RAdam, RmsProp, ScheduleFreeAdamW, ScheduleFreeSgd, Sgd, SignSgd, SparseAdam, Update,
    WeightCopy,
};
use trainspec::rng::StepIndex;
use trainspec::{CheckResult, Config, Pass, Result, Shape};

use super::file::{numbers, parse, singles};

/// A matrix, a bias and a scalar, which are not used in a computation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Three {}

impl Config for Three {
    const NAME: &'static str = "three";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
}

const LENGTHS: [usize; 3] = [8, 3, 1];

impl Layer for Three {
    const OUTPUT: OutputRule<Self> = OutputRule::One(|_, input: Shape| Ok(input));

    fn parameters(&self, _: &[Shape]) -> Vec<Parameter> {
        vec![
            Parameter::new("matrix", &[2, 4], Role::Matrix, Init::Zeros),
            Parameter::new("bias", &[3], Role::Bias, Init::Zeros),
            Parameter::new("scalar", &[1], Role::Norm, Init::Zeros),
        ]
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        Ok(inputs[0].clone())
    }
}

/// The sum of all outputs of a model.
struct Sum;

impl Objective for Sum {
    fn sum(&self, prediction: &Tensor, _: &Tensor) -> Result<LossSum> {
        Ok(LossSum { sum: prediction.sum_all()?, weight: 1.0 })
    }
}

/// The optimizer of a case.
fn optimizer(case: &Value) -> Box<dyn AnyOptimizer> {
    let usual: &dyn AnyOptimizer = match case["optimizer"].as_str().expect("a name") {
        "Sgd" => &Sgd::DEFAULT,
        "Adam" => &Adam::DEFAULT,
        "AdamW" => &AdamW::DEFAULT,
        "NAdam" => &NAdam::DEFAULT,
        "RAdam" => &RAdam::DEFAULT,
        "Adamax" => &Adamax::DEFAULT,
        "RmsProp" => &RmsProp::DEFAULT,
        "AdaGrad" => &AdaGrad::DEFAULT,
        "AdaDelta" => &AdaDelta::DEFAULT,
        "Lion" => &Lion::DEFAULT,
        "SignSgd" => &SignSgd::DEFAULT,
        "Lamb" => &Lamb::DEFAULT,
        "Lars" => &Lars::DEFAULT,
        "SparseAdam" => &SparseAdam::DEFAULT,
        "Adafactor" => &Adafactor::DEFAULT,
        "ScheduleFreeSgd" => &ScheduleFreeSgd::DEFAULT,
        "ScheduleFreeAdamW" => &ScheduleFreeAdamW::DEFAULT,
        "Lookahead Sgd" => &Lookahead::<Sgd>::DEFAULT,
        "Lookahead AdamW" => &Lookahead::<AdamW>::DEFAULT,
        other => panic!("no optimizer is called {other}"),
    };
    let mut json = usual.to_json();
    let keys = json.as_object_mut().expect("keys");
    for (key, value) in case["keys"].as_object().expect("keys") {
        match (keys.get_mut(key), value) {
            (Some(Value::Object(inner)), Value::Object(own)) => inner.extend(own.clone()),
            _ => drop(keys.insert(key.clone(), value.clone())),
        }
    }
    usual.with(&json).expect("keys of the optimizer")
}

fn engines(graph: &Graph) -> [Box<dyn Engine>; 2] {
    [
        Box::new(Planned::new(graph.clone(), Box::new(Sum), 0).expect("an engine")),
        Box::new(Tape::new(graph.clone(), Box::new(Sum), 0, Device::Cpu).expect("an engine")),
    ]
}

/// Splits concatenated values into the tensors of a graph.
fn set(engine: &mut dyn Engine, graph: &Graph, numbers: &[f32]) {
    let mut rest = numbers;
    let tensors: Vec<_> = graph
        .parameters
        .iter()
        .map(|parameter| {
            let (own, others) = rest.split_at(parameter.shape.elements());
            rest = others;
            Tensor::from_slice(own, parameter.shape.axes(), &Device::Cpu).expect("a tensor")
        })
        .collect();
    engine.set_parameters(&tensors).expect("the graph's parameters");
}

/// Takes one step with these gradients at the learning rate of the case; returns all weights.
fn step(
    engine: &mut dyn Engine,
    graph: &Graph,
    optimizer: &dyn AnyOptimizer,
    t: u64,
    gradients: &[f32],
) -> Vec<f32> {
    engine
        .store_mut()
        .edit(&mut |numbers| {
            let mut rest = gradients;
            for own in &mut *numbers.gradients {
                let (mine, others) = rest.split_at(own.len());
                own.copy_from_slice(mine);
                rest = others;
            }
        })
        .expect("an edit");
    let lr = if t <= 10 { optimizer.lr() } else { optimizer.lr() / 10.0 };
    let treatments = ParameterConfig::of_all(&graph.parameters, optimizer);
    let scales = vec![1.0; treatments.len()];
    let update = Update {
        optimizer,
        t,
        lr,
        treatments: &treatments,
        scales: &scales,
        bound: f64::INFINITY,
        // The learning rate never rises.
        share: 1.0 / t as f64,
        starts: &[],
    };
    engine.update(&update).expect("an update");
    let flat = |tensor: &Tensor| tensor.flatten_all().expect("flat").to_vec1::<f32>().expect("numbers");
    engine.parameters().expect("parameters").iter().flat_map(flat).collect()
}

/// Returns the distance of two numbers in units in the last place of `size`.
fn units(a: f32, b: f32, size: f64) -> f64 {
    let size = (size as f32).max(f32::MIN_POSITIVE);
    (f64::from(a) - f64::from(b)).abs() / (f64::from(size.next_up()) - f64::from(size))
}

/// Compares the weights after the recorded steps of a case: returns the largest distance from PyTorch's f32, in
/// units of the largest weight during the steps.
fn compare(case: &Value, shown: usize, t: u64, found: &[f32]) -> f64 {
    let exact = numbers(&case["f64"][shown]);
    let (size, moved) = (numbers(&case["size"]), numbers(&case["moved"]));
    let single = (!case["f32"].is_null()).then(|| singles(&case["f32"][shown]));
    let mut worst = 0.0_f64;
    for (place, &found) in found.iter().enumerate() {
        let allowed = t as f64 * f64::from(f32::EPSILON) * (1.5 * size[place] + 40.0 * moved[place]);
        let name = format!("{} {}, step {t}, number {place}", case["optimizer"], case["keys"]);
        let off = (f64::from(found) - exact[place]).abs();
        assert!(
            off <= allowed,
            "{name}: {found}, expected {}; off by {off}, allowed is {allowed}",
            exact[place]
        );
        if let Some(single) = &single {
            let off = (f64::from(found) - f64::from(single[place])).abs();
            assert!(off <= 2.0 * allowed, "{name}: {found}, PyTorch has {}", single[place]);
            worst = worst.max(units(found, single[place], size[place]));
        }
    }
    worst
}

#[test]
fn optimizers_match_pytorch_and_papers() {
    let file = parse(include_str!("optimizers.json"));
    let shown: Vec<u64> = numbers(&file["shown"]).into_iter().map(|t| t as u64).collect();
    let graph = Graph::of(&Three {}, &[Shape::of(&[1])]).expect("a graph");
    let cases = file["cases"].as_array().expect("cases");
    for case in cases {
        let optimizer = optimizer(case);
        assert_eq!(optimizer.lr().to_bits(), case["lr"].as_f64().expect("a rate").to_bits());
        let mut worst = 0.0_f64;
        let [mut planned, mut tape] = engines(&graph);
        for engine in [&mut planned, &mut tape] {
            set(&mut **engine, &graph, &singles(&file["first"]));
        }
        for (t, gradients) in (1..).zip(file["gradients"].as_array().expect("gradients")) {
            let gradients = singles(gradients);
            for engine in [&mut planned, &mut tape] {
                engine.accumulate(&nothing(), StepIndex { step: t - 1, micro_batch: 0 }).expect("a window");
            }
            let found = step(&mut *planned, &graph, &*optimizer, t, &gradients);
            let other = step(&mut *tape, &graph, &*optimizer, t, &gradients);
            assert_eq!(bits(&found), bits(&other), "{}: the engines differ", optimizer.name());
            if let Some(place) = shown.iter().position(|&shown| shown == t) {
                worst = worst.max(compare(case, place, t, &found));
                if let Some(point) = optimizer.average() {
                    let mut case = case.clone();
                    case["f64"] = case["average"].clone();
                    for engine in [&mut planned, &mut tape] {
                        let store = engine.store_mut();
                        store.copy(WeightCopy::Average).expect("a copy");
                        store.derive_average(point.slot, point.share as f32).expect("an average");
                        let average = store.copied(WeightCopy::Average).expect("a copy").expect("an average");
                        compare(&case, place, t, &average.concat());
                    }
                }
            }
        }
        assert_eq!(planned.store().optimizer_state().unwrap()[0].len(), optimizer.state_names().len());
        // Far below the bound: the measured maximum is 3.
        assert!(worst <= 4.0, "{} {}: {worst} units", optimizer.name(), case["keys"]);
        println!("{} {}: {worst:.1} units from PyTorch's f32", optimizer.name(), case["keys"]);
    }
    assert_eq!(LENGTHS.iter().sum::<usize>(), singles(&file["first"]).len());
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// `torch.nn.Embedding(sparse=True)`: six rows, of which each batch reads some. Row 4 is always read, with the gradient
/// 0; rows 2 and 3 never are, and keep their bits.
#[test]
fn sparse_row_updates_match_pytorch() {
    let file = parse(include_str!("optimizers.json"));
    let shown: Vec<u64> = numbers(&file["shown"]).into_iter().map(|t| t as u64).collect();
    let tokens = file["tokens"].as_array().expect("tokens");
    let graph =
        Graph::of(&Embedding { out: 2, ..Embedding::DEFAULT }, &[Shape::tokens(6, 3)]).expect("a graph");
    for case in file["sparse"].as_array().expect("cases") {
        let mut case = case.clone();
        if case["optimizer"] == "AdaGrad" {
            case["keys"]["sparse"] = true.into();
        }
        let optimizer = optimizer(&case);
        assert!(optimizer.is_sparse());
        let table = singles(&file["table"]);
        let [mut planned, mut tape] = engines(&graph);
        for engine in [&mut planned, &mut tape] {
            set(&mut **engine, &graph, &table);
        }
        let mut before = table.clone();
        let mut worst = 0.0_f64;
        for (t, gradients) in (1_u64..).zip(case["gradients"].as_array().expect("gradients")) {
            let tokens: Vec<u32> =
                numbers(&tokens[t as usize % tokens.len()]).into_iter().map(|token| token as u32).collect();
            let batch = batch(&tokens);
            let at = StepIndex { step: t - 1, micro_batch: 0 };
            let mut found = Vec::new();
            for engine in [&mut planned, &mut tape] {
                engine.accumulate(&batch, at).expect("a batch");
                found.push(step(&mut **engine, &graph, &*optimizer, t, &singles(gradients)));
            }
            assert_eq!(bits(&found[0]), bits(&found[1]), "{}: the engines differ", optimizer.name());
            let found = &found[0];
            for row in (0..6).filter(|row| !tokens.contains(row)) {
                let row = row as usize * 2..row as usize * 2 + 2;
                assert_eq!(bits(&found[row.clone()]), bits(&before[row]), "{} at {t}", optimizer.name());
            }
            before.clone_from(found);
            if let Some(place) = shown.iter().position(|&shown| shown == t) {
                worst = worst.max(compare(&case, place, t, found));
            }
        }
        println!("sparse {}: {worst:.1} units from PyTorch's f32", optimizer.name());
    }
}

/// Where a dense optimizer does not change other rows, a sparse one has the same bits, also for a window of two batches.
#[test]
fn sparse_and_dense_updates_of_embedding_rows_are_equal() {
    let graph =
        Graph::of(&Embedding { out: 2, ..Embedding::DEFAULT }, &[Shape::tokens(6, 3)]).expect("a graph");
    let ends = [false, true].map(|sparse| {
        let optimizer = AdaGrad { sparse, initial_accumulator: 0.5, ..AdaGrad::DEFAULT };
        engines(&graph).map(|mut engine| {
            let mut end = Vec::new();
            for t in 1..=5_u32 {
                for tokens in [[t % 6, 1, 1], [5, t % 3, 1]] {
                    engine.accumulate(&batch(&tokens), StepIndex::default()).expect("a batch");
                }
                let gradients = engine.store().gradients().unwrap()[0].clone();
                end = step(&mut *engine, &graph, &optimizer, t.into(), &gradients);
            }
            bits(&end)
        })
    });
    assert_eq!(ends[0], ends[1]);
}

/// A micro-batch that starts a window, whose gradients are then replaced.
fn nothing() -> Batch {
    let column = || BatchTensor { shape: Shape::of(&[1]), elements: Elements::Float(vec![0.0]) };
    Batch { size: 1, mixed: None, inputs: vec![column()], targets: vec![column()] }
}

fn batch(tokens: &[u32]) -> Batch {
    Batch {
        size: 1,
        mixed: None,
        inputs: vec![BatchTensor { shape: Shape::tokens(6, 3), elements: Elements::Int(tokens.to_vec()) }],
        targets: vec![BatchTensor { shape: Shape::of(&[1]), elements: Elements::Float(vec![0.0]) }],
    }
}
