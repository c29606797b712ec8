//! One optimizer step, in the order that the numbers depend on.

use trainspec_kernels::norm::global_norm_of;

use super::evaluate::Totals;
use super::plan::plan;
use super::scale::{Scaler, Verdict, Why};
use super::{Evaluation, RunPlan, Scaling, Skip, StepReport};
use crate::data::{Batch, Prepared};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::optim::UpdateStep;
use crate::rng::Moment;
use crate::schedule::Schedule;
use crate::spec::Settings;

/// Takes the optimizer steps of a run, one after the other.
///
/// It is what lies between reading samples and telling what happened; [`run`](super::run) leads it through the
/// epochs. By itself it is for those who lead it themselves: a benchmark, a search for a learning rate.
///
/// # Example
/// ```
/// use trainspec::engine;
/// use trainspec::prelude::*;
/// use trainspec::train::Stepper;
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
/// let mut training = Digits::training();
/// let (graph, data) = (training.graph()?, training.data()?);
/// let settings = training.settings()?;
/// let mut engine = engine::open(&graph, settings)?;
/// let mut stepper = Stepper::new(&mut *engine, &graph, settings, &data)?;
/// let batch = data.batch(&data.train()[..64])?;
/// let first = stepper.step(std::slice::from_ref(&batch))?;
/// let second = stepper.step(&[batch])?;
/// assert!(second.loss < first.loss);
/// # Ok::<(), trainspec::Error>(())
/// ```
pub struct Stepper<'a> {
    engine: &'a mut dyn Engine,
    graph: &'a Graph,
    settings: &'a Settings,
    plan: RunPlan,
    schedule: Schedule,
    scaler: Scaler,
    /// Steps taken.
    k: u64,
}

impl<'a> Stepper<'a> {
    /// A stepper before the first step of a run of `engine` on `data`.
    ///
    /// # Errors
    /// If the settings do not fit the model or the data.
    pub fn new(
        engine: &'a mut dyn Engine,
        graph: &'a Graph,
        settings: &'a Settings,
        data: &Prepared,
    ) -> Result<Self> {
        let plan = plan(graph, settings, data)?;
        let phases = settings.schedule.iter().map(|phase| phase.boxed()).collect();
        let schedule = Schedule::new(phases, settings.optimizer.lr(), plan.steps, plan.steps_per_epoch)?;
        Ok(Self { engine, graph, settings, plan, schedule, scaler: Scaler::new(settings), k: 0 })
    }

    /// What the whole run is.
    #[must_use]
    pub fn plan(&self) -> &RunPlan {
        &self.plan
    }

