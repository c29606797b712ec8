//! A whole run: epochs of steps, evaluations between them, and its end.

use super::evaluate::{evaluate, examine};
use super::feed::Feed;
use super::saved::{Place, Saved, snapshot};
use super::stop::Watch;
use super::{
    Confusion, EpochReport, Evaluation, Event, Exit, Observer, RunPlan, Scaling, Stepper, TRACED_EVERY,
    Totals, TracePoint,
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
    lead(engine, graph, settings, data, None, observer)
}

/// The same from a saved state on: what follows is bit for bit what followed in the run that it was taken of.
///
/// # Errors
/// As [`run`], or if the state is not that of such a run.
pub fn resume(
    engine: &mut dyn Engine,
    graph: &Graph,
    settings: &Settings,
    data: &Prepared,
    saved: Saved,
    observer: &mut dyn Observer,
) -> Result<Outcome> {
    lead(engine, graph, settings, data, Some(saved), observer)
}

fn lead(
    engine: &mut dyn Engine,
    graph: &Graph,
    settings: &Settings,
    data: &Prepared,
    saved: Option<Saved>,
    observer: &mut dyn Observer,
) -> Result<Outcome> {
    let mut stepper = Stepper::new(&mut *engine, graph, settings, data)?;
    let plan = stepper.plan().clone();
    let mut watch = Watch::new(settings);
    let mut feed = Feed::new(settings, data, plan.steps_per_epoch);
    let mut place = Place::default();
    // The sums of an epoch that is not over.
    let mut begun = None;
    if let Some(mut saved) = saved {
        saved.check()?;
        place = saved.place(plan.steps, plan.steps_per_epoch)?;
        if place.step < plan.steps && place.step_in_epoch < plan.steps_per_epoch {
            begun = Some(Totals::restored(settings, &saved.totals)?);
        }
        if let Some(watch) = &mut watch {
            watch.go_on(saved.monitored.take())?;
        }
        stepper.restore(saved)?;
    }
    observer.on(&Event::Begin(&plan))?;

    let exit = loop {
        if let Some(watch) = watch.as_ref().filter(|watch| watch.is_over()) {
            break Exit::StoppedEarly { best_epoch: watch.best_epoch().unwrap_or(place.epoch) };
        }
        if place.step == plan.steps {
            break Exit::Completed;
        }
        let mut totals = begun.take().unwrap_or_else(|| {
            place = Place { epoch: place.epoch + 1, step_in_epoch: 0, ..place };
            Totals::new(settings)
        });
        let mut lr = stepper.rate();
        // An epoch is so many steps that were applied; a skipped one has used up its samples all the same.
        while place.step < plan.steps && place.step_in_epoch < plan.steps_per_epoch {
            let window = feed.window(place.step + stepper.scaling().skipped)?;
            let window: Vec<Batch> = (0..)
                .zip(window)
                .map(|(micro_batch, batch)| stepper.prepare(micro_batch, batch))
                .collect::<Result<_>>()?;
            let part = stepper.accumulate(&window)?;
            let report = stepper.update(&part)?;
            if report.skip.is_some() {
                stepper.give_back(part);
                observer.on(&Event::Skip(&report))?;
                continue;
            }
            place = Place { step: report.step, step_in_epoch: place.step_in_epoch + 1, ..place };
            lr = report.lr;
            totals.merge(&part);
            stepper.give_back(part);
            observer.on(&Event::Step(&report))?;
            let at_end = place.step_in_epoch == plan.steps_per_epoch || place.step == plan.steps;
            let is_due = is_due(settings, &plan, place.step);
            if at_end || is_due || place.step.is_multiple_of(TRACED_EVERY) {
                observer.on(&Event::Trace(&TracePoint {
                    step: place.step,
                    epoch: place.epoch,
                    parameters: &stepper.engine().numbers()?,
                    optimizer_state: stepper.engine().optimizer_state(),
                    average: stepper.average(),
                }))?;
            }
            if !at_end && (is_due || observer.wants_state(place.step)) {
                let snapshot = snapshot(&stepper, graph, settings, (&totals, watch.as_ref()), place)?;
                observer.on(&Event::Checkpoint(&snapshot))?;
            }
        }
        let Place { step, epoch, .. } = place;
        let (validation, is_best) = stepper.judge(|engine| {
            let validation = part(engine, settings, data, data.validation())?;
            let is_best = match (&mut watch, &validation) {
                (Some(watch), Some(validation)) => watch.see(validation, epoch, step, engine)?,
                _ => false,
            };
            Ok((validation, is_best))
        })?;
        if let Some(validation) = &validation {
            stepper.see(validation)?;
        }
        let training = totals.evaluation();
        observer.on(&Event::Epoch(&EpochReport { epoch, step, training, validation, lr, is_best }))?;
        if is_due(settings, &plan, step) || observer.wants_state(step) {
            let snapshot = snapshot(&stepper, graph, settings, (&totals, watch.as_ref()), place)?;
            observer.on(&Event::Checkpoint(&snapshot))?;
        }
    };

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
    let Place { step: steps, epoch: epochs, .. } = place;
    Ok(Outcome { exit, steps, epochs, scaling, best_epoch, validation, test, confusion })
}

/// Whether a checkpoint is due after `k` steps.
fn is_due(settings: &Settings, plan: &RunPlan, k: u64) -> bool {
    settings
        .checkpoint
        .is_some_and(|checkpoint| k.is_multiple_of(checkpoint.every.in_steps(plan.steps_per_epoch).max(1)))
}

fn part(
    engine: &mut dyn Engine,
    settings: &Settings,
    data: &Prepared,
    indices: &[usize],
) -> Result<Option<Evaluation>> {
    if indices.is_empty() { Ok(None) } else { evaluate(engine, settings, data, indices).map(Some) }
}
