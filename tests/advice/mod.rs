//! Advice: each rule fires where it should, and not on a similar valid run. Also specs that are rejected before the first step.

#![allow(missing_docs, clippy::unwrap_used)]

mod data;
mod depth;
mod first;
mod layers;
mod lengths;
mod optimizer;
pub mod own;
mod refused;
mod reported;

use trainspec::Check;
use trainspec::Experiment;
use trainspec::data::Dataset;
use trainspec::prelude::*;

/// `count` different points of two classes, the last quarter of each for validation.
fn points(count: usize) -> trainspec::Result<impl Dataset<Input = Features<2>, Target = Class<2>>> {
    let inputs = (0..2 * count).map(|i| (i as f32 * 0.37).sin()).collect();
    let targets = (0..count).map(|i| (i % 2) as u32).collect();
    let cut = count - count / 4;
    let split = Split::Fixed { train: 0..cut, validation: cut..count, test: 0..0 };
    Ok(InMemory::<Features<2>, Class<2>>::new(inputs, targets)?.with_split(split))
}

/// Returns the names of the advice for a run with some keys changed.
fn advice<M: Model>(mut training: Experiment<M>, changes: &[(&str, &str)]) -> Vec<Advice> {
    for (key, value) in changes {
        training = training.set(key, value).unwrap();
    }
    let check: Check = training.without_folder().check().unwrap();
    check.advice.iter().map(|finding| finding.advice).collect()
}

/// Asserts that a change causes one piece of advice, and that allowing it silences it.
fn fires<M: Model>(training: fn() -> Experiment<M>, changes: &[(&str, &str)], expected: Advice) {
    assert_eq!(advice(training(), changes), [expected], "{changes:?}");
    let names = format!("[\"{expected:?}\"]");
    let allowed = [changes, &[("allow", &names)]].concat();
    assert_eq!(advice(training(), &allowed), []);
}

fn silent<M: Model>(training: fn() -> Experiment<M>, changes: &[(&str, &str)]) {
    assert_eq!(advice(training(), changes), [], "{changes:?}");
}

#[model]
fn Wide(x: Features<2>) -> Logits<2> {
    x.linear(out = 128).relu().linear(out = 128).relu().linear(out = 2)
}

train! {
    Sane { model: Wide, data: points(64), batch: 8, epochs: 8, optimizer: AdamW {} }
}

train! { NormsFirst { model: DroppedBehindNorm, data: points(64), batch: 16, epochs: 2 } }

#[model]
fn Small(x: Features<2>) -> Logits<2> {
    x.linear(out = 4).relu().linear(out = 2)
}

#[model]
fn DroppedBehindNorm(x: Features<2>) -> Logits<2> {
    x.linear(out = 8, bias = false).batch_norm().relu().dropout(p = 0.2).linear(out = 2)
}
