//! The loop of a run: epochs of steps, evaluations between them, and the final evaluation.

use super::batch_sampler::BatchSampler;
use super::early_stopping::EarlyStopping;
use super::evaluate::{evaluate, examine};
use super::saved::{Place, Saved, Standing, snapshot};
use super::{
    Confusion, EpochReport, Evaluation, Event, Exit, Observer, RunPlan, Scaling, TRACED_EVERY, Totals,
    TracePoint, TrainStep,
};
use crate::data::{Batch, PreparedDataset};
use crate::engine::Engine;
use crate::error::Result;
use crate::error::interruption;
use crate::graph::Graph;
use crate::spec::TrainConfig;

/// The outcome of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Why the run stopped. An interrupted run has the counts up to that point and no evaluations.
    pub exit: Exit,
    /// Optimizer steps taken.
    pub steps: u64,
    /// Epochs started.
    pub epochs: u64,
    /// The final loss scale, and the number of skipped steps.
    pub scaling: Scaling,
    /// The best epoch by the monitored value, if there is one. The run restores that epoch's weights
    /// unless `restore_best` is off.
    pub best_epoch: Option<u64>,
    /// The evaluation of the final weights on the validation samples; `None` if there are none.
    pub validation: Option<Evaluation>,
    /// The evaluation of the final weights on the test samples, done once; `None` if there are none.
    pub test: Option<Evaluation>,
    /// The confusion matrix of the final weights on the test samples; `None` if there are no samples or the
    /// targets are not classes.
    pub confusion: Option<Confusion>,
}

/// Trains `engine` on `data` with `settings`, until the end of the run or until the
/// [`Interrupt`](crate::interrupt::Interrupt) of the data is requested. An interrupted run leaves the engine in its
/// state after the last complete step.
///
/// # Errors
/// If the settings do not fit the data, a sample cannot be read, the loss or a gradient is not finite, or an
/// observer cannot record an event.
pub fn run(
    engine: &mut dyn Engine,
    graph: &Graph,
    settings: &TrainConfig,
    data: &PreparedDataset,
    observer: &mut dyn Observer,
) -> Result<Outcome> {
    train_loop(engine, Given { graph, settings, data }, None, observer)
}

/// Resumes a run from a saved state. The result is bit for bit that of the original run.
///
/// # Errors
/// As [`run`], or if the state does not belong to such a run.
pub fn resume(
    engine: &mut dyn Engine,
    graph: &Graph,
    settings: &TrainConfig,
    data: &PreparedDataset,
    saved: Saved,
    observer: &mut dyn Observer,
) -> Result<Outcome> {
    train_loop(engine, Given { graph, settings, data }, Some(saved), observer)
}

/// The inputs of a run.
#[derive(Clone, Copy)]
struct Given<'a> {
    graph: &'a Graph,
    settings: &'a TrainConfig,
    data: &'a PreparedDataset,
}