    /// The learning rate of the next step.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.schedule.rate(self.k)
    }

    /// The loss scale and the counters of skipped steps.
    #[must_use]
    pub fn scaling(&self) -> Scaling {
        self.scaler.state()
    }

    /// Goes on from a loss scale and counters that [`Stepper::scaling`] gave in a run of the same settings.
    ///
    /// # Errors
    /// If one has a loss scale and the other has none.
    pub fn set_scaling(&mut self, scaling: Scaling) -> Result<()> {
        if scaling.loss_scale.is_some() != self.scaling().loss_scale.is_some() {
            return Err(Error::Setting {
                key: "precision".to_owned(),
                problem: "the state has a loss scale and the run has none, or the other way round".to_owned(),
            });
        }
        self.scaler.restore(scaling);
        Ok(())
    }

    /// The engine, to be read between steps.
    #[must_use]
    pub fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// The engine, to be evaluated between steps.
    pub fn engine_mut(&mut self) -> &mut dyn Engine {
        &mut *self.engine
    }

    /// Takes a step on the micro-batches of one accumulation window: [`Stepper::accumulate`], then
    /// [`Stepper::update`].
    ///
    /// # Errors
    /// As these two.
    pub fn step(&mut self, window: &[Batch]) -> Result<StepReport> {
        let totals = self.accumulate(window)?;
        self.update(&totals)
    }

    /// The first half of a step: the gradients of a window's micro-batches, summed, and what they gave.
    ///
    /// # Errors
    /// If a batch does not fit the model, there is none, or the run has no more steps.
    pub fn accumulate(&mut self, window: &[Batch]) -> Result<Totals> {
        let step = self.k + 1;
        if self.k == self.plan.steps {
            return Err(Error::Training { step, problem: format!("the run has {} steps", self.k) });
        }
        if window.is_empty() {
            let problem = "the window has no micro-batches; expected at least 1".to_owned();
            return Err(Error::Training { step, problem });
        }
        let mut totals = Totals::default();
        for (micro_batch, batch) in (0..).zip(window) {
            let part = self.engine.accumulate_scaled(
                batch,
                Moment { step: self.k, micro_batch },
                self.scaler.scale(),
            )?;
            totals.add(self.settings, &*self.engine, part, batch)?;
        }
        Ok(totals)
    }

    /// The second half of a step: averages and clips the gradients, and updates the parameters.
    ///
    /// The gradient is the window's sum of gradients over its sum of weights, so a short micro-batch or a
    /// short window is averaged right.
    ///
    /// A step whose loss or gradients are not finite is skipped, where the precision or `on_non_finite` say so: its report
    /// has a [`Skip`], and nothing but the [scaling](Stepper::scaling) changes.
    ///
    /// # Errors
    /// If the loss or a gradient is not finite and the step is not skipped, or the run has no more steps.
    pub fn update(&mut self, totals: &Totals) -> Result<StepReport> {
        let step = self.k + 1;
        if self.k == self.plan.steps {
            return Err(Error::Training { step, problem: format!("the run has {} steps", self.k) });
        }
        // A window in which nothing counts has the gradient 0.
        // In f16 the gradients are those of the scaled loss: the scale is taken out with the average.
        let loss_scale = self.scaling().loss_scale;
        let weight = totals.weight() * f64::from(self.scaler.scale());
        let average = if totals.weight() == 0.0 { 0.0 } else { 1.0 / weight };
        let gradient_norm = global_norm_of(self.engine.gradients()) * average;
        let lr = self.rate();
        if let Some(skip) = self.skip(step, totals.mean_loss(), gradient_norm)? {
            let Evaluation { loss, metrics, samples } = totals.evaluation();
            let (epoch, skip) = (self.epoch(), Some(skip));
            return Ok(StepReport {
                step,
                epoch,
                loss,
                lr,
                gradient_norm,
                samples,
                metrics,
                loss_scale,
                skip,
            });
        }
        let factor = self.settings.clip.factor(gradient_norm);
        self.engine.update(&*self.settings.optimizer, UpdateStep { t: step, lr }, average * factor)?;
        let epoch = self.epoch();
        self.k = step;
        let Evaluation { loss, metrics, samples } = totals.evaluation();
        Ok(StepReport { step, epoch, loss, lr, gradient_norm, samples, metrics, loss_scale, skip: None })
    }

    /// The epoch of the next step, from 1.
    fn epoch(&self) -> u64 {
        self.k / self.plan.steps_per_epoch.max(1) + 1
    }

    /// Skips the step and says why, if its loss or gradients are not finite.
    fn skip(&mut self, step: u64, loss: f64, norm: f64) -> Result<Option<Skip>> {
        let is_finite = loss.is_finite() && norm.is_finite();
        let verdict = self.scaler.judge(is_finite);
        if verdict == Verdict::Apply {
            return Ok(None);
        }
        let reason = non_finite(&*self.engine, self.graph, loss);
        self.engine.discard()?;
        let advice = match verdict {
            Verdict::Stop(Why::Rule) => {
                "try a smaller `lr`, `clip: GlobalNorm { max: 1.0 }`, or a warmup".to_owned()
            }
            Verdict::Stop(Why::TooMany(row)) => {
                format!(
                    "{row} steps in a row were skipped; try a smaller `lr`, or `precision: Bf16` or `F32`"
                )
            }
            Verdict::Stop(Why::Floor(scale)) => format!(
                "not even at a loss scale of {scale}, the smallest; try a smaller `lr`, or `precision: Bf16` or `F32`"
            ),
            Verdict::Apply | Verdict::Skip => {
                let Scaling { skipped_in_a_row: in_a_row, skipped: total, .. } = self.scaling();
                return Ok(Some(Skip { reason, in_a_row, total }));
            }
        };
        Err(Error::Training { step, problem: format!("{reason}; {advice}") })
    }
}

/// What is not finite: the first parameter whose gradient is not, or the loss.
fn non_finite(engine: &dyn Engine, graph: &Graph, loss: f64) -> String {
    let is_broken = |gradient: &Vec<f32>| gradient.iter().any(|value| !value.is_finite());
    let first = engine.gradients().iter().position(is_broken).and_then(|place| graph.parameters.get(place));
    match first {
        Some(parameter) => format!("the gradient of `{}` is not finite", parameter.path),
        None if loss.is_finite() => "the gradients are too large for f32".to_owned(),
        None => format!("the loss is {loss}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// 18 samples in batches of 4 are 5 steps an epoch.
    #[test]
    fn steps_are_numbered_and_end() {
        let mut training = fixture::training().set("checkpoint", "null").unwrap().set("steps", "6").unwrap();
        let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
        let settings = training.settings().unwrap();
        let mut engine = crate::engine::open(&graph, settings).unwrap();
        let mut stepper = Stepper::new(&mut *engine, &graph, settings, &data).unwrap();
        let batch = data.batch(&data.train()[..4]).unwrap();
        for (step, epoch) in [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 2)] {
            let report = stepper.step(std::slice::from_ref(&batch)).unwrap();
            assert_eq!((report.step, report.epoch, report.samples), (step, epoch, 4));
        }
        let problem = stepper.step(&[batch]).unwrap_err().to_string();
        assert!(problem.contains("the run has 6 steps"), "{problem}");
    }
}
