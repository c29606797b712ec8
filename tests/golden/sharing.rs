//! Modules that are called several times and tied weights, compared with PyTorch: outputs, summed gradients, and the
//! statistics of a batch norm that is called twice.

#![expect(clippy::unwrap_used, reason = "a test stops where something fails")]

use candle_core::{DType, Device, Tensor};
use serde_json::Value as Json;
use trainspec::data::{Batch, BatchTensor, Elements};
use trainspec::engine::{Engine, Objective, Planned, Tape};
use trainspec::graph::Graph;
use trainspec::loss::LossSum;
use trainspec::prelude::*;
use trainspec::rng::StepIndex;
use trainspec::{Error, Result, Shape};

use super::file::{numbers, parse, singles};

#[model]
fn Tower(x: Value) -> Value {
    let first = x.linear(out = 3);
    let norm = first.batch_norm();
    norm
}

#[model]
fn Siamese(x: Features<4>) -> Values<3> {
    let tower = tower();
    let step = linear(out = 3);
    let mut y = x.tower().tanh() - x.relu().tower();
    for _ in 0..3 {
        y = y.step().tanh();
    }
    y
}

#[model]
fn Tied(tokens: Tokens<5, 2>) -> TokenLogits<5> {
    let embed = embedding(out = 4);
    let x = tokens.embed();
    let mix = x.linear(out = 4);
    let x = x + mix.tanh();
    let head = x.linear(out = 5, weight = embed.weight);
    head
}

/// The sum of `weights * output`; the weights are the targets.
struct Weighted;

impl Objective for Weighted {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        if prediction.dims() != target.dims() {
            return Err(Error::Internal("weights of another shape"));
        }
        Ok(LossSum { sum: (prediction * target)?.sum_all()?, weight: 1.0 })
    }
}

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

pub(super) fn agrees(graph: &Graph, json: &Json, scopes: &[(&str, &str)]) {
    // PyTorch's names of modules that are in a sub-model of ours.
    let theirs = |path: &str| {
        let renamed = scopes
            .iter()
            .find_map(|(ours, theirs)| path.strip_prefix(ours).map(|end| format!("{theirs}{end}")));
        renamed.unwrap_or_else(|| path.to_owned())
    };
    let input = graph.shapes[0];
    let size = numbers(&json["input"]).len() / input.elements();
    let elements = match input.vocabulary() {
        Some(_) => Elements::Int(numbers(&json["input"]).iter().map(|&token| token as u32).collect()),
        None => Elements::Float(singles(&json["input"])),
    };
    let batch = Batch {
        size,
        inputs: vec![BatchTensor { shape: input, elements }],
        targets: vec![BatchTensor {
            shape: graph.shapes[graph.outputs[0].value],
            elements: Elements::Float(singles(&json["weights"])),
        }],
        mixed: None,
    };
    let parameter = |parameter: &trainspec::graph::GraphParameter| {
        let values = singles(&json["parameters"][theirs(&parameter.path)]);
        Tensor::from_vec(values, parameter.shape.axes(), &Device::Cpu).unwrap()
    };
    let parameters: Vec<Tensor> = graph.parameters.iter().map(parameter).collect();
    let engines: [Box<dyn Engine>; 2] = [
        Box::new(Planned::new(graph.clone(), Box::new(Weighted), 1).unwrap()),
        Box::new(Tape::new(graph.clone(), Box::new(Weighted), 1, Device::Cpu).unwrap()),
    ];
    for mut engine in engines {
        engine.set_parameters(&parameters).unwrap();
        engine.accumulate(&batch, StepIndex::default()).unwrap();
        let close = |what: &str, found: &[f64], expected: &Json| {
            let expected = numbers(expected);
            assert_eq!(found.len(), expected.len(), "{what}");
            let largest = expected.iter().fold(1.0_f64, |largest, value| largest.max(value.abs()));
            for (found, expected) in found.iter().zip(expected) {
                // Some hundred roundings of terms that a batch norm over six samples amplifies.
                let allowed = 512.0 * f64::from(f32::EPSILON) * largest;
                assert!((found - expected).abs() <= allowed, "{} {what}: {found}, {expected}", graph.name);
            }
        };
        let output = engine.prediction(0).unwrap().to_dtype(DType::F32).unwrap().flatten_all().unwrap();
        close("output", &doubles(&output.to_vec1::<f32>().unwrap()), &json["output"]);
        let values = engine.store().weights().unwrap();
        for ((parameter, gradient), values) in
            graph.parameters.iter().zip(engine.store().gradients().unwrap()).zip(values.iter())
        {
            let name = theirs(&parameter.path);
            if parameter.is_trained() {
                close(&name, &doubles(gradient), &json["gradients"][&name]);
            } else {
                close(&name, &doubles(values), &json["statistics"][&name]);
            }
        }
    }
}

#[test]
fn shared_modules_match_pytorch() {
    let json = parse(include_str!("sharing.json"));
    let graph = Siamese::graph().unwrap();
    assert_eq!(graph.parameters.len(), 8);
    agrees(&graph, &json["siamese"], &[("tower.", "")]);
}

#[test]
fn tied_weights_match_pytorch() {
    let json = parse(include_str!("sharing.json"));
    let graph = Tied::graph().unwrap();
    // PyTorch's file has the table under both names, ours under one.
    assert_eq!(json["tied"]["names"].as_array().unwrap().len(), graph.parameters.len() + 1);
    agrees(&graph, &json["tied"], &[]);
    assert_eq!(graph.shapes[graph.outputs[0].value], Shape::of(&[2, 5]));
}
