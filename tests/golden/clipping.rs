//! Clipping compared with PyTorch, adaptive clipping compared with the paper in f64.
//!
//! The gradients are written into an engine and clipped by a step of `Sgd` with momentum, whose state after the first step
//! is exactly the gradient that the rule received.
//!
//! Seen to fail: clipping after the penalty, PyTorch's `1e-6` at the bound, adaptive clipping of whole tensors, the last
//! layer clipped with the others, the norm reported after clipping.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test stops where something fails; exact is exact"
)]

use std::sync::Arc;

use serde_json::Value as Json;
use trainspec::Experiment;
use trainspec::data::InMemory;
use trainspec::engine::{Engine, Planned, Tape};
use trainspec::prelude::*;
use trainspec::trainer::{StepReport, TrainStep};

use super::file::{numbers, parse, singles};

/// Half a unit in the last place of 1.
const ROUNDING: f64 = f32::EPSILON as f64 / 2.0;

#[model]
fn Net(image: Image<2, 3, 3>) -> Values<2> {
    image.conv2d(out = 3, kernel = 2).flatten().linear(out = 2)
}

/// One sample, so that a window's sum is its average.
fn one() -> trainspec::Result<InMemory<Image<2, 3, 3>, Values<2>>> {
    InMemory::new((0..18).map(|place| place as f32 / 9.0 - 1.0).collect(), vec![1.0, -1.0])
}

macro_rules! runs {
    ($($name:ident: $clip:expr, $l2:expr;)*) => {
        $(train! {
            $name {
                model: Net,
                data: one(),
                batch: 1,
                steps: 10,
                optimizer: Sgd { lr: 0.5, momentum: 0.9, l2: $l2 },
                clip: $clip,
                gradient_norms: true,
            }
        })*
    };
}

runs! {
    Global: GlobalNorm { max: 2.0 }, 0.0;
    Each: PerParameter { max: 2.0 }, 0.0;
    Bounded: ClipValue { max: 0.25 }, 0.0;
    Adaptive: AdaptiveGrad {}, 0.0;
    AdaptiveAll: AdaptiveGrad { last_layer: true }, 0.0;
    GlobalWithPenalty: GlobalNorm { max: 2.0 }, 0.125;
    BoundedWithPenalty: ClipValue { max: 0.25 }, 0.125;
    AdaptiveWithPenalty: AdaptiveGrad {}, 0.125;
}

train! {
    Noisy {
        model: Net,
        data: one(),
        batch: 1,
        steps: 10,
        optimizer: Sgd { lr: 0.5, momentum: 0.9 },
        clip: ClipValue { max: 0.25 },
        gradient_noise: GradientNoise { eta: 4.0 },
    }
}

train! {
    Squared { model: Net, data: one(), batch: 1, steps: 10, optimizer: Adam }
}

train! {
    SquaredAndClipped {
        model: Net,
        data: one(),
        batch: 1,
        steps: 10,
        optimizer: Adam,
        clip: GlobalNorm { max: 1.0 },
    }
}

train! {
    Plain { model: Net, data: one(), batch: 1, steps: 10, optimizer: Sgd { lr: 0.5 } }
}

#[model]
fn Aside(x: Features<2>) -> Logits<3> {
    let _unused = x.linear(out = 4);
    x.linear(out = 3)
}

fn three() -> trainspec::Result<InMemory<Features<2>, Class<3>>> {
    InMemory::new(vec![1.0, 2.0, 3.0, 4.0], vec![0, 2])
}

train! {
    NoisyAside { model: Aside, data: three(), batch: 2, steps: 10, gradient_noise: GradientNoise { eta: 1.0 } }
}

/// No kernel writes the gradient of a layer whose output is not used, so noise in it must be cleared: seen to fail when it is
/// not, and noise accumulates.
#[test]
fn gradient_noise_is_cleared_after_step() {
    for taped in [false, true] {
        let mut training = NoisyAside::experiment();
        let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
        let settings = training.settings().unwrap();
        let objective = Box::new(Arc::clone(&settings.loss[0]));
        let mut engine: Box<dyn Engine> = if taped {
            Box::new(Tape::new(graph.clone(), objective, 1, candle_core::Device::Cpu).unwrap())
        } else {
            Box::new(Planned::new(graph.clone(), objective, 1).unwrap())
        };
        let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
        let batch = data.batch(data.train()).unwrap();
        for _ in 0..2 {
            let totals = stepper.accumulate(std::slice::from_ref(&batch)).unwrap();
            let parameters = graph.parameters.iter().zip(stepper.engine().store().gradients().unwrap());
            let unused: Vec<_> =
                parameters.filter(|(parameter, _)| parameter.path.starts_with("_unused")).collect();
            assert_eq!(unused.len(), 2, "{:?}", graph.parameters);
            for (parameter, gradient) in unused {
                assert!(gradient.iter().all(|number| *number == 0.0), "{}: {gradient:?}", parameter.path);
            }
            stepper.update(&totals).unwrap();
        }
    }
}

