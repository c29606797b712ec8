//! Runs in 16 bits: steps that overflow change only the counters, and everything else continues.

#![allow(missing_docs, clippy::unwrap_used)]

use candle_core::Device;
use trainspec::data::{Batch, Digits8x8, Elements};
use trainspec::engine::{Engine, Planned, Tape};
use trainspec::prelude::*;
use trainspec::trainer::{Event, Scaling, TrainStep};
use trainspec::{Experiment, Model, engine};

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    let x = image.conv2d(out = 4, kernel = 3, padding = 1).batch_norm().relu();
    x.max_pool2d(kernel = 2).flatten().dropout(p = 0.2).linear(out = 16).gelu().linear(out = 10)
}

train! {
    Half {
        model: Net,
        data: Digits8x8::embedded(),
        batch: 32,
        accumulate: 2,
        steps: 40,
        optimizer: AdamW { lr: 1e-3 },
        schedule: [Cosine],
        clip: GlobalNorm { max: 1.0 },
        precision: F16 { loss_scale: Dynamic { init: 1024, interval: 4 } },
    }
}

train! {
    Brain {
        model: Net,
        data: Digits8x8::embedded(),
        batch: 32,
        steps: 40,
        optimizer: AdamW { lr: 1e-3 },
        precision: Bf16,
        on_non_finite: Skip { limit: 2 },
    }
}

train! {
    Full { model: Net, data: Digits8x8::embedded(), batch: 32, steps: 40 }
}

/// Returns every bit of the state in a checkpoint, except the loss scale.
fn state(engine: &dyn Engine) -> Vec<u32> {
    let parameters = engine.parameters().unwrap();
    let parameters = parameters.iter().map(|tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap());
    let optimizer = engine.store().optimizer_state().unwrap();
    let optimizer = optimizer.iter().flatten().cloned();
    parameters.chain(optimizer).flatten().map(f32::to_bits).collect()
}

/// A batch with one pixel that is too large for f16, or NaN.
fn broken(batch: &Batch, pixel: f32) -> Batch {
    let mut batch = batch.clone();
    let Elements::Float(pixels) = &mut batch.inputs[0].elements else { unreachable!("images are real") };
    pixels[100] = pixel;
    batch
}

