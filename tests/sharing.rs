//! Layers and models that are bound to a name and called several times, and tied parameters: paths, parameters, gradients,
//! files, and what is reported.

#![allow(missing_docs, clippy::unwrap_used)]

use candle_core::{Device, Tensor};
use trainspec::Shape;
use trainspec::data::{Batch, BatchTensor, Elements};
use trainspec::engine::{Engine, Objective, Planned, Tape, initial};
use trainspec::graph::Graph;
use trainspec::loss::LossSum;
use trainspec::op::Format;
use trainspec::prelude::*;
use trainspec::rng::StepIndex;

fn nodes(graph: &Graph) -> Vec<&str> {
    graph.nodes.iter().map(|node| node.path.as_str()).collect()
}

fn parameters(graph: &Graph) -> Vec<&str> {
    graph.parameters.iter().map(|parameter| parameter.path.as_str()).collect()
}

/// Two convolutions, of which the second is called twice.
#[model]
fn Tower(image: Value, #[default(2)] width: usize) -> Value {
    let second = conv2d(out = width, kernel = 3, padding = 1);
    let x = image.conv2d(out = width, kernel = 3, stride = 2).batch_norm();
    x.second().relu().second().dropout(p = 0.5)
}

#[model]
fn Siamese(image: Image<1, 8, 8>) -> Values<1> {
    let tower = tower(width = 3);
    let a = image.tower();
    let b = image.relu().tower();
    (a - b).flatten().linear(out = 1)
}

#[test]
fn shared_model_has_parameters_of_first_call() {
    let graph = Siamese::graph().unwrap();
    assert_eq!(
        nodes(&graph),
        [
            "tower.conv2d_1",
            "tower.batch_norm_1",
            "tower.second",
            "tower.relu_1",
            "tower.second@2",
            "tower.dropout_1",
            "relu_1",
            "tower@2.conv2d_1",
            "tower@2.batch_norm_1",
            "tower@2.second",
            "tower@2.relu_1",
            "tower@2.second@2",
            "tower@2.dropout_1",
            "sub_1",
            "flatten_1",
            "linear_1"
        ]
    );
    assert_eq!(
        parameters(&graph),
        [
            "tower.conv2d_1.weight",
            "tower.conv2d_1.bias",
            "tower.batch_norm_1.weight",
            "tower.batch_norm_1.bias",
            "tower.batch_norm_1.running_mean",
            "tower.batch_norm_1.running_var",
            "tower.second.weight",
            "tower.second.bias",
            "linear_1.weight",
            "linear_1.bias"
        ]
    );
    let summary = graph.summary(1);
    assert_eq!(summary.trained(), graph.trained_elements() as u64);
    let of = |path: &str| summary.layers.iter().find(|layer| layer.path == path).unwrap();
    assert_eq!(of("tower@2.second@2").parameters, 0);
    assert_eq!(of("tower@2.second@2").flops, of("tower.second").flops);
}

#[test]
fn json_of_graph_has_shared_and_tied_parameters() {
    let json = Siamese::graph().unwrap().to_json();
    assert!(json["layers"][0].get("parameters").is_none());
    let again = &json["layers"][7];
    assert_eq!(again["path"], "tower@2.conv2d_1");
    assert_eq!(again["parameters"]["weight"], "tower.conv2d_1.weight");
    let json = TiedReader::graph().unwrap().to_json();
    let head = json["layers"].as_array().unwrap().last().unwrap();
    assert_eq!(head["parameters"], serde_json::json!({ "weight": "embed.weight" }));
}

/// A block that is called in a loop, and one that is bound in the loop.
#[model]
fn Recurrent<const DEPTH: usize>(x: Features<4>) -> Values<4> {
    let step = linear(out = 4);
    let norm = layer_norm();
    let mut x = x;
    for i in 0..DEPTH {
        let own = linear(out = 4 + i);
        x = x.own().tanh().own_or_step(own = i).step().norm();
    }
    x
}

