//! One optimizer step. The result depends on the order of its operations.

mod evaluated;
mod rate_weights;
mod share;
mod sharpness;
mod skip;
mod weighting;

use std::sync::Arc;

use super::average::WeightAverage;
use super::batch_sampler::{Windows, augmentation};
use super::evaluate::Totals;
use super::run_length::plan;
use super::scale::Scaler;
use super::statistics::Statistics;
use super::{Evaluation, RunPlan, Saved, Scaling, StepReport, monitor};
use crate::data::{Batch, PreparedDataset, TargetUnits, mix, sampler};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::graph::{Graph, GraphParameter};
use crate::interrupt::Interrupt;
use crate::optim::{GradientStats, Gradients, Groups, ParameterConfig, StepSize, Update, WeightCopy};
use crate::rng::{Purpose, StepIndex, Stream};
use crate::schedule::Schedule;
use crate::shape::Few;
use crate::spec::TrainConfig;
use crate::world::World;
use rate_weights::RateWeights;

/// Takes the optimizer steps of a run, one after the other.
///
/// It covers everything between reading samples and reporting events; [`run`](super::run) calls it for each step. Use it directly
/// for a custom loop, such as a benchmark or a learning-rate range test. Such a loop reads its own batches: it obeys the keys `sampler`,
/// `augment` and `mix` by [`PreparedDataset::drawn`], [`PreparedDataset::augmented`] and [`TrainStep::prepare`].
///
/// # Example
/// ```
/// use trainspec::engine;
/// use trainspec::prelude::*;
/// use trainspec::trainer::TrainStep;
///
/// #[model]
/// fn Net(image: Image<1, 8, 8>) -> Logits<10> {
///     image.flatten().linear(out = 10)
/// }
///
/// train! {
///     Digits { model: Net, data: Digits8x8::embedded(), batch: 64, steps: 2 }
/// }
///
/// let mut training = Digits::experiment();
/// let (graph, data) = (training.graph()?, training.data()?);
/// let settings = training.settings()?;
/// let mut engine = engine::open(&graph, settings)?;
/// let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data)?;
/// let batch = data.batch(&data.train()[..64])?;
/// let first = stepper.step(std::slice::from_ref(&batch))?;
/// let second = stepper.step(&[batch])?;
/// assert!(second.loss < first.loss);
/// # Ok::<(), trainspec::Error>(())
/// ```
pub struct TrainStep<'a> {
    engine: &'a mut dyn Engine,
    graph: &'a Graph,
    settings: &'a TrainConfig,
    plan: RunPlan,
    schedule: Schedule,
    scaler: Scaler,
    /// The configuration of each parameter.
    treatments: Vec<ParameterConfig>,
    /// For how many steps each parameter is held before it is trained; empty if none is.
    starts: Vec<u64>,
    /// Which parameters are held in the current step; empty if none ever is.
    held: Vec<bool>,
    /// Statistics of the step's gradients, and their scales.
    measure: GradientStats,
    /// The random streams of the gradient noise of each parameter, if there is any.
    noise: Vec<Stream>,
    /// The paths of the parameters, if their gradient norms are recorded.
    paths: Vec<Arc<str>>,
    /// Whether any parameter is constrained.
    is_constrained: bool,
    /// The weights that evaluations use, if they are not those that are trained.
    average: Option<WeightAverage>,
    /// The weights of the steps so far in that of an optimizer.
    rate_weights: RateWeights,
    /// Whether an average that depends on the optimizer's state is up to date.
    is_derived: bool,
    /// The running statistics of the average.
    statistics: Statistics,
    /// The scale of each output's gradient in this window.
    scales: Few<f32>,
    /// The weight of each output's loss in this window, if there are several outputs.
    weights: Option<Few<f64>>,
    /// The totals of an earlier step, whose memory is reused.
    spare: Option<Totals>,
    /// Converts predictions and targets for the metrics.
    units: TargetUnits,
    /// Requests a stop.
    interrupt: Interrupt,
    world: World,
    /// Steps taken.
    k: u64,
}