/// Takes steps with either engine; `run` receives two micro-batches and the settings of the run.
fn with_engines<M: Model>(training: fn() -> Experiment<M>, run: impl Fn(&mut TrainStep<'_>, [Batch; 2])) {
    let mut training = training();
    let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
    let settings = training.settings().unwrap();
    let format = settings.precision.format();
    let loss = || Box::new(std::sync::Arc::clone(&settings.loss[0]));
    let planned = Planned::new(graph.clone(), loss(), settings.seed).unwrap().with_storage(format);
    let tape = Tape::new(graph.clone(), loss(), settings.seed, Device::Cpu).unwrap().with_format(format);
    for mut engine in [Box::new(planned) as Box<dyn Engine>, Box::new(tape)] {
        let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
        let batches = [0, 32].map(|first| data.batch(&data.train()[first..first + 32]).unwrap());
        run(&mut stepper, batches);
    }
}

/// An invalid class is detected after the forward pass, which has already updated the running statistics.
#[test]
fn rejected_batch_does_not_change_state() {
    with_engines(Full::experiment, |stepper, [good, mut bad]| {
        let Elements::Int(classes) = &mut bad.targets[0].elements else {
            unreachable!("targets are classes")
        };
        classes[3] = 10;
        let before = state(stepper.engine());
        for window in [[bad.clone(), good.clone()], [good, bad]] {
            assert!(stepper.step(&window).is_err());
            assert_eq!(state(stepper.engine()), before);
        }
    });
}

/// Seen to fail when running statistics are not restored, when `t` or the schedule moves on a skip, and when the norm is
/// computed before unscaling.
#[test]
fn overflowing_step_changes_only_loss_scale() {
    with_engines(Half::experiment, |stepper, [a, b]| {
        for k in 1..=3 {
            let report = stepper.step(&[a.clone(), b.clone()]).unwrap();
            assert_eq!((report.step, report.skip), (k, None));
            // Clipping uses gradients of the loss, not of 1024 times the loss.
            assert!(report.gradient_norm < 20.0, "{}", report.gradient_norm);
        }
        let (before, rate) = (state(stepper.engine()), stepper.rate());
        for (skips, pixel) in [(1, 1e30), (2, f32::INFINITY), (3, f32::NAN)] {
            // The first micro-batch is valid, so statistics have changed when the second one overflows.
            let report = stepper.step(&[a.clone(), broken(&b, pixel)]).unwrap();
            let skip = report.skip.unwrap();
            assert_eq!((report.step, skip.in_a_row, skip.total), (4, skips, skips));
            assert!(
                skip.reason.contains("the gradient of `conv2d_1.weight` is not finite"),
                "{}",
                skip.reason
            );
            assert_eq!(state(stepper.engine()), before);
            assert_eq!(stepper.rate().to_bits(), rate.to_bits());
        }
        assert_eq!(stepper.scaling().loss_scale, Some(128.0));
        assert_eq!(stepper.step(&[a.clone(), b.clone()]).unwrap().step, 4);
        assert_ne!(state(stepper.engine()), before);
        let expected = Scaling { loss_scale: Some(128.0), good_steps: 1, skipped_in_a_row: 0, skipped: 3 };
        assert_eq!(stepper.scaling(), expected);
        for _ in 0..3 {
            stepper.step(&[a.clone(), b.clone()]).unwrap();
        }
        assert_eq!(stepper.scaling().loss_scale, Some(256.0));
    });
}

/// A run that skipped a step continues like one that did not, bit for bit.
#[test]
fn skipped_step_does_not_change_state() {
    // Two engines, one of which receives a broken batch in between.
    let ends = [false, true].map(|breaks| {
        let mut training = Brain::experiment();
        let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
        let settings = training.settings().unwrap();
        let mut engine = engine::open(&graph, settings).unwrap();
        let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
        for first in [0, 32, 64] {
            let batch = data.batch(&data.train()[first..first + 32]).unwrap();
            if breaks {
                assert!(stepper.step(&[broken(&batch, f32::NAN)]).unwrap().skip.is_some());
            }
            stepper.step(&[batch]).unwrap();
        }
        state(stepper.engine())
    });
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn too_many_skipped_steps_stop_run() {
    let said = |stepper: &mut TrainStep<'_>, batch: &Batch, skips: usize| {
        let window = [broken(batch, f32::NAN)];
        for _ in 0..skips {
            assert!(stepper.step(&window).unwrap().skip.is_some());
        }
        stepper.step(&window).unwrap_err().to_string()
    };
    with_engines(Half::experiment, |stepper, [a, _]| {
        // 1024 to 1, then once more.
        let problem = said(stepper, &a, 10);
        assert!(problem.contains("the loss scale is already at its minimum, 1;"), "{problem}");
    });
    with_engines(
        || Half::experiment().set("precision", r#"{"type":"F16","loss_scale":1024}"#).unwrap(),
        |stepper, [a, _]| {
            let problem = said(stepper, &a, 19);
            assert!(problem.contains("20 consecutive steps were skipped"), "{problem}");
            assert_eq!(stepper.scaling().loss_scale, Some(1024.0));
        },
    );
    with_engines(Brain::experiment, |stepper, [a, _]| {
        let problem = said(stepper, &a, 2);
        assert!(
            problem.contains("`conv2d_1.weight` is not finite; 3 consecutive steps were skipped"),
            "{problem}"
        );
        assert!(problem.ends_with("try a smaller `lr`"), "{problem}");
    });
    with_engines(Full::experiment, |stepper, [a, _]| {
        let problem = said(stepper, &a, 0);
        assert!(problem.contains("step 1: the gradient of `conv2d_1.weight` is not finite"), "{problem}");
    });
}

#[test]
fn loss_scale_state_is_resumed() {
    let ends =
        [None, Some(Scaling { loss_scale: Some(64.0), good_steps: 3, skipped_in_a_row: 0, skipped: 5 })];
    with_engines(Half::experiment, |stepper, [a, b]| {
        for end in ends.iter().flatten() {
            stepper.set_scaling(*end).unwrap();
            stepper.step(&[a.clone(), b.clone()]).unwrap();
            let expected =
                Scaling { loss_scale: Some(128.0), good_steps: 0, skipped_in_a_row: 0, skipped: 5 };
            assert_eq!(stepper.scaling(), expected);
        }
        assert!(stepper.set_scaling(Scaling::default()).is_err());
    });
}

/// A whole run: the first steps are skipped and reported until the scale fits; the run still takes all its steps.
#[test]
fn run_reports_skipped_steps_and_completes_all_steps() {
    let folder = tempfile::tempdir().unwrap();
    let (mut steps, mut skips) = (Vec::new(), Vec::new());
    let training = Half::experiment()
        .set("precision", r#"{"type":"F16","loss_scale":{"init":2147483648,"interval":1000}}"#)
        .unwrap()
        .set("checkpoint", "null")
        .unwrap();
    let run = training
        .out(folder.path())
        .run_with(&mut |event: &Event<'_>| {
            match event {
                Event::Step(report) => steps.push(report.step),
                Event::Skip(report) => skips.push((report.step, report.loss_scale)),
                _ => {}
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(steps, (1..=40).collect::<Vec<_>>());
    assert!(skips.len() >= 5 && skips[0] == (1, Some(2_147_483_648.0)), "{skips:?}");
    let scaling = run.outcome.scaling;
    assert_eq!(scaling.skipped as usize, skips.len());
    assert!((1.0..2_147_483_648.0).contains(&scaling.loss_scale.unwrap()));
    let read = |name: &str| std::fs::read_to_string(run.folder.as_ref().unwrap().join(name)).unwrap();
    let lines = read("metrics.jsonl");
    assert_eq!(lines.lines().filter(|line| line.starts_with(r#"{"kind":"skip""#)).count(), skips.len());
    assert!(lines.contains(r#""loss_scale":2147483648.0"#));
    let manifest: serde_json::Value = serde_json::from_str(&read("manifest.json")).unwrap();
    assert_eq!(manifest["result"]["skipped_steps"], skips.len());
}

#[test]
fn loss_scale_with_on_non_finite_is_rejected() {
    let rule = r#"{"type":"Skip","limit":3}"#;
    let error = Full::experiment()
        .set("on_non_finite", rule)
        .unwrap()
        .set("precision", r#"{"type":"F16","loss_scale":1024}"#);
    let error = error.err().unwrap().to_string();
    assert!(error.contains("has no effect in f16"), "{error}");
    let error = Full::experiment().set("precision", "F16").err().unwrap().to_string();
    assert!(error.contains("`F16` needs a loss scale"), "{error}");
    assert!(Full::experiment().set("precision", "Bf16").is_ok());
}
