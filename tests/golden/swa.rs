//! Stochastic weight averaging compared with PyTorch's `AveragedModel` and `update_bn`.
//!
//! Meant to detect: an average that starts one step late, one of all steps, statistics weighted by the number of samples, statistics that
//! are moving averages.

#![allow(clippy::unwrap_used, reason = "a test stops where something fails")]

use trainspec::data::InMemory;
use trainspec::engine::{self, Tape};
use trainspec::prelude::*;
use trainspec::trainer::TrainStep;
use trainspec::{Error, Experiment, Result, Run};

use super::averaging::{Net, ROUNDING, held, points, put};
use super::file::{numbers, parse, singles};

train! {
    Averaged {
        model: Net,
        data: points(),
        batch: 2,
        accumulate: 2,
        steps: 20,
        optimizer: Sgd { lr: 1.0 },
        ema: Swa { start: Steps(5), every: Steps(3) },
    }
}

/// As for the exponential averages: the weights follow the file bit for bit. At each update the average rounds a difference, a product and
/// a sum, of values below the largest so far; PyTorch does the same.
#[test]
fn swa_matches_pytorch() {
    let file = parse(include_str!("averaging.json"));
    let golden = &file["averages"];
    let mut training = Averaged::experiment();
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
                let sums = singles(json).into_iter().map(|gradient| gradient * 4.0);
                gradients.copy_from_slice(&sums.collect::<Vec<_>>());
            }
            put(&mut into.parameters[4..6], &step["statistics"]);
        });
        edited.unwrap();
        stepper.update(&totals).unwrap();
        let raw = held(stepper.engine());
        for numbers in &raw {
            largest = numbers.iter().fold(largest, |largest, number| largest.max(f64::from(number.abs())));
        }
        let used = stepper.with_evaluation_weights(|engine| Ok(held(engine))).unwrap();
        assert_eq!(held(stepper.engine()), raw, "training continues with the weights");
        if step["swa"].is_null() {
            assert!(stepper.average().unwrap().is_none(), "step {number}");
            assert_eq!(used, raw);
            continue;
        }
        let average = stepper.average().unwrap().unwrap();
        assert_eq!(used, *average);
        for (place, (found, expected)) in average.iter().zip(step["swa"].as_array().unwrap()).enumerate() {
            // PyTorch copies the buffers at each update, too.
            for (&found, expected) in found.iter().zip(numbers(expected)) {
                let bound = if place == 4 || place == 5 { 0.0 } else { 6.0 * 4.0 * ROUNDING * largest };
                let error = (f64::from(found) - expected).abs();
                assert!(error <= bound, "step {number}, {place}: {found}, not {expected}");
            }
        }
    }
}

/// The samples of the file, of which the last batch has three.
fn recorded() -> Result<impl Dataset<Input = Features<3>, Target = Values<2>>> {
    let file = parse(include_str!("averaging.json"));
    let inputs = singles(&file["statistics"]["x"]);
    let samples = inputs.len() / 3;
    let data = InMemory::<Features<3>, Values<2>>::new(inputs, vec![0.5; 2 * samples])?;
    Ok(data.with_split(Split::Fixed { train: 0..samples, validation: 0..0, test: 0..0 }))
}

train! {
    Recorded {
        model: Net,
        data: recorded(),
        batch: 4,
        epochs: 1,
        optimizer: Sgd { lr: 1e-30 },
        ema: Swa { start: Steps(1) },
    }
}

/// On both engines. The values are below 4 and are sums of at most 12 products and squares.
#[test]
fn statistics_of_average_match_pytorch() {
    let file = parse(include_str!("averaging.json"));
    let golden = &file["statistics"];
    let mut training = Recorded::experiment();
    let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
    let settings = training.settings().unwrap();
    let objective = Box::new(std::sync::Arc::clone(&settings.loss[0]));
    let tape = Tape::new(graph.clone(), objective, 0, candle_core::Device::Cpu);
    let mut engines: [Box<dyn engine::Engine>; 2] =
        [engine::open(&graph, settings).unwrap(), Box::new(tape.unwrap())];
    for engine in &mut engines {
        let mut stepper = TrainStep::new(&mut **engine, &graph, settings, &data).unwrap();
        stepper.step(&[data.batch(&[0, 1, 2, 3]).unwrap()]).unwrap();
        stepper
            .engine_mut()
            .store_mut()
            .edit(&mut |into| put(into.parameters, &golden["parameters"]))
            .unwrap();
        // So that the average has these weights.
        stepper.engine_mut().store_mut().average(1.0).unwrap();
        let before = held(stepper.engine());
        stepper.refresh_statistics(&data).unwrap();
        assert_eq!(held(stepper.engine()), before);
        assert_eq!(stepper.average().unwrap().unwrap()[4], before[4], "a stored average has copies");
        let used = stepper.with_evaluation_weights(|engine| Ok(held(engine))).unwrap();
        assert_eq!(held(stepper.engine()), before);
        for (found, expected) in used[4..6].iter().zip(golden["expected"].as_array().unwrap()) {
            for (&found, expected) in found.iter().zip(numbers(expected)) {
                let bound = 40.0 * ROUNDING * 16.0;
                assert!((f64::from(found) - expected).abs() <= bound, "{found}, not {expected}");
            }
        }
        stepper.finish().unwrap();
        assert_eq!(held(&**engine)[6], used[6]);
    }
}

#[test]
fn average_that_never_starts_is_rejected() {
    let training = Averaged::experiment().set("ema.start", r#"{"Epochs":11}"#).unwrap();
    let problem = training.without_folder().run().unwrap_err();
    assert!(matches!(problem, Error::Setting { .. }), "{problem}");
    assert_eq!(
        problem.to_string(),
        "ema.start: the average starts after 22 steps, but the run has 20; use an earlier `start`, or a longer run"
    );
}

/// The evaluations of a run that ends with its average: the final model has the statistics of the average, not those of training.
#[test]
fn final_model_has_statistics_of_average() {
    let run = |training: Experiment<Net>| {
        training.set("optimizer.lr", "0.01").unwrap().without_folder().run().unwrap()
    };
    let statistic = |run: &Run<Net>| -> Vec<f32> {
        let mut all = run.model.parameters();
        all.find(|(path, _)| path.ends_with("running_mean")).unwrap().1.to_vec1().unwrap()
    };
    let plain = run(Averaged::experiment().set("ema", "null").unwrap());
    let averaged = run(Averaged::experiment());
    assert_ne!(statistic(&plain), statistic(&averaged));
    let again = run(Averaged::experiment());
    assert_eq!(statistic(&again), statistic(&averaged));
}
