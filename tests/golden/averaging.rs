//! Averages compared with PyTorch: over the micro-batches of a window, over the steps of a run; and weights of bounded norm.
//!
//! Seen to fail: a window's gradient divided by its number of micro-batches, an average of weights that is updated with each
//! micro-batch, one that starts at the first step, one of the running statistics, one that is updated before the weights are
//! bounded, bounds on the columns of a matrix.

#![allow(clippy::unwrap_used, reason = "a test stops where something fails")]

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use trainspec::data::{Batch, BatchTensor, Elements, InMemory};
use trainspec::engine::{self, Engine};
use trainspec::loss::{Loss, LossSum};
use trainspec::prelude::*;
use trainspec::trainer::TrainStep;
use trainspec::{CheckResult, Config, Experiment, Result};

use super::file::{numbers, parse, singles};

/// Half a unit in the last place of 1.
pub(super) const ROUNDING: f64 = f32::EPSILON as f64 / 2.0;

/// The squared error of two values, times a weight that follows them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Weighted {}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "as every configuration has it"
)]
impl Weighted {
    pub(crate) const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl Config for Weighted {
    const NAME: &'static str = "Weighted";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Loss<Values<2>, Values<3>> for Weighted {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let weights = target.narrow(1, 2, 1)?;
        let squares = (prediction - target.narrow(1, 0, 2)?)?.sqr()?.broadcast_mul(&weights)?;
        Ok(LossSum { sum: squares.sum_all()?, weight: f64::from(weights.sum_all()?.to_scalar::<f32>()?) })
    }
}

#[model]
fn Plane(x: Features<3>) -> Values<2> {
    x.linear(out = 2)
}

fn nothing() -> Result<InMemory<Features<3>, Values<3>>> {
    InMemory::new(vec![0.0; 3], vec![0.0; 3])
}

train! {
    Windows {
        model: Plane,
        data: nothing(),
        loss: Weighted {},
        steps: 10,
        optimizer: Sgd { lr: 0.1, momentum: 0.9 },
    }
}

/// The step of a window equals that of all its samples in one batch, whatever the micro-batches contain.
///
/// All values are below 2. A gradient is a sum of at most 9 products of three, 16 roundings with those of the prediction,
/// times at most 2, by which the momentum sums exceed it; four steps add up, and an error in the weights reaches the next
/// gradients, times less than 1.
#[test]
fn accumulated_step_equals_one_batch() {
    let file = parse(include_str!("averaging.json"));
    let golden = &file["windows"];
    let mut training = Windows::experiment();
    let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
    let settings = training.settings().unwrap();
    let mut engine = engine::open(&graph, settings).unwrap();
    engine.store_mut().edit(&mut |into| put(into.parameters, &golden["first"])).unwrap();
    let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
    for (number, step) in golden["steps"].as_array().unwrap().iter().enumerate() {
        let column = |json: &Json| {
            let elements = Elements::Float(singles(json));
            BatchTensor { shape: trainspec::Shape::of(&[3]), elements }
        };
        let window: Vec<_> = step["batches"]
            .as_array()
            .unwrap()
            .iter()
            .map(|batch| Batch {
                size: batch["x"].as_array().unwrap().len() / 3,
                inputs: vec![column(&batch["x"])],
                targets: vec![column(&batch["y"])],
                mixed: None,
            })
            .collect();
        let report = stepper.step(&window).unwrap();
        let bound = 2.0 * 16.0 * 2.0 * 4.0 * ROUNDING;
        let loss = step["loss"].as_f64().unwrap();
        assert!((report.loss - loss).abs() <= bound * 2.0, "step {number}: {}, not {loss}", report.loss);
        for (found, expected) in held(stepper.engine()).iter().zip(step["parameters"].as_array().unwrap()) {
            for (&found, expected) in found.iter().zip(numbers(expected)) {
                assert!(
                    (f64::from(found) - expected).abs() <= bound,
                    "step {number}: {found}, not {expected}"
                );
            }
        }
    }
}

#[model]
pub(super) fn Net(x: Features<3>) -> Values<2> {
    x.linear(out = 4).batch_norm().linear(out = 2)
}

pub(super) fn points() -> Result<InMemory<Features<3>, Values<2>>> {
    let inputs = (0..24).map(|place| (place * 7 % 24) as f32 / 12.0 - 1.0).collect();
    InMemory::new(inputs, (0..16).map(|place| (place * 5 % 16) as f32 / 8.0 - 1.0).collect())
}

macro_rules! averaged {
    ($($name:ident: $ema:expr;)*) => {
        $(train! {
            $name {
                model: Net,
                data: points(),
                batch: 2,
                accumulate: 2,
                steps: 20,
                optimizer: Sgd { lr: 1.0 },
                ema: $ema,
            }
        })*
    };
}

averaged! {
    Plain: Ema { decay: 0.9 };
    HalfLife: Ema { half_life: 5.0 };
    WarmUp: Ema { decay: 0.6, warmup: true };
}