impl<'a> TrainStep<'a> {
    /// Creates a stepper before the first step of a run of `engine` on `data`.
    ///
    /// # Errors
    /// If the settings do not fit the model or the data.
    pub fn new(
        engine: &'a mut dyn Engine,
        graph: &'a Graph,
        settings: &'a TrainConfig,
        data: &PreparedDataset,
    ) -> Result<Self> {
        let plan = plan(graph, settings, data)?;
        mix::check(&*settings.mix, data.input_shapes())?;
        sampler::check(&*settings.sampler, data)?;
        augmentation(settings, data)?;
        match monitor::check(settings, data, &*engine) {
            // The run stops at its first window, where its state can be saved; the check runs again when it is resumed.
            Err(Error::Interrupted(_)) => {}
            checked => checked?,
        }
        let schedule = Schedule::of(settings, plan.steps, plan.steps_per_epoch)?;
        let groups = Groups(&settings.groups);
        let treatments =
            groups.treatments(&graph.parameters, &*settings.optimizer, schedule.largest_rate())?;
        let starts =
            groups.starts(&graph.parameters, &*settings.optimizer, plan.steps, plan.steps_per_epoch)?;
        let held = vec![false; starts.len()];
        settings
            .optimizer
            .check_model(&graph.parameters)
            .map_err(|problem| Error::Setting { key: "optimizer".to_owned(), problem })?;
        let measure = GradientStats::new(treatments.len());
        let stream = |path: &str| Stream::new(settings.seed, Purpose::GradientNoise, path);
        let noise = if settings.gradient_noise.is_some() {
            graph.parameters.iter().map(|parameter| stream(&parameter.path)).collect()
        } else {
            Vec::new()
        };
        let paths = if settings.gradient_norms {
            graph.parameters.iter().map(|parameter| parameter.path.as_str().into()).collect()
        } else {
            Vec::new()
        };
        let is_constrained =
            graph.parameters.iter().any(|parameter| settings.constrain.touches(parameter.role));
        let average = WeightAverage::of(settings, &plan)?;
        let mut statistics = Statistics::default();
        if let Some(average) = &average {
            if average.needs_statistics() {
                statistics = Statistics::of(graph, average.key())?;
            }
            engine.store_mut().copy(WeightCopy::Average)?;
        }
        Ok(Self {
            engine,
            graph,
            settings,
            plan,
            schedule,
            scaler: Scaler::new(settings),
            treatments,
            starts,
            held,
            measure,
            noise,
            paths,
            is_constrained,
            average,
            rate_weights: RateWeights::default(),
            is_derived: false,
            statistics,
            scales: Few::default(),
            weights: None,
            spare: None,
            units: data.target_units().clone(),
            interrupt: data.interrupt().clone(),
            world: World::single(),
            k: 0,
        })
    }

