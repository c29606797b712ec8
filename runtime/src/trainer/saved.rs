//! The saved state of a run.

use serde_json::Value;

use super::average::WeightAverage;
use super::early_stopping::EarlyStopping;
use super::run_length::plan;
use super::scale::Scaler;
use super::{RunPlan, Scaling, Snapshot, Totals, TrainStep};
use crate::data::PreparedDataset;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::schedule::Schedule;
use crate::spec::TrainConfig;

/// A [`Snapshot`] read from a checkpoint.
///
/// With the settings and the data, it determines the rest of a run: [`resume`](super::resume) continues with the same bits as the
/// original run.
#[derive(Clone, Debug)]
pub struct Saved {
    /// Optimizer steps taken.
    pub step: u64,
    /// The epoch of the last step, from 1.
    pub epoch: u64,
    /// Steps taken within that epoch.
    pub step_in_epoch: u64,
    /// Whether the epoch has all its steps but is not evaluated yet.
    pub before_evaluation: bool,
    /// Every parameter and running statistic, in the graph's order.
    pub parameters: Vec<Vec<f32>>,
    /// The optimizer's state by parameter and slot.
    pub optimizer_state: Vec<Vec<Vec<f32>>>,
    /// The loss scale and the counters of skipped steps.
    pub scaling: Scaling,
    /// The average of the parameters and running statistics, in their order, if the run keeps one.
    pub average: Option<Vec<Vec<f32>>>,
    /// Sums over the steps of the epoch so far: [`Totals::to_json`].
    pub totals: Value,
    /// The state of the schedule phases: [`Schedule::state`](crate::schedule::Schedule::state).
    pub schedule: Value,
    /// The best evaluation so far, if a value is monitored.
    pub monitored: Option<SavedBest>,
}

/// The best evaluation so far.
#[derive(Clone, Debug)]
pub struct SavedBest {
    /// The monitored value.
    pub best: f64,
    /// Its epoch, from 1.
    pub best_epoch: u64,
    /// Evaluations since then.
    pub without_improvement: u64,
    /// The parameters and running statistics of that epoch, in the graph's order, if the run restores them.
    pub parameters: Option<Vec<Vec<f32>>>,
}

/// The position of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Optimizer steps taken.
    pub(super) step: u64,
    /// The epoch, from 1; 0 before the first.
    pub(super) epoch: u64,
    /// Steps taken within it.
    pub(super) step_in_epoch: u64,
    /// Whether the epoch has all its steps but is not evaluated yet.
    pub(super) before_evaluation: bool,
}

/// The state of a resumed run, except for what is in its engine.
pub(super) struct Standing {
    pub(super) place: Place,
    /// The totals of an unfinished epoch.
    pub(super) totals_so_far: Option<Totals>,
    pub(super) watch: Option<EarlyStopping>,
}

impl Saved {
    /// Checks that a run with these settings can resume from this state, as far as that is possible without an engine. It rejects
    /// what [`resume`](super::resume) rejects without an engine.
    pub(crate) fn check(&self, graph: &Graph, settings: &TrainConfig, data: &PreparedDataset) -> Result<()> {
        let plan = plan(graph, settings, data)?;
        self.standing(&plan, settings)?;
        Scaler::new(settings).restore(self.scaling)?;
        Schedule::of(settings, plan.steps, plan.steps_per_epoch)?.restore(&self.schedule)?;
        self.check_average(WeightAverage::of(settings, &plan)?.as_ref())
    }

    /// Returns the state of a run with these settings that resumes from this state.
    pub(super) fn standing(&self, plan: &RunPlan, settings: &TrainConfig) -> Result<Standing> {
        self.check_counts()?;
        let place = self.place(plan.steps, plan.steps_per_epoch)?;
        let is_amid = place.step < plan.steps && place.step_in_epoch < plan.steps_per_epoch;
        let has_begun = is_amid || place.before_evaluation;
        let totals_so_far = has_begun.then(|| Totals::restored(settings, &self.totals)).transpose()?;
        let mut watch = EarlyStopping::new(settings);
        if let Some(watch) = &mut watch {
            watch.restore(self.monitored.as_ref())?;
        }
        Ok(Standing { place, totals_so_far, watch })
    }

    /// Checks that there is the average of the weights, if the run keeps one.
    pub(super) fn check_average(&self, average: Option<&WeightAverage>) -> Result<()> {
        if self.average.is_some() || !average.is_some_and(|average| average.is_saved_after(self.step)) {
            return Ok(());
        }
        Err(Error::Setting {
            key: "ema".to_owned(),
            problem: "the saved state has no average of the weights; remove the key".to_owned(),
        })
    }

    /// Returns the position in a run with this many steps and steps per epoch.
    fn place(&self, steps: u64, steps_per_epoch: u64) -> Result<Place> {
        let &Self { step, epoch, step_in_epoch, before_evaluation, .. } = self;
        let before = epoch.checked_sub(1).and_then(|before| before.checked_mul(steps_per_epoch));
        let fits = before.and_then(|before| before.checked_add(step_in_epoch)) == Some(step);
        let has_all = step == steps || step_in_epoch == steps_per_epoch;
        if !fits || step > steps || step_in_epoch > steps_per_epoch || (before_evaluation && !has_all) {
            let problem = format!(
                "the saved state is after {step_in_epoch} steps of epoch {epoch}, {step} steps in total, which does not \
                 exist in a run of {steps} steps, {steps_per_epoch} per epoch"
            );
            return Err(Error::Setting { key: "resume".to_owned(), problem });
        }
        Ok(Place { step, epoch, step_in_epoch, before_evaluation })
    }

    /// Checks that no counter is so large that it could overflow.
    fn check_counts(&self) -> Result<()> {
        const MOST: u64 = 1 << 60;
        let Scaling { loss_scale, good_steps, skipped_in_a_row, skipped } = self.scaling;
        let without = self.monitored.as_ref().map_or(0, |monitored| monitored.without_improvement);
        let counts = [good_steps, skipped_in_a_row, skipped, without];
        let is_scale = loss_scale.is_none_or(|scale| scale.is_finite() && scale > 0.0);
        if counts.iter().any(|&count| count > MOST) || !is_scale {
            let problem =
                format!("the saved counters are not those of a run: {counts:?}, loss scale {loss_scale:?}");
            return Err(Error::Setting { key: "resume".to_owned(), problem });
        }
        Ok(())
    }
}

/// Returns the state of a run at this position.
pub(super) fn snapshot<'a>(
    stepper: &'a TrainStep<'_>,
    settings: &TrainConfig,
    (totals, watch): (&'a Totals, Option<&'a EarlyStopping>),
    place: Place,
) -> Result<Snapshot<'a>> {
    let store = stepper.engine().store();
    let Place { step, epoch, step_in_epoch, before_evaluation } = place;
    Ok(Snapshot {
        step,
        epoch,
        step_in_epoch,
        before_evaluation,
        parameters: store.weights()?,
        state_names: settings.optimizer.state_names(),
        optimizer_state: store.optimizer_state()?,
        scaling: stepper.scaling(),
        average: stepper.average()?,
        totals,
        schedule: stepper.schedule().state(),
        monitored: watch.map_or(Ok(None), |watch| watch.state(store))?,
    })
}