/// Returns the gradients that the rule of the first step receives on either engine, and the report of the step.
fn seen(
    training: fn() -> Experiment<Net>,
    weights: &Json,
    gradients: &Json,
) -> [(Vec<Vec<f32>>, StepReport); 2] {
    [false, true].map(|taped| {
        let mut training = training();
        let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
        let settings = training.settings().unwrap();
        let objective = Box::new(Arc::clone(&settings.loss[0]));
        let mut engine: Box<dyn Engine> = if taped {
            Box::new(Tape::new(graph.clone(), objective, 1, candle_core::Device::Cpu).unwrap())
        } else {
            Box::new(Planned::new(graph.clone(), objective, 1).unwrap())
        };
        let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
        let totals = stepper.accumulate(&[data.batch(data.train()).unwrap()]).unwrap();
        assert_eq!(totals.losses[0].weight.to_bits(), 1.0_f64.to_bits(), "the average is the sum");
        let put = |into: &mut [Vec<f32>], json: &Json| {
            for (numbers, json) in into.iter_mut().zip(json.as_array().unwrap()) {
                assert_eq!(numbers.len(), json.as_array().unwrap().len());
                *numbers = singles(json);
            }
        };
        let edited = stepper.engine_mut().store_mut().edit(&mut |numbers| {
            put(numbers.parameters, weights);
            for (numbers, json) in numbers.gradients.iter_mut().zip(gradients.as_array().unwrap()) {
                numbers.copy_from_slice(&singles(json));
            }
        });
        edited.unwrap();
        let report = stepper.update(&totals).unwrap();
        let state = stepper.engine().store().optimizer_state().unwrap();
        (state.iter().map(|slots| slots[0].clone()).collect(), report)
    })
}

/// Asserts that each value is within `relative` of the expected value.
#[track_caller]
fn check(what: &str, found: &[Vec<f32>], expected: &Json, relative: impl Fn(usize) -> f64) {
    for (parameter, (found, expected)) in found.iter().zip(expected.as_array().unwrap()).enumerate() {
        for (place, (&found, expected)) in found.iter().zip(numbers(expected)).enumerate() {
            // Below the least normal number a rounding is half of the least subnormal number.
            let bound = expected.abs() * relative(parameter) + f64::from(f32::from_bits(1));
            let error = (f64::from(found) - expected).abs();
            assert!(error <= bound, "{what}: {parameter}[{place}] is {found:e}, not {expected:e}");
        }
    }
}

fn each_case(run: impl Fn(&str, &Json, &Json, f64)) {
    let file = parse(include_str!("clipping.json"));
    for (name, case) in file["cases"].as_object().unwrap() {
        run(name, case, &file["weights"], file["max"].as_f64().unwrap());
    }
}

/// A norm has at most half of the 18 roundings of its sum of squares, a factor one, its product with an element one.
const SCALED: f64 = 11.0 * ROUNDING;

#[test]
fn norm_clipping_matches_pytorch() {
    each_case(|name, case, weights, max| {
        // PyTorch divides by a norm that is 1e-6 too large, if at all.
        let (norm, norms) = (case["norm"].as_f64().unwrap(), numbers(&case["norms"]));
        let slack = |norm: f64| if norm > max { SCALED + 1e-6 / norm } else { 0.0 };
        for (found, report) in seen(Global::experiment, weights, &case["gradients"]) {
            check(name, &found, &case["global"], |_| slack(norm));
            assert!((report.gradient_norm - norm).abs() <= 9.0 * ROUNDING * norm, "{name}");
            let paths: Vec<_> = report.gradient_norms.iter().map(|(path, _)| &**path).collect();
            assert_eq!(paths, ["conv2d_1.weight", "conv2d_1.bias", "linear_1.weight", "linear_1.bias"]);
            for ((path, found), expected) in report.gradient_norms.iter().zip(&norms) {
                assert!((found - expected).abs() <= 9.0 * ROUNDING * expected, "{name}: {path}");
            }
        }
        for (found, _) in seen(Each::experiment, weights, &case["gradients"]) {
            check(name, &found, &case["each"], |parameter| slack(norms[parameter]));
        }
    });
}

