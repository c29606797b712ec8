//! The loop of a run: epochs of steps, evaluations between them, and the final evaluation.

use super::batch_sampler::{BatchSampler, Windows};
use std::thread::Scope;

use super::early_stopping::EarlyStopping;
use super::evaluate::{evaluate_in, examine};
use super::saved::{Place, Saved, Standing, snapshot};
use super::{
    Confusion, DataLoad, EpochReport, Evaluation, Event, Exit, Observer, RunPlan, Scaling, Snapshot,
    TRACED_EVERY, Totals, TracePoint, TrainStep,
};
use crate::data::PreparedDataset;
use crate::engine::Engine;
use crate::error::Result;
use crate::error::interruption;
use crate::graph::Graph;
use crate::interrupt::Cause;
use crate::optim::WeightCopy;
use crate::spec::TrainConfig;
use crate::world::World;

/// The outcome of a run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
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
    run_in(&World::single(), engine, graph, settings, data, None, observer)
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
    run_in(&World::single(), engine, graph, settings, data, Some(saved), observer)
}

/// Trains on one process of a `world` from the start, or from a `saved` state, which is the same on every process. All processes return the
/// same outcome and leave the same parameters in their engines; the first one alone reports events.
///
/// # Errors
/// As [`run`] and [`resume`], or if another process fails. A model with running statistics needs a world of one process.
pub fn run_in(
    world: &World,
    engine: &mut dyn Engine,
    graph: &Graph,
    settings: &TrainConfig,
    data: &PreparedDataset,
    saved: Option<Saved>,
    observer: &mut dyn Observer,
) -> Result<Outcome> {
    let mut silent = |_: &Event<'_>| Ok(());
    let observer = if world.is_first() { observer } else { &mut silent };
    let given = Given { world, graph, settings, data };
    std::thread::scope(|scope| train_loop(scope, engine, given, saved, observer))
}

/// The inputs of a run.
#[derive(Clone, Copy)]
struct Given<'a> {
    world: &'a World,
    graph: &'a Graph,
    settings: &'a TrainConfig,
    data: &'a PreparedDataset,
}

/// A run between two steps.
struct Progress<'a> {
    given: Given<'a>,
    stepper: TrainStep<'a>,
    /// The totals of the epoch so far.
    totals: Totals,
    watch: Option<EarlyStopping>,
    place: Place,
    observer: &'a mut dyn Observer,
}

