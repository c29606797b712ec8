//! One optimizer step, in the order that the numbers depend on.

use trainspec_kernels::norm::global_norm;

use super::evaluate::Totals;
use super::{Evaluation, StepReport};
use crate::data::Batch;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::optim::UpdateStep;
use crate::rng::Moment;
use crate::schedule::Schedule;
use crate::spec::Settings;

/// Takes step `k` (from 0) on the micro-batches of one accumulation window.
///
/// The gradient is the window's sum of gradients over its sum of weights, so a short micro-batch or a
/// short window is averaged right.
pub(super) fn step(
    engine: &mut dyn Engine,
    graph: &Graph,
    settings: &Settings,
    schedule: &Schedule,
    window: &[Batch],
    (k, epoch): (u64, u64),
) -> Result<(StepReport, Totals)> {
    let mut totals = Totals::default();
    for (micro_batch, batch) in (0..).zip(window) {
        let part = engine.accumulate(batch, Moment { step: k, micro_batch })?;
        totals.add(settings, &part, batch.size)?;
    }
    // A window in which nothing counts has the gradient 0.
    let average = if totals.weight() == 0.0 { 0.0 } else { 1.0 / totals.weight() };
    let gradient_norm = global_norm(engine.gradients().iter().map(Vec::as_slice)) * average;
    refuse_non_finite(engine, graph, k + 1, totals.loss(), gradient_norm)?;
    let factor = settings.clip.factor(gradient_norm);
    let lr = schedule.rate(k);
    engine.update(&*settings.optimizer, UpdateStep { t: k + 1, lr }, average * factor)?;
    let Evaluation { loss, metrics, samples } = totals.evaluation();
    let report = StepReport { step: k + 1, epoch, loss, lr, gradient_norm, samples, metrics };
    Ok((report, totals))
}

fn refuse_non_finite(engine: &dyn Engine, graph: &Graph, step: u64, loss: f64, norm: f64) -> Result<()> {
    if loss.is_finite() && norm.is_finite() {
        return Ok(());
    }
    let is_broken = |gradient: &Vec<f32>| gradient.iter().any(|value| !value.is_finite());
    let first = engine.gradients().iter().position(is_broken).and_then(|place| graph.parameters.get(place));
    let what = match first {
        Some(parameter) => format!("the gradient of `{}` is not finite", parameter.path),
        None if loss.is_finite() => "the gradients are too large for f32".to_owned(),
        None => format!("the loss is {loss}"),
    };
    Err(Error::Training {
        step,
        problem: format!("{what}; try a smaller `lr`, `clip: GlobalNorm {{ max: 1.0 }}`, or a warmup"),
    })
}