/// The weights follow the file bit for bit, so that only the average is compared. At each step each computation rounds a
/// difference, a product and a sum, of values below the largest so far; earlier errors decay.
fn follows_pytorch(training: fn() -> Experiment<Net>, name: &str, decay: f64) {
    let file = parse(include_str!("averaging.json"));
    let golden = &file["averages"];
    let mut training = training();
    let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
    let settings = training.settings().unwrap();
    let mut engine = engine::open(&graph, settings).unwrap();
    engine.store_mut().edit(&mut |into| put(into.parameters, &golden["first"])).unwrap();
    let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
    let window = [data.batch(&[0, 1]).unwrap(), data.batch(&[2, 3]).unwrap()];
    let mut largest: f64 = 1.0;
    for (number, step) in golden["steps"].as_array().unwrap().iter().enumerate() {
        let totals = stepper.accumulate(&window).unwrap();
        let edited = stepper.engine_mut().store_mut().edit(&mut |into| {
            for (gradients, json) in into.gradients.iter_mut().zip(step["gradients"].as_array().unwrap()) {
                // Their sum over the window; four samples, so that the average is exact.
                let sums = singles(json).into_iter().map(|gradient| gradient * 4.0);
                gradients.copy_from_slice(&sums.collect::<Vec<_>>());
            }
            put(&mut into.parameters[4..6], &step["statistics"]);
        });
        edited.unwrap();
        stepper.update(&totals).unwrap();
        let average = stepper.average().unwrap().unwrap();
        let raw = held(stepper.engine());
        for numbers in &raw {
            largest = numbers.iter().fold(largest, |largest, number| largest.max(f64::from(number.abs())));
        }
        assert_eq!(average[4..6], raw[4..6], "running statistics are copied");
        for (found, expected) in average.iter().zip(step["averages"][name].as_array().unwrap()) {
            for (&found, expected) in found.iter().zip(numbers(expected)) {
                let bound = 2.0 * 4.0 * ROUNDING * largest / (1.0 - decay);
                let error = (f64::from(found) - expected).abs();
                assert!(error <= bound, "{name}, step {number}: {found}, not {expected}");
            }
        }
    }
}

#[test]
fn weight_averages_match_pytorch() {
    follows_pytorch(Plain::experiment, "plain", 0.9);
    follows_pytorch(HalfLife::experiment, "half_life", 0.871);
    follows_pytorch(WarmUp::experiment, "warmup", 0.6);
}

train! {
    Bounded {
        model: Net,
        data: points(),
        batch: 2,
        steps: 20,
        optimizer: Sgd { lr: 0.5 },
        constrain: MaxNorm { max: 1.5 },
        ema: Ema { decay: 0.5 },
    }
}

/// The gradients are 0, so that only the bound changes the weights. PyTorch divides by a norm that is 1e-7 too large; ours
/// has nine roundings, its factor and the product one each.
#[test]
fn max_norm_matches_pytorch() {
    let file = parse(include_str!("averaging.json"));
    let golden = &file["renorm"];
    let mut training = Bounded::experiment();
    let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
    let settings = training.settings().unwrap();
    let mut engine = engine::open(&graph, settings).unwrap();
    let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
    let before = held(stepper.engine());
    let totals = stepper.accumulate(&[data.batch(&[0, 1]).unwrap()]).unwrap();
    let edited = stepper.engine_mut().store_mut().edit(&mut |into| {
        put(into.parameters, &golden["numbers"]);
        into.gradients.iter_mut().for_each(|gradient| gradient.fill(0.0));
    });
    edited.unwrap();
    stepper.update(&totals).unwrap();
    let found = held(stepper.engine());
    for (place, (found, expected)) in found.iter().zip(golden["expected"].as_array().unwrap()).enumerate() {
        for (&found, expected) in found.iter().zip(numbers(expected)) {
            let bound = expected.abs() * (11.0 * ROUNDING + 1e-7 / 1.5);
            assert!((f64::from(found) - expected).abs() <= bound, "{place}: {found}, not {expected}");
        }
    }
    // A row at the bound and parameters other than matrices keep their bits.
    assert_eq!(found[0][..3], [0.0, 1.5, 0.0]);
    for place in [1, 2, 3, 7] {
        assert_eq!(found[place], singles(&golden["numbers"][place]));
    }
    // The average is of the bounded weights: half of these, half of the first.
    for ((average, found), before) in
        stepper.average().unwrap().unwrap()[0].iter().zip(&found[0]).zip(&before[0])
    {
        let expected = f64::midpoint(f64::from(*found), f64::from(*before));
        assert!((f64::from(*average) - expected).abs() <= 3.0 * ROUNDING * 2.0, "{average}, not {expected}");
    }
}

pub(super) fn put(into: &mut [Vec<f32>], json: &Json) {
    for (numbers, json) in into.iter_mut().zip(json.as_array().unwrap()) {
        let values = singles(json);
        assert_eq!(numbers.len(), values.len());
        *numbers = values;
    }
}

/// Returns the parameters of an engine.
pub(super) fn held(engine: &dyn Engine) -> Vec<Vec<f32>> {
    let parameters = engine.parameters().unwrap();
    parameters.iter().map(|tensor| tensor.flatten_all().unwrap().to_vec1().unwrap()).collect()
}
