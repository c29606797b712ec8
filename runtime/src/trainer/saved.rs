//! The state of a run, to be saved and gone on from.

use serde_json::Value;

use super::early_stopping::EarlyStopping;
use super::run_length::plan;
use super::scale::Scaler;
use super::{RunPlan, Scaling, Snapshot, Totals, TrainStep};
use crate::data::PreparedDataset;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::schedule::Schedule;
use crate::spec::TrainConfig;

/// What a [`Snapshot`] showed, as it is read back from a checkpoint.
///
/// With the settings and the data it is all that the rest of a run depends on: [`resume`](super::resume) goes on from
/// it with the same bits as the run that it was taken of.
#[derive(Clone, Debug)]
pub struct Saved {
    /// Optimizer steps taken.
    pub step: u64,
    /// The epoch of the last step, from 1.
    pub epoch: u64,
    /// Steps taken within that epoch.
    pub step_in_epoch: u64,
    /// Whether the epoch has had all its steps and is to be evaluated yet.
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
    /// What the phases of the schedule remember: [`Schedule::state`](crate::schedule::Schedule::state).
    pub schedule: Value,
    /// The best so far, if the run is watched for it.
    pub monitored: Option<SavedBest>,
}

/// The best evaluation so far.
#[derive(Clone, Debug)]
pub struct SavedBest {
    /// The value of what is monitored.
    pub best: f64,
    /// Its epoch, from 1.
    pub best_epoch: u64,
    /// Evaluations since then.
    pub without_improvement: u64,
    /// The parameters and running statistics of that epoch, in the graph's order, if the run ends with them.
    pub parameters: Option<Vec<Vec<f32>>>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Optimizer steps taken.
    pub(super) step: u64,
    /// The epoch, from 1; 0 before the first.
    pub(super) epoch: u64,
    /// Steps taken within it.
    pub(super) step_in_epoch: u64,
    /// Whether the epoch has had all its steps and is to be evaluated yet.
    pub(super) before_evaluation: bool,
}

/// How a run stands that goes on from a saved state, but for what is in its engine.
pub(super) struct Standing {
    pub(super) place: Place,
    /// The sums of an epoch that is not over.
    pub(super) with_init: Option<Totals>,
    pub(super) watch: Option<EarlyStopping>,
}

impl Saved {
    /// That a run of these settings can go on from this state, as far as that is known without an engine. Whatever
    /// [`resume`](super::resume) refuses but for that, this does.
    pub(crate) fn check(&self, graph: &Graph, settings: &TrainConfig, data: &PreparedDataset) -> Result<()> {
        let plan = plan(graph, settings, data)?;
        self.standing(&plan, settings)?;
        Scaler::new(settings).restore(self.scaling)?;
        Schedule::of(settings, plan.steps, plan.steps_per_epoch)?.restore(&self.schedule)?;
        if settings.ema.is_some() { self.averaged().map(|_| ()) } else { Ok(()) }
    }

    /// How a run of these settings stands that goes on from this state.
    pub(super) fn standing(&self, plan: &RunPlan, settings: &TrainConfig) -> Result<Standing> {
        self.check_counts()?;
        let place = self.place(plan.steps, plan.steps_per_epoch)?;
        let is_amid = place.step < plan.steps && place.step_in_epoch < plan.steps_per_epoch;
        let has_begun = is_amid || place.before_evaluation;
        let with_init = has_begun.then(|| Totals::restored(settings, &self.totals)).transpose()?;
        let mut watch = EarlyStopping::new(settings);
        if let Some(watch) = &mut watch {
            watch.go_on(self.monitored.clone())?;
        }
        Ok(Standing { place, with_init, watch })
    }

    /// The average of the weights, for a run that keeps one.
    pub(super) fn averaged(&self) -> Result<&Vec<Vec<f32>>> {
        self.average.as_ref().ok_or_else(|| Error::Setting {
            key: "ema".to_owned(),
            problem: "the saved state has no average of the weights; remove the key".to_owned(),
        })
    }

    /// The place in a run of so many steps in epochs of so many.
    fn place(&self, steps: u64, steps_per_epoch: u64) -> Result<Place> {
        let &Self { step, epoch, step_in_epoch, before_evaluation, .. } = self;
        let before = epoch.checked_sub(1).and_then(|before| before.checked_mul(steps_per_epoch));
        let fits = before.and_then(|before| before.checked_add(step_in_epoch)) == Some(step);
        let has_all = step == steps || step_in_epoch == steps_per_epoch;
        if !fits || step > steps || step_in_epoch > steps_per_epoch || (before_evaluation && !has_all) {
            let problem = format!(
                "the saved state stands after {step_in_epoch} steps of epoch {epoch}, {step} steps in all; that is no \
                 place in a run of {steps} steps, {steps_per_epoch} an epoch"
            );
            return Err(Error::Setting { key: "resume".to_owned(), problem });
        }
        Ok(Place { step, epoch, step_in_epoch, before_evaluation })
    }

    /// That no counter is so high that it could not be counted on.
    fn check_counts(&self) -> Result<()> {
        const MOST: u64 = 1 << 60;
        let Scaling { loss_scale, good_steps, skipped_in_a_row, skipped } = self.scaling;
        let without = self.monitored.as_ref().map_or(0, |monitored| monitored.without_improvement);
        let counts = [good_steps, skipped_in_a_row, skipped, without];
        let is_scale = loss_scale.is_none_or(|scale| scale.is_finite() && scale > 0.0);
        if counts.iter().any(|&count| count > MOST) || !is_scale {
            let problem =
                format!("the saved counters are none that a run has: {counts:?}, loss scale {loss_scale:?}");
            return Err(Error::Setting { key: "resume".to_owned(), problem });
        }
        Ok(())
    }
}

/// The state of a run at this place.
pub(super) fn snapshot<'a>(
    stepper: &'a TrainStep<'_>,
    settings: &TrainConfig,
    (totals, watch): (&'a Totals, Option<&'a EarlyStopping>),
    place: Place,
) -> Result<Snapshot<'a>> {
    let engine = stepper.engine();
    let Place { step, epoch, step_in_epoch, before_evaluation } = place;
    Ok(Snapshot {
        step,
        epoch,
        step_in_epoch,
        before_evaluation,
        parameters: engine.numbers()?,
        state_names: settings.optimizer.state_names(),
        optimizer_state: engine.optimizer_state(),
        scaling: stepper.scaling(),
        average: stepper.average(),
        totals,
        schedule: stepper.schedule().state(),
        monitored: watch.and_then(EarlyStopping::state),
    })
}
