//! Batches of mixed samples: the loss, its weight and every gradient are the weighted sums for both targets.

use candle_core::Device;
use trainspec::data::{Batch, BatchTensor, Elements, Mixed};
use trainspec::engine::{Engine, Planned, Tape};
use trainspec::rng::StepIndex;
use trainspec_kernels::simd::{Level, at_level};
use trainspec_kernels::threads::never_alone;

use super::random::{CLASSES, Input, RandomModel};
use super::{Goal, SEED, batch, largest};

const AT: StepIndex = StepIndex { step: 3, micro_batch: 1 };

fn model(seed: u64) -> RandomModel {
    RandomModel { input: Input::Features, seed, layers: 5, knot: None }
}

/// The same samples, each with the next class.
fn other_targets(batch: &Batch) -> BatchTensor {
    let Elements::Int(targets) = &batch.targets[0].elements else { panic!("the targets are classes") };
    let elements = Elements::Int(targets.iter().map(|class| (class + 1) % CLASSES as u32).collect());
    BatchTensor { shape: batch.targets[0].shape, elements }
}

fn engines(model: RandomModel) -> [Box<dyn Engine>; 3] {
    let planned = |has_kernel| Planned::new(model.graph(), Goal::boxed(has_kernel), SEED).unwrap();
    let tape = Tape::new(model.graph(), Goal::boxed(false), SEED, Device::Cpu).unwrap();
    [Box::new(planned(true)), Box::new(planned(false)), Box::new(tape)]
}

/// Compares loss, weight and gradients of one micro-batch with those of each target alone.
#[test]
fn mixed_targets_are_weighted_by_share() {
    for seed in 0..8 {
        let plain = batch(model(seed), 6, 0);
        let swapped = Batch { targets: vec![other_targets(&plain)], ..plain.clone() };
        for share in [0.3, 0.5, 0.875] {
            let second = Mixed { targets: vec![other_targets(&plain)], share };
            let mixed = Batch { mixed: Some(second), ..plain.clone() };
            for number in 0..3 {
                let run = |batch: &Batch| {
                    let engine = &mut engines(model(seed))[number];
                    let part = engine.accumulate(batch, AT).unwrap();
                    (part, engine.store().gradients().unwrap())
                };
                let (first, second, both) = (run(&plain), run(&swapped), run(&mixed));
                assert_eq!(both.0[0].weight.to_bits(), 6.0_f64.to_bits());
                let loss = share * first.0[0].loss + (1.0 - share) * second.0[0].loss;
                // The tape's sum is rounded to f32 a few times.
                assert!((both.0[0].loss - loss).abs() <= 4.0 * f64::from(f32::EPSILON) * loss);
                let all = |gradients: &[Vec<f32>]| -> Vec<f64> {
                    gradients.iter().flatten().map(|&d| f64::from(d)).collect()
                };
                let (first, second, both) = (all(&first.1), all(&second.1), all(&both.1));
                let scale = largest(first.iter().chain(&second).copied());
                // Backward is linear, and each of its sums rounds: some dozen roundings a layer.
                let allowed = 512.0 * f64::from(f32::EPSILON) * scale;
                for ((first, second), both) in first.iter().zip(&second).zip(&both) {
                    let expected = share * first + (1.0 - share) * second;
                    assert!((both - expected).abs() <= allowed, "{both}, expected {expected} of {scale}");
                }
                assert!(largest(first.iter().zip(&both).map(|(a, b)| a - b)) > 16.0 * allowed, "both count");
            }
        }
    }
}

/// A share of 1 or 0 equals a batch of one target, bit for bit.
#[test]
fn share_of_one_equals_single_target() {
    let plain = batch(model(1), 6, 0);
    let swapped = Batch { targets: vec![other_targets(&plain)], ..plain.clone() };
    for (share, alone) in [(1.0, &plain), (0.0, &swapped)] {
        let mixed =
            Batch { mixed: Some(Mixed { targets: vec![other_targets(&plain)], share }), ..plain.clone() };
        for (mut engine, mut single) in engines(model(1)).into_iter().zip(engines(model(1))) {
            assert_eq!(engine.accumulate(&mixed, AT).unwrap(), single.accumulate(alone, AT).unwrap());
            assert_eq!(engine.store().gradients().unwrap(), single.store().gradients().unwrap());
            assert_eq!(engine.evaluate(&mixed).unwrap(), single.evaluate(alone).unwrap());
        }
    }
}

/// A mixed micro-batch does not affect the next one.
#[test]
fn mixed_batch_leaves_no_state_for_plain_batch() {
    let plain = batch(model(2), 6, 0);
    let mixed =
        Batch { mixed: Some(Mixed { targets: vec![other_targets(&plain)], share: 0.4 }), ..plain.clone() };
    for (mut engine, mut fresh) in engines(model(2)).into_iter().zip(engines(model(2))) {
        engine.evaluate(&mixed).unwrap();
        assert_eq!(engine.accumulate(&plain, AT).unwrap(), fresh.accumulate(&plain, AT).unwrap());
        assert_eq!(engine.store().gradients().unwrap(), fresh.store().gradients().unwrap());
    }
}

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    let plain = batch(model(3), 9, 0);
    let mixed = Batch { mixed: Some(Mixed { targets: vec![other_targets(&plain)], share: 0.7 }), ..plain };
    let bits = || {
        let mut engine = Planned::new(model(3).graph(), Goal::boxed(true), SEED).unwrap();
        let part = engine.accumulate(&mixed, AT).unwrap();
        let gradients =
            engine.store().gradients().unwrap().iter().flatten().map(|d| d.to_bits()).collect::<Vec<_>>();
        (part[0].loss.to_bits(), gradients)
    };
    let expected = bits();
    for &level in Level::available() {
        assert!(at_level(level, bits) == expected, "{level:?}");
    }
    for threads in 1..=3 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(pool.install(|| never_alone(bits)) == expected, "{threads} threads");
    }
}

#[test]
fn second_target_is_validated() {
    let plain = batch(model(1), 6, 0);
    let said = |target: BatchTensor, share: f64, engine: &mut dyn Engine| {
        let mixed = Batch { mixed: Some(Mixed { targets: vec![target], share }), ..plain.clone() };
        engine.accumulate(&mixed, AT).unwrap_err().to_string()
    };
    let short = BatchTensor { shape: plain.targets[0].shape, elements: Elements::Int(vec![0; 5]) };
    for mut engine in engines(model(1)) {
        for share in [-0.1, 1.5, f64::NAN] {
            let problem = said(other_targets(&plain), share, &mut *engine);
            assert!(problem.contains("share") && problem.contains("expected 0 to 1"), "{problem}");
        }
    }
    for engine in &mut engines(model(1))[..2] {
        let problem = said(short.clone(), 0.5, &mut **engine);
        assert!(problem.contains("the second target has 5 values; expected 6"), "{problem}");
    }
}
