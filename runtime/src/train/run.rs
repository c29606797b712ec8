//! A whole run: epochs of steps, evaluations between them, and its end.

use super::evaluate::{evaluate, examine};
use super::feed::Feed;
use super::stop::Watch;
use super::{
    Confusion, EpochReport, Evaluation, Event, Exit, Observer, RunPlan, Scaling, Snapshot, Stepper, Totals,
};
use crate::data::{Batch, Prepared};
use crate::engine::Engine;
use crate::error::Result;
use crate::graph::Graph;
use crate::spec::Settings;

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Why it ended.
    pub exit: Exit,
    /// Optimizer steps taken.
    pub steps: u64,
    /// Epochs begun.
    pub epochs: u64,
    /// The loss scale at the end, and how many steps were skipped.
    pub scaling: Scaling,
    /// The best epoch by what was monitored, if the run was watched; it ends with that epoch's weights
    /// unless `restore_best` is off.
    pub best_epoch: Option<u64>,
    /// The final weights on the validation samples; `None` if there are none.
    pub validation: Option<Evaluation>,
    /// The final weights on the test samples, looked at once; `None` if there are none.
    pub test: Option<Evaluation>,
    /// What the final weights take the test samples of each class for; `None` if there are no samples or the
    /// targets are no classes.
    pub confusion: Option<Confusion>,
}

/// Trains `engine` on `data` as `settings` say.
///
/// # Errors
/// If the settings do not fit the data, a sample cannot be read, the loss or a gradient is not finite, or an
/// observer cannot record an event.
pub fn run(
    engine: &mut dyn Engine,
    graph: &Graph,
    settings: &Settings,
    data: &Prepared,
    observer: &mut dyn Observer,
) -> Result<Outcome> {
    let mut stepper = Stepper::new(&mut *engine, graph, settings, data)?;
    let plan = stepper.plan().clone();
    let mut watch = Watch::new(settings);
    let mut feed = Feed::new(settings, data, plan.steps_per_epoch);
    observer.on(&Event::Begin(&plan))?;

    let (mut k, mut epoch, mut exit) = (0, 0, Exit::Completed);
    while k < plan.steps {
        epoch += 1;
        let mut totals = Totals::new(settings);
        let mut lr = stepper.rate();
        let first = k;
        // An epoch is so many steps that were applied; a skipped one has used up its samples all the same.
        while k < plan.steps && k - first < plan.steps_per_epoch {
            let window = feed.window(k + stepper.scaling().skipped)?;
            let window: Vec<Batch> = (0..)
                .zip(window)
                .map(|(micro_batch, batch)| stepper.prepare(micro_batch, batch))
                .collect::<Result<_>>()?;
            let part = stepper.accumulate(&window)?;
            let report = stepper.update(&part)?;
            if report.skip.is_some() {
                observer.on(&Event::Skip(&report))?;
                continue;
            }
            (k, lr) = (report.step, report.lr);
            totals.merge(&part);
            stepper.give_back(part);
            observer.on(&Event::Step(&report))?;
            let at_end = k - first == plan.steps_per_epoch || k == plan.steps;
            if !at_end && is_due(settings, &plan, k) {
                let position = (k, epoch, k - first);
                let state = (&totals, watch.as_ref());
                let snapshot = snapshot(&stepper, graph, settings, state, position)?;
                observer.on(&Event::Checkpoint(&snapshot))?;
            }
        }
        let (validation, is_best) = stepper.judge(|engine| {
            let validation = part(engine, settings, data, data.validation())?;
            let is_best = match (&mut watch, &validation) {
                (Some(watch), Some(validation)) => watch.see(validation, epoch, k, engine)?,
                _ => false,
            };
            Ok((validation, is_best))
        })?;
        if let Some(validation) = &validation {
            stepper.see(validation)?;
        }
        observer.on(&Event::Epoch(&EpochReport {
            epoch,
            step: k,
            training: totals.evaluation(),
            validation,
            lr,
            is_best,
        }))?;
        if is_due(settings, &plan, k) {
            let position = (k, epoch, k - first);
            let state = (&totals, watch.as_ref());
            let snapshot = snapshot(&stepper, graph, settings, state, position)?;
            observer.on(&Event::Checkpoint(&snapshot))?;
        }
        if let Some(watch) = watch.as_ref().filter(|watch| watch.is_over()) {
            exit = Exit::StoppedEarly { best_epoch: watch.best_epoch().unwrap_or(epoch) };
            break;
        }
    }

    let scaling = stepper.scaling();
    stepper.finish()?;
    let best_epoch = watch.as_ref().and_then(Watch::best_epoch);
    if let Some(watch) = &watch {
        watch.restore(engine)?;
    }
    observer.on(&Event::End(&exit))?;
    let validation = part(engine, settings, data, data.validation())?;
    let (test, confusion) = match data.test() {
        [] => (None, None),
        indices => {
            let (test, confusion) = examine(engine, settings, data, indices)?;
            (Some(test), confusion)
        }
    };
    Ok(Outcome { exit, steps: k, epochs: epoch, scaling, best_epoch, validation, test, confusion })
}

/// Whether a checkpoint is due after `k` steps.
fn is_due(settings: &Settings, plan: &RunPlan, k: u64) -> bool {
    settings
        .checkpoint
        .is_some_and(|checkpoint| k.is_multiple_of(checkpoint.every.in_steps(plan.steps_per_epoch).max(1)))
}

fn snapshot<'a>(
    stepper: &'a Stepper<'_>,
    graph: &'a Graph,
    settings: &Settings,
    (totals, watch): (&'a Totals, Option<&'a Watch>),
    (step, epoch, step_in_epoch): (u64, u64, u64),
) -> Result<Snapshot<'a>> {
    let engine = stepper.engine();
    let paths = graph.parameters.iter().map(|parameter| parameter.path.as_str());
    Ok(Snapshot {
        step,
        epoch,
        step_in_epoch,
        parameters: paths.zip(engine.parameters()?).collect(),
        state_names: settings.optimizer.state_names(),
        optimizer_state: engine.optimizer_state(),
        scaling: stepper.scaling(),
        average: stepper.average(),
        totals,
        schedule: stepper.schedule().state(),
        monitored: watch.and_then(Watch::state),
    })
}

fn part(
    engine: &mut dyn Engine,
    settings: &Settings,
    data: &Prepared,
    indices: &[usize],
) -> Result<Option<Evaluation>> {
    if indices.is_empty() { Ok(None) } else { evaluate(engine, settings, data, indices).map(Some) }
}