/// Back to four features.
#[model]
fn OwnOrStep(x: Value, own: usize) -> Value {
    if own > 0 { x.linear(out = 4) } else { x }
}

#[test]
fn layer_bound_outside_loop_is_shared_and_inside_is_not() {
    let graph = Recurrent::<2>::graph().unwrap();
    assert_eq!(
        parameters(&graph),
        [
            "linear_1.weight",
            "linear_1.bias",
            "step.weight",
            "step.bias",
            "norm.weight",
            "norm.bias",
            "linear_2.weight",
            "linear_2.bias",
            "own_or_step.1.linear_1.weight",
            "own_or_step.1.linear_1.bias",
        ]
    );
}

/// A table that is also the output layer, with a bias.
#[model]
fn TiedReader(tokens: Tokens<5, 3>) -> TokenLogits<5> {
    let embed = embedding(out = 4);
    let x = tokens.embed();
    let x = x + x.linear(out = 4).tanh();
    let head = x.linear(out = 5, weight = embed.weight);
    head
}

/// The same without a bias, declared first and called in a loop.
#[model]
fn TiedTwice(tokens: Tokens<5, 3>) -> TokenLogits<5> {
    let embed = embedding(out = 4);
    let head = linear(out = 5, bias = false, weight = embed.weight);
    let mut x = tokens.embed();
    for _ in 0..2 {
        x = x.head().softmax().linear(out = 4);
    }
    x.head()
}

#[test]
fn tied_parameter_is_one_tensor() {
    let graph = TiedReader::graph().unwrap();
    assert_eq!(parameters(&graph), ["embed.weight", "linear_1.weight", "linear_1.bias", "head.bias"]);
    assert_eq!(graph.parameters[0].tied[0].torch, "head.weight");
    assert_eq!(graph.summary(1).layers.last().unwrap().parameters, 5);
    let graph = TiedTwice::graph().unwrap();
    assert_eq!(
        parameters(&graph),
        ["embed.weight", "linear_1.weight", "linear_1.bias", "linear_2.weight", "linear_2.bias"]
    );
    assert_eq!(graph.parameters[0].tied.len(), 1);
}

/// The sum of the squares of predictions.
struct Squares;

impl Objective for Squares {
    fn sum(&self, prediction: &Tensor, _: &Tensor) -> trainspec::Result<LossSum> {
        Ok(LossSum { sum: prediction.sqr()?.sum_all()?, weight: 1.0 })
    }
}

fn batch(graph: &Graph, size: usize) -> Batch {
    let shape = graph.shapes[0];
    let count = size * shape.elements();
    let elements = match shape.vocabulary() {
        Some(vocabulary) => Elements::Int((0..count as u32).map(|i| i * 7 % vocabulary as u32).collect()),
        None => Elements::Float((0..count).map(|i| (i * 37 % 29) as f32 / 14.0 - 1.0).collect()),
    };
    let target = BatchTensor { shape: Shape::of(&[1]), elements: Elements::Float(vec![0.0; size]) };
    Batch { size, inputs: vec![BatchTensor { shape, elements }], targets: vec![target], mixed: None }
}

/// The gradients of two windows of two micro-batches, the statistics after them, and a prediction.
fn results(engine: &mut dyn Engine, graph: &Graph) -> Vec<Vec<f32>> {
    let mut all = Vec::new();
    for step in 0..2 {
        for micro_batch in 0..2 {
            let batch = batch(graph, 4 + micro_batch as usize);
            engine.accumulate(&batch, StepIndex { step, micro_batch }).unwrap();
        }
        all.extend(engine.store().gradients().unwrap().iter().cloned());
        all.extend(engine.store().weights().unwrap().iter().cloned());
        if step == 0 {
            engine.discard().unwrap();
        }
    }
    engine.evaluate(&batch(graph, 5)).unwrap();
    all.push(engine.predictions(0).unwrap().into_owned());
    all
}

