//! Results do not depend on threads, SIMD levels, or the other samples of a batch.

use proptest::prelude::*;
use trainspec::data::{Batch, BatchTensor, Elements};
use trainspec::engine::{Engine, Planned};
use trainspec::rng::StepIndex;
use trainspec_kernels::simd::{Level, at_level};
use trainspec_kernels::threads::never_alone;

use super::random::{Input, RandomModel};
use super::{Goal, SEED, batch, models};

/// Returns every result of two micro-batches as bits.
fn bits(model: RandomModel, size: usize) -> Vec<u32> {
    let mut engine = Planned::new(model.graph(), Goal::boxed(true), SEED).unwrap();
    let mut numbers = Vec::new();
    for micro_batch in 0..2 {
        let batch = batch(model, size + micro_batch as usize, micro_batch.into());
        let part = engine.accumulate(&batch, StepIndex { step: 5, micro_batch }).unwrap();
        numbers.push(part[0].loss as f32);
        numbers.extend(engine.prediction(0).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap());
    }
    numbers.extend(engine.store().gradients().unwrap().iter().flatten());
    for parameter in engine.parameters().unwrap() {
        numbers.extend(parameter.flatten_all().unwrap().to_vec1::<f32>().unwrap());
    }
    numbers.into_iter().map(f32::to_bits).collect()
}

/// Returns one sample of a batch alone.
fn alone(batch: &Batch, number: usize) -> Batch {
    let column = |column: &BatchTensor| {
        let each = column.shape.elements();
        let elements = match &column.elements {
            Elements::Float(reals) => Elements::Float(reals[number * each..][..each].to_vec()),
            Elements::Int(wholes) => Elements::Int(wholes[number * each..][..each].to_vec()),
        };
        BatchTensor { shape: column.shape, elements }
    };
    Batch {
        size: 1,
        inputs: vec![column(&batch.inputs[0])],
        targets: vec![column(&batch.targets[0])],
        mixed: None,
    }
}

proptest! {
    #![proptest_config(models(64))]
    #[test]
    fn results_do_not_depend_on_threads_or_simd_level(
        seed in 0..1_u64 << 32,
        kind in 0..Input::ALL.len(),
        layers in 1..10_usize,
        size in 2..40_usize,
    ) {
        let model = RandomModel { input: Input::ALL[kind], seed, layers, knot: None };
        let expected = bits(model, size);
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| never_alone(|| bits(model, size)));
            prop_assert!(found == expected, "{threads} threads: {model:?}");
        }
        for &level in Level::available() {
            prop_assert!(at_level(level, || bits(model, size)) == expected, "{level:?}: {model:?}");
        }
    }

    #[test]
    fn sample_result_does_not_depend_on_other_samples(
        seed in 0..1_u64 << 32,
        kind in 0..Input::ALL.len(),
        layers in 1..10_usize,
        size in 2..40_usize,
    ) {
        let model = RandomModel { input: Input::ALL[kind], seed, layers, knot: None };
        let mut engine = Planned::new(model.graph(), Goal::boxed(true), SEED).unwrap();
        let batch = batch(model, size, 0);
        let predict = |engine: &mut Planned, batch: &Batch| {
            engine.evaluate(batch).unwrap();
            engine.prediction(0).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        let together = predict(&mut engine, &batch);
        let each = together.len() / size;
        for (number, expected) in together.chunks(each).enumerate() {
            let found = predict(&mut engine, &alone(&batch, number));
            let same = found.iter().zip(expected).all(|(a, b)| a.to_bits() == b.to_bits());
            prop_assert!(same, "sample {number} of {size}: {model:?}");
        }
    }
}
