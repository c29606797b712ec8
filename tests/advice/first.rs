//! The first loss, and the probe that measures it.

use trainspec::data::Dataset;
use trainspec::prelude::*;
use trainspec::trainer::Event;

use super::{Sane, fires, points, silent};

/// Sixty samples with these targets.
fn values(
    target: fn(usize) -> f32,
) -> trainspec::Result<impl Dataset<Input = Features<2>, Target = Values<1>>> {
    let inputs = (0..120).map(|i| (i as f32 * 0.37).sin()).collect();
    InMemory::<Features<2>, Values<1>>::new(inputs, (0..60).map(target).collect())
}

#[model]
fn Curve(x: Features<2>) -> Values<1> {
    x.linear(out = 8).tanh().linear(out = 1)
}

#[model]
fn Sides(x: Features<2>) -> Logits<1> {
    x.linear(out = 8).tanh().linear(out = 1)
}

#[model]
fn Loud(x: Features<2>) -> Logits<2> {
    x.linear(out = 8).tanh().linear(out = 2, init = Normal { std: 20.0 })
}

/// Labels of 0 and 1 for a loss of logits.
fn labels() -> trainspec::Result<InMemory<Features<2>, Labels<1>>> {
    InMemory::new(
        (0..120).map(|i| (i as f32 * 0.37).sin()).collect(),
        (0..60).map(|i| (i % 2) as f32).collect(),
    )
}

train! { Near { model: Curve, data: values(|i| (i as f32).cos()), batch: 16, epochs: 2 } }

train! { Far { model: Curve, data: values(|i| 300.0 + (i as f32).cos()), batch: 16, epochs: 2 } }

train! { Sorted { model: Curve, data: values(|i| (i % 2) as f32), batch: 16, epochs: 2 } }

train! { Labelled { model: Sides, data: labels(), batch: 16, epochs: 2 } }

train! { Shouting { model: Loud, data: points(64), batch: 16, epochs: 2 } }

#[test]
fn unusual_targets_and_high_first_loss_are_reported() {
    silent(Near::experiment, &[]);
    fires(Far::experiment, &[], Advice::HighFirstLoss);
    fires(Shouting::experiment, &[], Advice::HighFirstLoss);
    fires(Sorted::experiment, &[], Advice::ClassesAsValues);
    silent(Labelled::experiment, &[]);
    silent(Sane::experiment, &[("optimizer.weight_decay", "0.1")]);
}

#[model]
fn WithABatchNorm(x: Features<2>) -> Values<1> {
    x.linear(out = 8, bias = false).batch_norm().tanh().linear(out = 1)
}

train! { FarUnderBatchNorm { model: WithABatchNorm, data: values(|i| 300.0 + (i as f32).cos()), batch: 16, epochs: 2 } }

/// The result of a run does not depend on whether its model was probed.
#[test]
fn probe_does_not_change_the_run() {
    let ends = || {
        let run = FarUnderBatchNorm::experiment().without_folder().run().unwrap();
        let numbers = |tensor: &candle_core::Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let ends: Vec<_> = run.model.parameters().map(|(_, tensor)| numbers(tensor)).collect();
        (run.outcome, ends)
    };
    let by_hand = || {
        let mut training = FarUnderBatchNorm::experiment();
        let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
        let settings = training.settings().unwrap();
        let mut engine = trainspec::engine::open(&graph, settings).unwrap();
        let outcome =
            trainspec::trainer::run(&mut *engine, &graph, settings, &data, &mut |_: &Event<'_>| Ok(()));
        let ends = engine.parameters().unwrap();
        let numbers = |tensor: &candle_core::Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        (outcome.unwrap(), ends.iter().map(numbers).collect::<Vec<_>>())
    };
    assert_eq!(ends(), by_hand());
    fires(FarUnderBatchNorm::experiment, &[], Advice::HighFirstLoss);
}