fn train_loop<'scope, 'a>(
    scope: &'scope Scope<'scope, 'a>,
    engine: &'a mut dyn Engine,
    given: Given<'a>,
    saved: Option<Saved>,
    observer: &'a mut dyn Observer,
) -> Result<Outcome> {
    let Given { world, graph, settings, data } = given;
    let mut stepper = TrainStep::new(engine, graph, settings, data)?.in_world(world)?;
    let plan = stepper.plan().clone();
    let sampler = BatchSampler::new(world, settings, data, plan.steps_per_epoch)?;
    let Standing { place, mut totals_so_far, watch } = match saved {
        None => {
            Standing { place: Place::default(), totals_so_far: None, watch: EarlyStopping::new(settings) }
        }
        Some(saved) => {
            let standing = saved.standing(&plan, settings)?;
            stepper.restore(saved)?;
            standing
        }
    };
    let mut windows = sampler.from(scope, stepper.taken() + stepper.scaling().skipped);
    // All checks have passed: from here on an observer may change the folder of a resumed run.
    observer.on(&Event::Begin(&plan))?;
    let mut run = Progress { given, stepper, totals: Totals::new(settings), watch, place, observer };

    let exit = 'run: loop {
        if totals_so_far.is_none() {
            if let Some(watch) = run.watch.as_ref().filter(|watch| watch.is_over()) {
                break Exit::StoppedEarly { best_epoch: watch.best_epoch().unwrap_or(run.place.epoch) };
            }
            if run.place.step == plan.steps {
                break Exit::Completed;
            }
        }
        run.totals = totals_so_far.take().unwrap_or_else(|| {
            run.place = Place { epoch: run.place.epoch + 1, step_in_epoch: 0, ..run.place };
            Totals::new(settings)
        });
        let mut lr = run.stepper.last_rate();
        // An epoch counts applied steps; a skipped step uses up its samples, too.
        while run.place.step < plan.steps && run.place.step_in_epoch < plan.steps_per_epoch {
            run.show(false)?;
            let window = gather(&mut run.stepper, &mut windows);
            let part = match run.or_save(window)? {
                Ok(part) => part,
                Err(cause) => break 'run Exit::Interrupted { cause },
            };
            let report = run.stepper.update(&part)?;
            if report.skip.is_some() {
                run.stepper.recycle(part);
                run.observer.on(&Event::Skip(&report))?;
                continue;
            }
            run.place = Place { step: report.step, step_in_epoch: run.place.step_in_epoch + 1, ..run.place };
            lr = report.lr;
            run.totals.merge(&part);
            run.stepper.recycle(part);
            run.observer.on(&Event::Step(&report))?;
            let at_end = run.place.step_in_epoch == plan.steps_per_epoch || run.place.step == plan.steps;
            let is_due = is_due(settings, &plan, run.place.step);
            if at_end || is_due || run.place.step.is_multiple_of(TRACED_EVERY) {
                run.trace()?;
            }
            if !at_end {
                run.show(is_due)?;
            }
        }
        let Place { step, epoch, .. } = run.place;
        run.place.before_evaluation = true;
        run.show(false)?;
        let evaluated = run.evaluate();
        let (validation, is_best) = match run.or_save(evaluated)? {
            Ok(evaluated) => evaluated,
            Err(cause) => break Exit::Interrupted { cause },
        };
        run.place.before_evaluation = false;
        if let Some(validation) = &validation {
            run.stepper.see(validation)?;
        }
        let training = run.totals.evaluation();
        let report = EpochReport { epoch, step, training, validation, lr, is_best };
        run.observer.on(&Event::Epoch(&report))?;
        run.observer.on(&Event::DataLoad(&load(&windows)))?;
        run.show(is_due(settings, &plan, step))?;
    };
    run.observer.on(&Event::DataLoad(&load(&windows)))?;
    drop(windows);
    run.end(exit)
}

