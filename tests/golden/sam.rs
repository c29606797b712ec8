//! Sharpness-aware minimization compared with PyTorch's gradients in f64, on both engines. See `sam.py`.
//!
//! Meant to detect: a perturbation of each micro-batch by itself, one that is not undone, statistics of both passes, a loss of the second pass,
//! gradients of both passes.

#![allow(clippy::unwrap_used, reason = "a test stops where something fails")]

use candle_core::Device;
use serde_json::Value as Json;
use trainspec::data::{Batch, BatchTensor, Elements};
use trainspec::engine::{self, Engine, Tape};
use trainspec::prelude::*;
use trainspec::trainer::TrainStep;
use trainspec::{Experiment, Shape};

use super::averaging::{Net, ROUNDING, held, points, put};
use super::file::{numbers, parse, singles};

train! {
    Sharp {
        model: Net,
        data: points(),
        batch: 4,
        accumulate: 2,
        steps: 10,
        optimizer: Sam { optimizer: Sgd { lr: 0.1, momentum: 0.9 }, rho: 0.5 },
    }
}

fn window(json: &Json) -> Vec<Batch> {
    let column = |json: &Json, width: usize| BatchTensor {
        shape: Shape::of(&[width]),
        elements: Elements::Float(singles(json)),
    };
    let batch = |json: &Json| Batch {
        size: 4,
        inputs: vec![column(&json["x"], 3)],
        targets: vec![column(&json["y"], 2)],
        mixed: None,
    };
    json.as_array().unwrap().iter().map(batch).collect()
}

fn engines(training: &mut Experiment<Net>) -> [Box<dyn Engine>; 2] {
    let graph = training.graph().unwrap();
    let settings = training.settings().unwrap();
    let objective = Box::new(std::sync::Arc::clone(&settings.loss[0]));
    let tape = Tape::new(graph.clone(), objective, 0, Device::Cpu).unwrap();
    [engine::open(&graph, settings).unwrap(), Box::new(tape)]
}

/// All values are below 4. A gradient has some 60 roundings, of which the norm of the batch makes up to 8 times as much; an error in the
/// weights reaches the next gradients, and momentum adds up to 10 of them.
#[test]
fn sam_matches_pytorch() {
    let file = parse(include_str!("sam.json"));
    let mut training = Sharp::experiment();
    let mut engines = engines(&mut training);
    let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
    let settings = training.settings().unwrap();
    for engine in &mut engines {
        engine.store_mut().edit(&mut |into| put(into.parameters, &file["first"])).unwrap();
        let mut stepper = TrainStep::new(&mut **engine, &graph, settings, &data).unwrap();
        for (number, step) in file["steps"].as_array().unwrap().iter().enumerate() {
            let report = stepper.step(&window(&step["window"])).unwrap();
            let bound = 4.0 * 60.0 * 8.0 * ROUNDING * (number + 1) as f64;
            let loss = step["loss"].as_f64().unwrap();
            assert!((report.loss - loss).abs() <= bound, "step {number}: {}, not {loss}", report.loss);
            let found = held(stepper.engine());
            for (place, (found, expected)) in
                found.iter().zip(step["parameters"].as_array().unwrap()).enumerate()
            {
                for (&found, expected) in found.iter().zip(numbers(expected)) {
                    let off = (f64::from(found) - expected).abs();
                    assert!(off <= bound, "step {number}, {place}: {found}, not {expected}");
                }
            }
        }
    }
}

/// A step whose loss is not finite has no second pass. It leaves weights and statistics as they were.
#[test]
fn step_without_finite_loss_changes_nothing() {
    let file = parse(include_str!("sam.json"));
    let mut training = Sharp::experiment().set("on_non_finite", r#"{"limit":5}"#).unwrap();
    let mut engines = engines(&mut training);
    let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
    let settings = training.settings().unwrap();
    for engine in &mut engines {
        engine.store_mut().edit(&mut |into| put(into.parameters, &file["first"])).unwrap();
        let mut stepper = TrainStep::new(&mut **engine, &graph, settings, &data).unwrap();
        let mut broken = window(&file["steps"][0]["window"]);
        if let Elements::Float(values) = &mut broken[1].targets[0].elements {
            values[0] = f32::INFINITY;
        }
        let before = held(stepper.engine());
        let report = stepper.step(&broken).unwrap();
        assert!(report.skip.is_some());
        assert_eq!(held(stepper.engine()), before);
        let report = stepper.step(&window(&file["steps"][0]["window"])).unwrap();
        assert!(report.skip.is_none());
        let expected = numbers(&file["steps"][0]["parameters"][0]);
        let found = f64::from(held(stepper.engine())[0][0]);
        assert!((found - expected[0]).abs() < 1e-4, "{found}, not {}", expected[0]);
    }
}
