//! Inputs whose squares are infinite in f32, after each normalization: the loss is not finite on either engine, so the run
//! stops or skips the step.

use candle_core::Device;
use trainspec::data::{Batch, BatchTensor, Elements};
use trainspec::engine::{Engine, Planned, Tape};
use trainspec::prelude::*;
use trainspec::rng::StepIndex;
use trainspec::{InputKind, Shape};

use super::{Goal, SEED};

#[model]
fn Layers(x: Features<8>) -> Logits<5> {
    x.layer_norm().relu().linear(out = 5)
}

#[model]
fn Squares(x: Features<8>) -> Logits<5> {
    x.rms_norm().relu().linear(out = 5)
}

#[model]
fn Batches(x: Features<8>) -> Logits<5> {
    x.batch_norm().relu().linear(out = 5)
}

#[model]
fn Groups(x: Image<2, 2, 2>) -> Logits<5> {
    x.group_norm(groups = 2).relu().flatten().linear(out = 5)
}

fn losses<M: Model>(shape: Shape, size: f32) -> [f64; 2]
where
    M::Input: InputKind,
{
    let graph = || M::graph().unwrap();
    let input: Vec<f32> = (0..4 * 8).map(|at| size * [1.0, -1.0, 0.5, 0.25, -0.75][at % 5]).collect();
    let batch = Batch {
        size: 4,
        inputs: vec![BatchTensor { shape, elements: Elements::Float(input) }],
        targets: vec![BatchTensor { shape: Shape::class(5), elements: Elements::Int(vec![0, 1, 2, 3]) }],
        mixed: None,
    };
    let mut planned = Planned::new(graph(), Goal::boxed(true), SEED).unwrap();
    let mut tape = Tape::new(graph(), Goal::boxed(true), SEED, Device::Cpu).unwrap();
    let loss = |engine: &mut dyn Engine| engine.accumulate(&batch, StepIndex::default()).unwrap()[0].loss;
    [loss(&mut planned), loss(&mut tape)]
}

#[test]
fn infinite_variance_makes_loss_non_finite() {
    let (features, image) = (Shape::of(&[8]), Shape::of(&[2, 2, 2]));
    for (size, is_finite) in [(1.0, true), (1e15, true), (3e19, false), (1e38, false)] {
        for (name, losses) in [
            ("layer norm", losses::<Layers>(features, size)),
            ("rms norm", losses::<Squares>(features, size)),
            ("batch norm", losses::<Batches>(features, size)),
            ("group norm", losses::<Groups>(image, size)),
        ] {
            assert_eq!(losses.map(f64::is_finite), [is_finite; 2], "{name} of {size}: {losses:?}");
        }
    }
}