    /// Replaces the learning rates; the run then has the length of the schedule.
    pub(super) fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.plan.steps = schedule.steps();
        self.schedule = schedule;
        self
    }

    /// Returns the plan of the run.
    #[must_use]
    pub fn plan(&self) -> &RunPlan {
        &self.plan
    }

    /// Returns the learning rate of the next step.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.schedule.rate(self.k)
    }

    /// Steps taken.
    pub(super) fn taken(&self) -> u64 {
        self.k
    }

    /// Returns the learning rate of the last step; before the first step, that of the next one.
    pub(super) fn last_rate(&self) -> f64 {
        self.schedule.rate(self.k.saturating_sub(1))
    }

    /// Returns the loss scale and the counters of skipped steps.
    #[must_use]
    pub fn scaling(&self) -> Scaling {
        self.scaler.state()
    }

    /// Restores the loss scale and counters that [`TrainStep::scaling`] returned in a run with the same settings.
    ///
    /// # Errors
    /// If only one of them has a loss scale.
    pub fn set_scaling(&mut self, scaling: Scaling) -> Result<()> {
        self.scaler.restore(scaling)
    }

    /// Restores the state of a run with the same settings: parameters, optimizer, average, loss scale, schedule and
    /// number of steps.
    ///
    /// # Errors
    /// If it is the state of another model, or a setting that the state depends on has changed.
    pub fn restore(&mut self, saved: Saved) -> Result<()> {
        let optimizer = &*self.settings.optimizer;
        let slots = optimizer.state_names().len();
        let fits = |(parameter, state): (&GraphParameter, &Vec<Vec<f32>>)| {
            let mut lengths = state.iter().enumerate();
            let is_long =
                |(slot, values): (usize, &Vec<f32>)| values.len() == optimizer.slot_length(slot, parameter);
            state.len() == slots && lengths.all(is_long)
        };
        if !self.graph.parameters.iter().zip(&saved.optimizer_state).all(fits) {
            return Err(Error::Internal("the state of another optimizer"));
        }
        saved.check_average(self.average.as_ref())?;
        let store = self.engine.store_mut();
        store.set_weights(saved.parameters)?;
        store.set_optimizer_state(saved.optimizer_state)?;
        if let Some(average) = saved.average.filter(|_| self.average.is_some()) {
            store.set_copy(WeightCopy::Average, average)?;
        }
        let restores_best = self.settings.early_stop.is_some_and(|stop| stop.restore_best);
        if let Some(best) = saved.monitored.and_then(|best| best.parameters).filter(|_| restores_best) {
            store.set_copy(WeightCopy::Best, best)?;
        }
        self.set_scaling(saved.scaling)?;
        self.schedule.restore(&saved.schedule)?;
        self.k = saved.step;
        (self.is_derived, self.statistics.is_fresh) = (false, false);
        if self.settings.optimizer.average().is_some() {
            self.rate_weights = RateWeights::after(self.k, &self.schedule);
        }
        Ok(())
    }

    /// Returns the schedule in its current state.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Passes an evaluation of the validation data at the end of an epoch to the schedule.
    ///
    /// # Errors
    /// If the value that a phase monitors is NaN.
    pub fn see(&mut self, validation: &Evaluation) -> Result<()> {
        let (settings, step) = (self.settings, self.k);
        self.schedule.see(step, |watched| {
            let direction = monitor::direction(settings, watched)
                .ok_or(Error::Internal("a phase listens to what the run does not measure"))?;
            Ok((monitor::value(watched, validation, step)?, direction))
        })
    }

    /// Returns the engine, for reading between steps.
    #[must_use]
    pub fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// Returns the engine, for evaluation between steps.
    pub fn engine_mut(&mut self) -> &mut dyn Engine {
        &mut *self.engine
    }

    /// Prepares a micro-batch of the next step: mixes its samples if the spec has `mix`. Micro-batches are counted from
    /// 0.
    ///
    /// # Errors
    /// If the batch cannot be mixed.
    pub fn prepare(&self, micro_batch: u32, batch: Batch) -> Result<Batch> {
        let at = StepIndex { step: self.k, micro_batch };
        mix::mixed(&*self.settings.mix, batch, self.settings.seed, at)
    }

    /// Reads and prepares this process's micro-batches of the next window.
    ///
    /// # Errors
    /// If a process cannot read its samples or is interrupted.
    pub(super) fn read(&self, windows: &mut Windows<'_, '_>) -> Result<Vec<Batch>> {
        let window = windows.next().and_then(|window| {
            let numbered = window.into_iter().enumerate();
            numbered.map(|(own, batch)| self.prepare(self.world.micro_batch(own), batch)).collect()
        });
        self.world.agree(window)
    }

    /// Takes a step on the micro-batches of one accumulation window: [`TrainStep::accumulate`], then
    /// [`TrainStep::update`].
    ///
    /// # Errors
    /// As these two methods.
    pub fn step(&mut self, window: &[Batch]) -> Result<StepReport> {
        let totals = self.accumulate(window)?;
        let report = self.update(&totals)?;
        self.recycle(totals);
        Ok(report)
    }

    /// Takes back the totals of a step that are no longer needed, so that the next step reuses their memory.
    pub fn recycle(&mut self, totals: Totals) {
        self.spare = Some(totals);
    }

    /// The first half of a step: accumulates the gradients of a window's micro-batches and returns their totals. With
    /// [`Sam`](crate::optim::Sam), the gradients are those of a second pass, and the totals of the first. Where several processes
    /// share the window, each passes its own micro-batches, and the totals are those of all.
    ///
    /// # Errors
    /// If a batch does not fit the model, the window is empty, or the run has no more steps; if the data's [`Interrupt`] is
    /// requested, which discards the window.
    pub fn accumulate(&mut self, window: &[Batch]) -> Result<Totals> {
        let step = self.k + 1;
        if self.k == self.plan.steps {
            return Err(Error::Training { step, problem: format!("the run has {} steps", self.k) });
        }
        let rounds = self.world.largest(window.len())?;
        if rounds == 0 {
            let problem = "the window has no micro-batches; expected at least 1".to_owned();
            return Err(Error::Training { step, problem });
        }
        let mut totals = self.spare.take().unwrap_or_else(|| Totals::new(self.settings));
        totals.clear();
        self.weigh(rounds, window)?;
        self.start_shared()?;
        let done = (0..rounds).try_for_each(|round| self.round(round, window.get(round), Some(&mut totals)));
        let done = done
            .and_then(|()| self.finish_shared())
            .and_then(|()| self.hold())
            .and_then(|()| self.check_weights(&totals))
            .and_then(|()| self.sharpen(rounds, window, &totals));
        if let Err(error) = done {
            // A caller that continues starts a new window.
            self.engine.discard()?;
            return Err(error);
        }
        Ok(totals)
    }

    /// The second half of a step: averages and clips the gradients, and updates the parameters.
    ///
    /// The gradient is the window's sum of gradients over its sum of weights (or the sum alone, for
    /// [`Reduction::Sum`](crate::loss::Reduction::Sum)), so a short micro-batch or a short window is averaged correctly. With several
    /// outputs it is the sum of these, each multiplied by its `loss_weights`.
    ///
    /// A step whose loss or gradients are not finite is skipped if the precision or `on_non_finite` allow it: its report
    /// has a [`Skip`](super::Skip), and nothing but the [scaling](TrainStep::scaling) changes.
    ///
    /// # Errors
    /// If the loss or a gradient is not finite and the step is not skipped, or the run has no more steps.
    pub fn update(&mut self, totals: &Totals) -> Result<StepReport> {
        let step = self.k + 1;
        if self.k == self.plan.steps {
            return Err(Error::Training { step, problem: format!("the run has {} steps", self.k) });
        }
        // A window without counted samples has the gradient 0.
        let weights: Few<_> = totals.losses.iter().map(|loss| loss.weight).collect();
        let divisor = weighting::divisor(self.settings, &weights);
        let average = if divisor == 0.0 { 0.0 } else { 1.0 / divisor };
        // In f16 the gradients are those of the scaled loss; the scale is removed together with the average.
        let loss_scale = self.scaling().loss_scale;
        let average = average / f64::from(self.scaler.scale());
        self.measure.take(self.engine.store(), average)?;
        let gradient_norm = self.measure.norm;
        let mut is_finite = totals.is_finite() && gradient_norm.is_finite();
        if is_finite {
            self.clip()?;
            let squares = matches!(self.settings.optimizer.step_size(), StepSize::SecondMoment { .. });
            is_finite = !self.measure.is_too_large(self.engine.store(), squares)?;
        }
        let skip = self.skip(step, totals, is_finite)?;
        let gradient_norms = self.gradient_norms();
        let (lr, epoch) = (self.rate(), self.epoch());
        let report = StepReport {
            step,
            epoch,
            loss: totals.mean_loss(),
            lr,
            gradient_norm,
            gradient_norms,
            samples: totals.samples,
            metrics: totals.measures(),
            loss_scale,
            skip,
        };
        if report.skip.is_some() {
            return Ok(report);
        }
        let rate_weights = self.rate_weights.with(lr);
        self.engine.update(&Update {
            optimizer: &*self.settings.optimizer,
            t: step,
            lr,
            treatments: &self.treatments,
            scales: &self.measure.scales,
            bound: self.measure.bound,
            share: rate_weights.share(),
            starts: &self.starts,
        })?;
        self.rate_weights = rate_weights;
        self.settle(step)?;
        self.k = step;
        Ok(report)
    }

    /// Clears the gradients of the parameters that are not trained yet, so that they are not part of any norm.
    fn hold(&mut self) -> Result<()> {
        if self.starts.is_empty() {
            return Ok(());
        }
        let k = self.k;
        self.held.iter_mut().zip(&self.starts).for_each(|(held, &start)| *held = k < start);
        self.engine.store_mut().hold(&self.held)
    }

    /// Returns the epoch of the next step, from 1.
    fn epoch(&self) -> u64 {
        self.k / self.plan.steps_per_epoch.max(1) + 1
    }

    /// Returns the norm of each parameter's gradient, if it is recorded.
    fn gradient_norms(&self) -> Vec<(Arc<str>, f64)> {
        let has_gradient = |place: &usize| self.graph.parameters[*place].is_trained();
        let places = (0..self.paths.len()).filter(has_gradient);
        places.map(|place| (Arc::clone(&self.paths[place]), self.measure.norms[place])).collect()
    }

    /// Clips the gradients, then adds noise to them.
    fn clip(&mut self) -> Result<()> {
        let mut gradients = Gradients::new(
            self.engine.store_mut(),
            &self.graph.parameters,
            self.graph.last_layer(),
            &mut self.measure,
        );
        self.settings.clip.clip(&mut gradients)?;
        if let Some(noise) = self.settings.gradient_noise {
            gradients.add_noise(
                noise.std(self.k),
                &self.noise,
                StepIndex { step: self.k, micro_batch: 0 },
            )?;
        }
        gradients.finish()
    }

    /// Runs after an applied update: constrains the weights, then updates their average.
    fn settle(&mut self, t: u64) -> Result<()> {
        let store = self.engine.store_mut();
        if self.is_constrained {
            store.constrain(&*self.settings.constrain, &self.held)?;
        }
        if let Some(average) = &self.average
            && average.add(t, store)?
        {
            (self.is_derived, self.statistics.is_fresh) = (false, false);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// 18 samples in batches of 4 are 5 steps per epoch.
    #[test]
    fn steps_are_numbered_until_the_end() {
        let mut training =
            fixture::experiment().set("checkpoint", "null").unwrap().set("steps", "6").unwrap();
        let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
        let settings = training.settings().unwrap();
        let mut engine = crate::engine::open(&graph, settings).unwrap();
        let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data).unwrap();
        let batch = data.batch(&data.train()[..4]).unwrap();
        for (step, epoch) in [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 2)] {
            let report = stepper.step(std::slice::from_ref(&batch)).unwrap();
            assert_eq!((report.step, report.epoch, report.samples), (step, epoch, 4));
        }
        let problem = stepper.step(&[batch]).unwrap_err().to_string();
        assert!(problem.contains("the run has 6 steps"), "{problem}");
    }
}