fn train_loop(
    engine: &mut dyn Engine,
    given: Given<'_>,
    saved: Option<Saved>,
    observer: &mut dyn Observer,
) -> Result<Outcome> {
    let Given { graph, settings, data } = given;
    let mut stepper = TrainStep::new(&mut *engine, graph, settings, data)?;
    let plan = stepper.plan().clone();
    let mut feed = BatchSampler::new(settings, data, plan.steps_per_epoch);
    let Standing { mut place, mut totals_so_far, mut watch } = match saved {
        None => {
            Standing { place: Place::default(), totals_so_far: None, watch: EarlyStopping::new(settings) }
        }
        Some(saved) => {
            let standing = saved.standing(&plan, settings)?;
            stepper.restore(saved)?;
            standing
        }
    };
    // All checks have passed: from here on an observer may change the folder of a resumed run.
    observer.on(&Event::Begin(&plan))?;

    let exit = 'run: loop {
        if totals_so_far.is_none() {
            if let Some(watch) = watch.as_ref().filter(|watch| watch.is_over()) {
                break Exit::StoppedEarly { best_epoch: watch.best_epoch().unwrap_or(place.epoch) };
            }
            if place.step == plan.steps {
                break Exit::Completed;
            }
        }
        let mut totals = totals_so_far.take().unwrap_or_else(|| {
            place = Place { epoch: place.epoch + 1, step_in_epoch: 0, ..place };
            Totals::new(settings)
        });
        let mut lr = stepper.last_rate();
        // An epoch counts applied steps; a skipped step uses up its samples, too.
        while place.step < plan.steps && place.step_in_epoch < plan.steps_per_epoch {
            show(&stepper, given, (&totals, watch.as_ref()), place, false, observer)?;
            let part = match interruption(gather(&mut stepper, &mut feed))? {
                Ok(part) => part,
                Err(cause) => {
                    let snapshot = snapshot(&stepper, settings, (&totals, watch.as_ref()), place)?;
                    observer.on(&Event::Interrupt(&snapshot))?;
                    break 'run Exit::Interrupted { cause };
                }
            };
            let report = stepper.update(&part)?;
            if report.skip.is_some() {
                stepper.recycle(part);
                observer.on(&Event::Skip(&report))?;
                continue;
            }
            place = Place { step: report.step, step_in_epoch: place.step_in_epoch + 1, ..place };
            lr = report.lr;
            totals.merge(&part);
            stepper.recycle(part);
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
            if !at_end {
                show(&stepper, given, (&totals, watch.as_ref()), place, is_due, observer)?;
            }
        }
        let Place { step, epoch, .. } = place;
        place.before_evaluation = true;
        show(&stepper, given, (&totals, watch.as_ref()), place, false, observer)?;
        let judged = stepper.with_evaluation_weights(|engine| {
            let validation = part(engine, settings, data, data.validation())?;
            let is_best = match (&mut watch, &validation) {
                (Some(watch), Some(validation)) => watch.see(validation, epoch, step, engine)?,
                _ => false,
            };
            Ok((validation, is_best))
        });
        let (validation, is_best) = match interruption(judged)? {
            Ok(judged) => judged,
            Err(cause) => {
                let snapshot = snapshot(&stepper, settings, (&totals, watch.as_ref()), place)?;
                observer.on(&Event::Interrupt(&snapshot))?;
                break Exit::Interrupted { cause };
            }
        };
        place.before_evaluation = false;
        if let Some(validation) = &validation {
            stepper.see(validation)?;
        }
        let training = totals.evaluation();
        observer.on(&Event::Epoch(&EpochReport { epoch, step, training, validation, lr, is_best }))?;
        let is_due = is_due(settings, &plan, step);
        show(&stepper, given, (&totals, watch.as_ref()), place, is_due, observer)?;
    };

    end(stepper, given, watch, place, exit, observer)
}

/// Evaluates the final weights, leaves them in the engine, and returns the outcome.
fn end(
    mut stepper: TrainStep<'_>,
    given: Given<'_>,
    mut watch: Option<EarlyStopping>,
    place: Place,
    exit: Exit,
    observer: &mut dyn Observer,
) -> Result<Outcome> {
    let Given { settings, data, .. } = given;
    observer.on(&Event::End(&exit))?;
    let scaling = stepper.scaling();
    let best_epoch = watch.as_ref().and_then(EarlyStopping::best_epoch);
    let Place { step: steps, epoch: epochs, .. } = place;
    let nothing = Measured { validation: None, test: None, confusion: None };
    let of = |exit, Measured { validation, test, confusion }| Outcome {
        exit,
        steps,
        epochs,
        scaling,
        best_epoch,
        validation,
        test,
        confusion,
    };
    if matches!(exit, Exit::Interrupted { .. }) {
        return Ok(of(exit, nothing));
    }
    show(&stepper, given, (&Totals::new(settings), watch.as_ref()), place, false, observer)?;
    let mut keep = |weights: &[Vec<f32>]| observer.on(&Event::Final(weights));
    let measured =
        stepper.with_evaluation_weights(|engine| measure(engine, settings, data, watch.as_mut(), &mut keep));
    match interruption(measured)? {
        Ok(measured) => {
            stepper.finish()?;
            Ok(of(exit, measured))
        }
        Err(cause) => {
            let totals = Totals::new(settings);
            let snapshot = snapshot(&stepper, settings, (&totals, watch.as_ref()), place)?;
            observer.on(&Event::Interrupt(&snapshot))?;
            Ok(of(Exit::Interrupted { cause }, nothing))
        }
    }
}