impl Progress<'_> {
    /// Sends a checkpoint event if it is due or requested.
    fn show(&mut self, is_due: bool) -> Result<()> {
        if is_due || self.observer.wants_state(self.place.step) {
            self.send_state(|snapshot| Event::Checkpoint(snapshot))?;
        }
        Ok(())
    }

    /// Separates the cause of an interruption from other errors, and sends the state to be saved.
    fn or_save<T>(&mut self, result: Result<T>) -> Result<Result<T, Cause>> {
        let result = interruption(result)?;
        if result.is_err() {
            self.send_state(|snapshot| Event::Interrupt(snapshot))?;
        }
        Ok(result)
    }

    fn send_state(&mut self, event: for<'s> fn(&'s Snapshot<'s>) -> Event<'s>) -> Result<()> {
        let Self { given, stepper, totals, watch, place, observer } = self;
        stepper.derive()?;
        let snapshot = snapshot(stepper, given.settings, (totals, watch.as_ref()), *place)?;
        observer.on(&event(&snapshot))
    }

    /// Sends the values after a step.
    fn trace(&mut self) -> Result<()> {
        let Self { stepper, place, observer, .. } = self;
        stepper.derive()?;
        observer.on(&Event::Trace(&TracePoint {
            step: place.step,
            epoch: place.epoch,
            parameters: &stepper.engine().store().weights()?,
            optimizer_state: &stepper.engine().store().optimizer_state()?,
            average: stepper.average()?.as_deref(),
        }))
    }

    /// Evaluates the validation samples after an epoch. Returns the evaluation, and whether it is the best so far.
    fn evaluate(&mut self) -> Result<(Option<Evaluation>, bool)> {
        let Self { given, stepper, watch, place, .. } = self;
        stepper.refresh_statistics(given.data)?;
        stepper.with_evaluation_weights(|engine| {
            let validation = validation(*given, engine)?;
            let is_best = match (watch, &validation) {
                (Some(watch), Some(validation)) => {
                    watch.see(validation, place.epoch, place.step, engine.store_mut())?
                }
                _ => false,
            };
            Ok((validation, is_best))
        })
    }

    /// Evaluates the final weights, leaves them in the engine, and returns the outcome.
    fn end(mut self, exit: Exit) -> Result<Outcome> {
        self.observer.on(&Event::End(&exit))?;
        let outcome = Outcome {
            exit,
            steps: self.place.step,
            epochs: self.place.epoch,
            scaling: self.stepper.scaling(),
            best_epoch: self.watch.as_ref().and_then(EarlyStopping::best_epoch),
            validation: None,
            test: None,
            confusion: None,
        };
        if matches!(outcome.exit, Exit::Interrupted { .. }) {
            return Ok(outcome);
        }
        self.totals = Totals::new(self.given.settings);
        self.show(false)?;
        let measured = self.measure();
        match self.or_save(measured)? {
            Ok((validation, test, confusion)) => {
                self.stepper.finish()?;
                Ok(Outcome { validation, test, confusion, ..outcome })
            }
            Err(cause) => Ok(Outcome { exit: Exit::Interrupted { cause }, ..outcome }),
        }
    }

    /// Saves and evaluates the final weights and leaves them in the engine. On an error, it leaves the previous weights.
    fn measure(&mut self) -> Result<Measured> {
        let Self { given, stepper, watch, observer, .. } = self;
        let mut keep = |engine: &mut dyn Engine| {
            observer.on(&Event::Final(&engine.store().weights()?))?;
            final_parts(*given, engine)
        };
        let restores = watch.as_ref().is_some_and(EarlyStopping::restores);
        if !restores {
            stepper.refresh_statistics(given.data)?;
        }
        stepper.end_with_evaluation_weights(|engine| {
            if !restores {
                return keep(engine);
            }
            engine.store_mut().swap(WeightCopy::Best)?;
            let measured = keep(engine);
            if measured.is_err() {
                engine.store_mut().swap(WeightCopy::Best)?;
            }
            measured
        })
    }
}

/// Accumulates the gradients of the next window and returns its totals.
fn gather(stepper: &mut TrainStep<'_>, windows: &mut Windows<'_, '_>) -> Result<Totals> {
    let window = stepper.read(windows)?;
    stepper.accumulate(&window)
}

/// How long the steps waited for their windows.
fn load(windows: &Windows<'_, '_>) -> DataLoad {
    let [waited, elapsed] = windows.times();
    DataLoad { waited, elapsed, threads: windows.threads() }
}

/// The evaluations of the final weights on the validation and the test samples, and the confusion matrix of these.
type Measured = (Option<Evaluation>, Option<Evaluation>, Option<Confusion>);

fn final_parts(given: Given<'_>, engine: &mut dyn Engine) -> Result<Measured> {
    let Given { world, settings, data, .. } = given;
    let validation = validation(given, engine)?;
    let (test, confusion) = match data.test() {
        [] => (None, None),
        indices => {
            let (test, confusion) = examine(world, engine, settings, data, indices)?;
            (Some(test), confusion)
        }
    };
    Ok((validation, test, confusion))
}

/// Evaluates the validation samples, if there are any.
fn validation(given: Given<'_>, engine: &mut dyn Engine) -> Result<Option<Evaluation>> {
    let Given { world, settings, data, .. } = given;
    match data.validation() {
        [] => Ok(None),
        indices => evaluate_in(world, engine, settings, data, indices).map(Some),
    }
}

/// Returns whether a checkpoint is due after `k` steps.
fn is_due(settings: &TrainConfig, plan: &RunPlan, k: u64) -> bool {
    settings
        .checkpoint
        .is_some_and(|checkpoint| k.is_multiple_of(checkpoint.every.in_steps(plan.steps_per_epoch).max(1)))
}
