//! Subnormal numbers: the planned engine flushes them, custom parts do not, and no thread keeps the mode.
#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use trainspec::data::{Batch, BatchTensor, Elements};
use trainspec::engine::{Engine, MicroBatch, Objective, Planned, Tape};
use trainspec::graph::Graph;
use trainspec::layer::{Layer, Linear, OutputRule};
use trainspec::loss::LossSum;
use trainspec::optim::{ParameterConfig, Update};
use trainspec::prelude::*;
use trainspec::rng::StepIndex;
use trainspec::{CheckResult, Config, Error, Pass, Result, Shape};
use trainspec_kernels::simd::{Level, at_level};
use trainspec_kernels::threads::never_alone;

use super::random::CLASSES;
use super::{Goal, SEED};

/// Returns whether arithmetic on this thread flushes.
fn flushes() -> bool {
    black_box(f32::MIN_POSITIVE) * black_box(0.5) == 0.0
}

/// The identity, which fails where arithmetic flushes, and panics at 13.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Probe {}
pub(crate) use Probe as probe;

#[allow(
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "as a model calls them"
)]
impl Probe {
    pub(crate) const fn check(&self) -> CheckResult {
        Ok(())
    }

    pub(crate) const fn output(&self, input: Shape) -> CheckResult<Shape> {
        Ok(input)
    }
}

impl Config for Probe {
    const NAME: &'static str = "probe";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Probe {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let [x] = inputs else { return Err(Error::arity("probe", 1, inputs.len())) };
        if flushes() {
            return Err(Error::Internal("a layer of a user's own computes in the engine's mode"));
        }
        let numbers: Vec<f32> = x.flatten_all()?.to_vec1()?;
        assert!(!numbers.contains(&13.0), "on purpose");
        Ok((x * 1.0)?)
    }
}

/// Large enough to use the threads of a pool.
#[model]
fn Probed(x: Features<256>) -> Logits<5> {
    x.probe().linear(out = 256).relu().probe().linear(out = 5)
}

/// A loss without a kernel, which fails where arithmetic flushes.
struct OwnLoss(Box<dyn Objective>);

impl Objective for OwnLoss {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        if flushes() {
            return Err(Error::Internal("a loss of a user's own computes in the engine's mode"));
        }
        self.0.sum(prediction, target)
    }
}

fn batch(features: usize, inputs: Vec<f32>) -> Batch {
    let size = inputs.len() / features;
    let target = Elements::Int((0..size).map(|sample| (sample % CLASSES) as u32).collect());
    Batch {
        size,
        inputs: vec![BatchTensor { shape: Shape::of(&[features]), elements: Elements::Float(inputs) }],
        targets: vec![BatchTensor { shape: Shape::class(CLASSES), elements: target }],
        mixed: None,
    }
}

fn step(engine: &mut dyn Engine, batch: &Batch) -> Result<MicroBatch> {
    let result = engine.accumulate(batch, StepIndex::default())?;
    let sgd = Sgd { lr: 0.5, ..Sgd::DEFAULT };
    let treatments = ParameterConfig::of_all(
        &Graph::of(&Linear { out: 1, ..Linear::DEFAULT }, &[Shape::of(&[1])])?.parameters,
        &sgd,
    );
    let count = engine.store().gradients().unwrap().len();
    engine.update(&Update {
        optimizer: &sgd,
        t: 1,
        lr: 0.5,
        treatments: &vec![treatments[0]; count],
        scales: &vec![1.0; count],
        bound: f32::INFINITY.into(),
        share: 1.0,
        starts: &[],
    })?;
    engine.evaluate(batch)?;
    Ok(result)
}

/// Runs `run` with kernels at each level, then on thread pools, none of whose threads may flush afterward.
fn everywhere(run: impl Fn() + Sync) {
    for &level in Level::available() {
        at_level(level, &run);
        assert!(!flushes(), "{level:?}");
    }
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| never_alone(&run));
        assert!(pool.broadcast(|_| !flushes()).into_iter().all(|kept| kept), "{threads} threads");
        never_alone(&run);
        assert!(!flushes());
    }
}

/// A layer of 512 weights of 1 without a bias.
fn fill_weights(engine: &mut dyn Engine) {
    engine.store_mut().edit(&mut |numbers| numbers.parameters[0].fill(1.0)).unwrap();
}

/// Candle sums 3e-38 / 4 four times to 3e-38; where the terms are flushed, the sum is 0. 256 samples use several threads.
#[test]
fn planned_engine_flushes_subnormals_and_tape_engine_does_not() {
    let layer = Linear { out: CLASSES, bias: false, ..Linear::DEFAULT };
    let graph = || Graph::of(&layer, &[Shape::of(&[1024])]).unwrap();
    let inputs = batch(1024, vec![1e-40; 256 * 1024]);
    let logits = |engine: &mut dyn Engine| {
        fill_weights(engine);
        engine.evaluate(&inputs).unwrap();
        engine.predictions(0).unwrap().into_owned()
    };
    let mut tape = Tape::new(graph(), Goal::boxed(true), SEED, Device::Cpu).unwrap();
    assert!(logits(&mut tape).iter().all(|logit| *logit > 0.0));
    everywhere(|| {
        let mut planned = Planned::new(graph(), Goal::boxed(true), SEED).unwrap();
        assert!(logits(&mut planned).iter().all(|logit| *logit == 0.0));
        // Gradients: their factors are below 1, and the inputs are subnormal.
        planned.accumulate(&inputs, StepIndex::default()).unwrap();
        assert!(planned.store().gradients().unwrap().iter().flatten().all(|gradient| *gradient == 0.0));
    });
}

/// Results have the same bits at every level and on any threads for inputs around the least normal number.
#[test]
fn subnormal_inputs_do_not_depend_on_simd_level_or_threads() {
    let inputs = (0..64 * 256_u32).map(|number| {
        let size = 10.0_f32.powi(-((number.wrapping_mul(2_654_435_769) >> 27).cast_signed() + 14));
        if number % 3 == 0 { -size } else { size }
    });
    let inputs = batch(256, inputs.collect());
    let bits = || {
        let mut engine = Planned::new(Probed::graph().unwrap(), Goal::boxed(true), SEED).unwrap();
        step(&mut engine, &inputs).unwrap();
        let weights = engine.store().weights().unwrap();
        let gradients = engine.store().gradients().unwrap();
        let numbers = gradients.iter().chain(weights.iter()).flatten();
        numbers.map(|number| number.to_bits()).collect::<Vec<_>>()
    };
    let expected = bits();
    everywhere(|| assert!(bits() == expected));
}

#[test]
fn custom_parts_keep_subnormal_mode_of_caller() {
    let inputs = batch(256, vec![0.5; 64 * 256]);
    everywhere(|| {
        let graph = Probed::graph().unwrap();
        let mut engine = Planned::new(graph, Box::new(OwnLoss(Goal::boxed(false))), SEED).unwrap();
        step(&mut engine, &inputs).unwrap();
        assert!(!flushes());
    });
}

#[test]
fn panic_in_custom_layer_restores_subnormal_mode() {
    let mut inputs = vec![0.5; 64 * 256];
    inputs[100] = 13.0;
    let inputs = batch(256, inputs);
    everywhere(|| {
        let graph = Probed::graph().unwrap();
        let mut engine = Planned::new(graph, Goal::boxed(true), SEED).unwrap();
        let panics = AssertUnwindSafe(|| step(&mut engine, &inputs));
        assert!(catch_unwind(panics).is_err());
        assert!(!flushes());
    });
}