/// 0.25 is exact in f32, so nothing rounds.
#[test]
fn value_clipping_matches_pytorch() {
    each_case(|name, case, weights, _| {
        for (found, _) in seen(Bounded::experiment, weights, &case["gradients"]) {
            check(name, &found, &case["value"], |_| 0.0);
        }
    });
}

/// Both norms of a unit are rounded, which adds nine roundings.
#[test]
fn adaptive_clipping_matches_paper() {
    each_case(|name, case, weights, _| {
        for (training, expected) in
            [(Adaptive::experiment as fn() -> _, "adaptive"), (AdaptiveAll::experiment, "adaptive_all")]
        {
            for (found, _) in seen(training, weights, &case["gradients"]) {
                check(name, &found, &case[expected], |_| SCALED + 9.0 * ROUNDING);
            }
        }
    });
}

/// Only the gradient of the loss is clipped; `l2 * w`, for matrices and kernels, is added unclipped.
#[test]
fn penalties_are_added_after_gradient_clipping() {
    each_case(|name, case, weights, _| {
        for (training, plain) in [
            (GlobalWithPenalty::experiment as fn() -> _, Global::experiment as fn() -> _),
            (BoundedWithPenalty::experiment, Bounded::experiment),
            (AdaptiveWithPenalty::experiment, Adaptive::experiment),
        ] {
            let found = seen(training, weights, &case["gradients"]);
            for ((found, _), (clipped, _)) in found.iter().zip(seen(plain, weights, &case["gradients"])) {
                for (parameter, (found, clipped)) in found.iter().zip(&clipped).enumerate() {
                    let weights = singles(&weights[parameter]);
                    let l2 = if parameter % 2 == 0 { 0.125 } else { 0.0 };
                    for ((found, g), w) in found.iter().zip(clipped).zip(weights) {
                        // The product with a power of two is exact, the sum is rounded once in either place.
                        assert_eq!(*found, g + l2 * w, "{name}: {parameter}");
                    }
                }
            }
        }
    });
}

/// A gradient of 0 becomes the noise, which is added to any other gradient unclipped, and exceeds the bound itself. The mean
/// of the 53 squares has the deviation `4 sqrt(2 / 53)`.
#[test]
fn gradient_noise_is_added_after_clipping() {
    let file = parse(include_str!("clipping.json"));
    let gradients = &file["cases"]["zero"]["gradients"];
    let [(noise, _), (taped, _)] = seen(Noisy::experiment, &file["weights"], gradients);
    assert_eq!(noise, taped);
    let squares: Vec<f64> = noise.iter().flatten().map(|noise| f64::from(*noise).powi(2)).collect();
    let mean = squares.iter().sum::<f64>() / squares.len() as f64;
    assert!((mean - 4.0).abs() < 5.0 * 4.0 * (2.0 / squares.len() as f64).sqrt(), "{mean}");
    assert_ne!(noise[0][..2], noise[2][..2], "each parameter has its own");
    each_case(|name, case, weights, _| {
        for (found, _) in seen(Noisy::experiment, weights, &case["gradients"]) {
            for (parameter, found) in found.iter().enumerate() {
                let clipped = singles(&case["value"][parameter]);
                for ((found, clipped), noise) in found.iter().zip(clipped).zip(&noise[parameter]) {
                    assert_eq!(*found, clipped + noise, "{name}: {parameter}");
                }
            }
        }
    });
}

/// Gradients of one large or small element, `[0][3]`.
fn single(element: f32) -> Json {
    let mut first = vec![0.0; 24];
    first[3] = f64::from(element);
    serde_json::json!([first, vec![0.0; 3], vec![0.0; 24], vec![0.0; 2]])
}