/// Sends a checkpoint event if it is due or requested.
fn show(
    stepper: &TrainStep<'_>,
    Given { settings, .. }: Given<'_>,
    sums: (&Totals, Option<&EarlyStopping>),
    place: Place,
    is_due: bool,
    observer: &mut dyn Observer,
) -> Result<()> {
    if is_due || observer.wants_state(place.step) {
        let snapshot = snapshot(stepper, settings, sums, place)?;
        observer.on(&Event::Checkpoint(&snapshot))?;
    }
    Ok(())
}

/// Accumulates the gradients of the next window and returns its totals.
fn gather(stepper: &mut TrainStep<'_>, feed: &mut BatchSampler<'_>) -> Result<Totals> {
    let window = feed.window(stepper.taken() + stepper.scaling().skipped)?;
    let window: Vec<Batch> = (0..)
        .zip(window)
        .map(|(micro_batch, batch)| stepper.prepare(micro_batch, batch))
        .collect::<Result<_>>()?;
    stepper.accumulate(&window)
}

/// The evaluations of the final weights.
struct Measured {
    validation: Option<Evaluation>,
    test: Option<Evaluation>,
    confusion: Option<Confusion>,
}

/// Saves and evaluates the final weights and leaves them in the engine. On an error, it leaves the previous weights.
fn measure(
    engine: &mut dyn Engine,
    settings: &TrainConfig,
    data: &PreparedDataset,
    watch: Option<&mut EarlyStopping>,
    keep: &mut dyn FnMut(&[Vec<f32>]) -> Result<()>,
) -> Result<Measured> {
    let Some(watch) = watch.filter(|watch| watch.restores()) else {
        return keep_and_measure(engine, settings, data, keep);
    };
    watch.swap(engine)?;
    let measured = keep_and_measure(engine, settings, data, keep);
    if measured.is_err() {
        watch.swap(engine)?;
    }
    measured
}

/// Saves the weights of the engine, then evaluates them.
fn keep_and_measure(
    engine: &mut dyn Engine,
    settings: &TrainConfig,
    data: &PreparedDataset,
    keep: &mut dyn FnMut(&[Vec<f32>]) -> Result<()>,
) -> Result<Measured> {
    keep(&engine.numbers()?)?;
    final_parts(engine, settings, data)
}

fn final_parts(engine: &mut dyn Engine, settings: &TrainConfig, data: &PreparedDataset) -> Result<Measured> {
    let validation = part(engine, settings, data, data.validation())?;
    let (test, confusion) = match data.test() {
        [] => (None, None),
        indices => {
            let (test, confusion) = examine(engine, settings, data, indices)?;
            (Some(test), confusion)
        }
    };
    Ok(Measured { validation, test, confusion })
}

/// Returns whether a checkpoint is due after `k` steps.
fn is_due(settings: &TrainConfig, plan: &RunPlan, k: u64) -> bool {
    settings
        .checkpoint
        .is_some_and(|checkpoint| k.is_multiple_of(checkpoint.every.in_steps(plan.steps_per_epoch).max(1)))
}

fn part(
    engine: &mut dyn Engine,
    settings: &TrainConfig,
    data: &PreparedDataset,
    indices: &[usize],
) -> Result<Option<Evaluation>> {
    if indices.is_empty() { Ok(None) } else { evaluate(engine, settings, data, indices).map(Some) }
}
