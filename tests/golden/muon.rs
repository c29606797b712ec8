//! Muon compared with PyTorch in f64: a wide matrix, a tall one, a kernel, and a bias that the rest updates. See `muon.py`.
//!
//! Meant to detect: a kernel that is taken as matrices of its last two axes, a step without the ratio of the shape, decay after the step, a
//! momentum without its Nesterov form, the learning rate of the rest in place of its ratio.

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trainspec::engine::{Engine, Objective, Planned, Tape};
use trainspec::graph::Graph;
use trainspec::layer::{Init, Layer, OutputRule, Parameter, Role};
use trainspec::loss::LossSum;
use trainspec::optim::{AdamW, AnyOptimizer, Muon, ParameterConfig, Update};
use trainspec::{CheckResult, Config, Pass, Result, Setting, Shape};

use super::file::{numbers, parse, singles};

/// Parameters that are not used in a computation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Four {}

impl Config for Four {
    const NAME: &'static str = "four";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
}

impl Layer for Four {
    const OUTPUT: OutputRule<Self> = OutputRule::One(|_, input: Shape| Ok(input));

    fn parameters(&self, _: &[Shape]) -> Vec<Parameter> {
        vec![
            Parameter::new("wide", &[3, 5], Role::Matrix, Init::Zeros),
            Parameter::new("tall", &[6, 2], Role::Matrix, Init::Zeros),
            Parameter::new("kernel", &[4, 2, 3, 3], Role::Matrix, Init::Zeros),
            Parameter::new("bias", &[3], Role::Bias, Init::Zeros),
        ]
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        Ok(inputs[0].clone())
    }
}

/// The sum of all outputs.
pub(super) struct Sum;

impl Objective for Sum {
    fn sum(&self, prediction: &Tensor, _: &Tensor) -> Result<LossSum> {
        Ok(LossSum { sum: prediction.sum_all()?, weight: 1.0 })
    }
}

/// The optimizer of a case.
fn optimizer(case: &Value) -> Box<dyn AnyOptimizer> {
    let mut json = Muon::DEFAULT.to_json();
    let keys = json.as_object_mut().expect("keys");
    keys.extend(case["keys"].as_object().expect("keys").clone());
    keys["rest"]["lr"] = case["rest"]["lr"].clone();
    Muon::DEFAULT.with(&json).expect("keys of the optimizer")
}

/// Splits concatenated values into vectors of these lengths.
pub(super) fn split<'a>(mut rest: &'a [f32], into: impl IntoIterator<Item = &'a mut [f32]>) {
    for own in into {
        let (mine, others) = rest.split_at(own.len());
        own.copy_from_slice(mine);
        rest = others;
    }
}

fn step(
    engine: &mut dyn Engine,
    optimizer: &dyn AnyOptimizer,
    treatments: &[ParameterConfig],
    t: u64,
    gradients: &[f32],
) -> Vec<f32> {
    engine.open_window(&[]).expect("a window");
    let store = engine.store_mut();
    store
        .edit(&mut |host| split(gradients, host.gradients.iter_mut().map(|own| &mut **own)))
        .expect("an edit");
    let lr = if t <= 3 { optimizer.lr() } else { optimizer.lr() / 2.0 };
    let scales = vec![1.0; treatments.len()];
    let update = Update {
        optimizer,
        t,
        lr,
        treatments,
        scales: &scales,
        bound: f64::INFINITY,
        share: 0.0,
        starts: &[],
    };
    engine.update(&update).expect("an update");
    engine.store().weights().expect("weights").concat()
}

/// The iteration multiplies a rounding by at most 3.4445 in each of its steps, as much as the smallest singular value; a matrix of random numbers
/// needs less than all five. So an element of a step, at most 1.2 times the learning rate and its ratio, is off by at most
/// `3.4445^4 * 20` roundings of that; the weight itself rounds three times.
#[test]
fn muon_matches_pytorch() {
    let file = parse(include_str!("muon.json"));
    let mut graph = Graph::of(&Four {}, &[Shape::of(&[1])]).expect("a graph");
    // The only layer computes the output, and would be left to the rest.
    graph.parameters.iter_mut().for_each(|parameter| parameter.is_output = false);
    for case in file["cases"].as_array().expect("cases") {
        let optimizer = optimizer(case);
        let treatments = ParameterConfig::of_all(&graph.parameters, &*optimizer);
        let mut engines: [Box<dyn Engine>; 2] = [
            Box::new(Planned::new(graph.clone(), Box::new(Sum), 0).expect("an engine")),
            Box::new(Tape::new(graph.clone(), Box::new(Sum), 0, Device::Cpu).expect("an engine")),
        ];
        let first = singles(&file["first"]);
        for engine in &mut engines {
            let edited = engine
                .store_mut()
                .edit(&mut |host| split(&first, host.parameters.iter_mut().map(Vec::as_mut_slice)));
            edited.expect("an edit");
        }
        let lr = optimizer.lr();
        for (t, gradients) in (1..).zip(file["gradients"].as_array().expect("gradients")) {
            let gradients = singles(gradients);
            let [planned, tape] = &mut engines;
            let found = step(&mut **planned, &*optimizer, &treatments, t, &gradients);
            let other = step(&mut **tape, &*optimizer, &treatments, t, &gradients);
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&found), bits(&other), "the engines differ");
            let expected = numbers(&case["steps"][t as usize - 1]);
            for (place, (&found, expected)) in found.iter().zip(expected).enumerate() {
                let of_step = 3.4445_f64.powi(4) * 20.0 * 1.2 * 2.0 * lr + 3.0 * 4.0;
                let bound = t as f64 * f64::from(f32::EPSILON) * of_step;
                let off = (f64::from(found) - expected).abs();
                assert!(off <= bound, "{}, step {t}, {place}: {found}, not {expected}; {off}", case["keys"]);
            }
        }
    }
}

/// The rest is `AdamW` with the same bits, and has its own penalties.
#[test]
fn rest_has_bits_of_adam_w() {
    let mut graph = Graph::of(&Four {}, &[Shape::of(&[1])]).expect("a graph");
    assert!(Muon::DEFAULT.check_model(&graph.parameters).is_err(), "the only layer computes the output");
    graph.parameters[0].is_output = false;
    assert!(Muon::DEFAULT.check_model(&graph.parameters).is_ok());
    let rest = AdamW { lr: 0.25, weight_decay: 0.125, ..AdamW::DEFAULT };
    let muon = Muon { lr: 0.25, rest, ..Muon::DEFAULT };
    let mut found = Vec::new();
    for optimizer in [&muon as &dyn AnyOptimizer, &rest] {
        let mut engine = Planned::new(graph.clone(), Box::new(Sum), 0).expect("an engine");
        let treatments = ParameterConfig::of_all(&graph.parameters, optimizer);
        let elements: usize = graph.parameters.iter().map(|parameter| parameter.shape.elements()).sum();
        for t in 1..=5 {
            let gradients: Vec<f32> = (0..elements).map(|place| (place as f32 + t as f32).sin()).collect();
            step(&mut engine, optimizer, &treatments, t, &gradients);
        }
        found.push(engine.store().weights().expect("weights").into_owned());
    }
    assert_ne!(found[0][0], found[1][0], "the wide matrix is Muon's");
    assert_eq!(found[0][1..], found[1][1..]);
    let names = AnyOptimizer::state_names(&muon);
    assert_eq!(names, ["momentum", "m", "v"]);
}