/// PyTorch: norm 9.99999956e24, clipped gradient 1. Seen to fail when squares were summed in f32: the norm was infinite, and
/// the run stopped; and, at the largest number, when the factor, a subnormal one, was flushed.
#[test]
fn norm_of_large_finite_gradient_is_finite() {
    let file = parse(include_str!("clipping.json"));
    for element in [1e25, 2e19, f32::MAX, -1e38] {
        for (training, expected) in [
            (Global::experiment as fn() -> Experiment<Net>, 2.0),
            (Each::experiment, 2.0),
            (Bounded::experiment, 0.25),
        ] {
            for (found, report) in seen(training, &file["weights"], &single(element)) {
                let norm = f64::from(element.abs());
                assert_eq!(report.gradient_norm, norm);
                assert_eq!(report.gradient_norms[0].1, norm);
                assert_eq!(report.gradient_norms[1].1, 0.0);
                let error = f64::from(found[0][3].abs()) / expected - 1.0;
                assert!(error.abs() <= SCALED, "{element}: {}", found[0][3]);
                assert_eq!(found[0][3] > 0.0, element > 0.0);
                assert!(found[1].iter().all(|number| *number == 0.0));
            }
        }
        // The bound is 0.01 times the norm of the unit's weights.
        for (found, report) in seen(AdaptiveAll::experiment, &file["weights"], &single(element)) {
            assert_eq!(report.gradient_norm, f64::from(element.abs()));
            let weights =
                singles(&file["weights"][0])[..8].iter().map(|w| f64::from(*w).powi(2)).sum::<f64>();
            let error = f64::from(found[0][3].abs()) / (0.01 * weights.sqrt().max(1e-3)) - 1.0;
            assert!(error.abs() <= SCALED + 9.0 * ROUNDING, "{element}: {}", found[0][3]);
        }
    }
}

/// Seen to fail when squares were summed in f32: the norm was 0.
#[test]
fn norm_of_small_gradient_is_above_zero() {
    let file = parse(include_str!("clipping.json"));
    for element in [1e-30, 1e-20, f32::MIN_POSITIVE] {
        for (found, report) in seen(Global::experiment, &file["weights"], &single(element)) {
            assert_eq!(report.gradient_norm, f64::from(element));
            assert_eq!(found[0][3], element);
        }
    }
}

/// An optimizer that keeps squares would have an infinite one forever, and never change the weight again.
#[test]
fn gradient_square_above_f32_stops_run() {
    let outcome = |training: fn() -> Experiment<Net>| {
        let mut training = training();
        let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
        let settings = training.settings().unwrap();
        let mut engine = trainspec::engine::open(&graph, settings).unwrap();
        let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
        let totals = stepper.accumulate(&[data.batch(data.train()).unwrap()]).unwrap();
        stepper.engine_mut().store_mut().edit(&mut |numbers| numbers.gradients[0][3] = 1e25).unwrap();
        stepper.update(&totals).map(|report| report.gradient_norm).map_err(|error| error.to_string())
    };
    let problem = outcome(Squared::experiment).unwrap_err();
    assert!(problem.contains("their squares where the optimizer keeps them"), "{problem}");
    let norm = outcome(Plain::experiment).unwrap();
    assert!((norm / 1e25 - 1.0).abs() < 1e-6, "{norm}");
    assert_eq!(outcome(SquaredAndClipped::experiment).unwrap(), norm);
}

/// A norm equal to the bound changes no bit, and one just above does.
#[test]
fn norm_equal_to_bound_is_not_clipped() {
    // 3 and 4 have the norm 5 without rounding.
    let gradient = |large: f64| -> Json {
        let mut first = vec![0.0; 24];
        (first[3], first[20]) = (3.0, large);
        serde_json::json!([first, vec![0.0; 3], vec![0.0; 24], vec![0.0; 2]])
    };
    let clipped = |large: f64| {
        let mut training = Global::experiment().set("clip.max", "5").unwrap();
        let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
        let settings = training.settings().unwrap();
        let mut engine = trainspec::engine::open(&graph, settings).unwrap();
        let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
        let totals = stepper.accumulate(&[data.batch(data.train()).unwrap()]).unwrap();
        let edited = stepper.engine_mut().store_mut().edit(&mut |numbers| {
            for (numbers, json) in numbers.gradients.iter_mut().zip(gradient(large).as_array().unwrap()) {
                numbers.copy_from_slice(&singles(json));
            }
        });
        edited.unwrap();
        let report = stepper.update(&totals).unwrap();
        (stepper.engine().store().optimizer_state().unwrap()[0][0][20], report.gradient_norm)
    };
    assert_eq!(clipped(4.0), (4.0, 5.0));
    let (found, norm) = clipped(8.0);
    assert!(norm > 5.0 && found < 8.0);
}