#[test]
fn engines_agree_on_shared_parameters() {
    let graphs = [
        Siamese::graph().unwrap(),
        Recurrent::<3>::graph().unwrap(),
        TiedReader::graph().unwrap(),
        TiedTwice::graph().unwrap(),
    ];
    for graph in graphs {
        for format in [None, Some(Format::Bf16)] {
            let planned = Planned::new(graph.clone(), Box::new(Squares), 3).unwrap();
            let tape = Tape::new(graph.clone(), Box::new(Squares), 3, Device::Cpu).unwrap();
            let planned = results(&mut planned.with_storage(format), &graph);
            let tape = results(&mut tape.with_format(format), &graph);
            // Relative to the largest value: a few dozen roundings, of which some are amplified by normalization.
            let allowed = if format.is_some() { 0.03 } else { 1e-5 };
            let largest = tape.iter().flatten().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            for (number, (planned, tape)) in planned.iter().zip(&tape).enumerate() {
                assert_eq!(planned.len(), tape.len());
                let off = planned.iter().zip(tape).fold(0.0_f32, |off, (a, b)| off.max((a - b).abs()));
                assert!(off <= allowed * largest, "{} {format:?} {number}: {off} of {largest}", graph.name);
            }
        }
    }
}

#[test]
fn initial_values_are_those_of_the_owner() {
    let graph = TiedReader::graph().unwrap();
    let values = initial(&graph, 1, &Device::Cpu).unwrap();
    assert_eq!(values.len(), 4);
    assert_eq!(values[0].dims(), [5, 4]);
}

#[test]
fn parameters_that_do_not_fit_are_rejected_when_graph_is_built() {
    use trainspec::graph::{Module, Scope};
    use trainspec::layer::{Embedding, Linear};
    use trainspec::{CheckResult, Config, Result, Value};

    #[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
    struct Wrong {
        which: usize,
    }

    impl Config for Wrong {
        const NAME: &'static str = "wrong";
        const DEFAULT: Self = Self { which: 0 };
        const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
    }

    impl Module for Wrong {
        const IS_MODEL: bool = true;

        fn build(&self, scope: &mut Scope<'_>, inputs: &[Value]) -> Result<Vec<Value>> {
            Ok(vec![self.value(scope, inputs)?])
        }
    }

    impl Wrong {
        fn value(&self, scope: &mut Scope<'_>, inputs: &[Value]) -> Result<Value> {
            let linear = |out| Linear { out, ..Linear::DEFAULT };
            let embed = scope.declare(Some("embed"), Embedding { out: 4, ..Embedding::DEFAULT }, &[])?;
            let tie = scope.tie("weight", &embed, "weight");
            if self.which == 0 {
                let x = scope.call(Embedding { out: 3, ..Embedding::DEFAULT }, inputs)?;
                return scope.call_tied(None, linear(5), &[x], &[tie]);
            }
            let x = scope.apply(&embed, inputs)?;
            match self.which {
                1 => scope.call_tied(None, linear(6), &[x], &[tie]),
                2 => {
                    let tie = scope.tie("wieght", &embed, "weight");
                    scope.call_tied(None, linear(5), &[x], &[tie])
                }
                3 => {
                    let shared = scope.declare(Some("shared"), linear(5), &[])?;
                    let x = scope.apply(&shared, &[x])?;
                    scope.apply(&shared, &[x])
                }
                _ => scope.call_tied(None, OwnOrStep { own: 1 }, &[x], &[tie]),
            }
        }
    }

    let messages = [
        "linear: there is no parameter `embed.weight` yet; a layer has its parameters from its first call on",
        "linear: weight is [6, 4], but `embed.weight` is [5, 4]",
        "linear: it has no parameter `wieght`",
        "linear: `shared` has the parameters of its first call, on [3, 4], which do not fit [3, 5]",
        "own_or_step: `weight` is taken from a layer; only a layer can take a parameter, not a model",
    ];
    for (which, message) in messages.into_iter().enumerate() {
        let problem = Graph::of(&Wrong { which }, &[Shape::tokens(5, 3)]).unwrap_err();
        assert_eq!(problem.to_string(), message);
    }
}
