//! The monitored value of an evaluation.

use super::Evaluation;
use crate::data::PreparedDataset;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::keys::Monitor;
use crate::metric::Direction;
use crate::spec::TrainConfig;

/// Checks that the monitored metric is defined on the validation samples, if that depends on their targets alone.
/// Otherwise the run would stop at its first evaluation.
pub(super) fn check(settings: &TrainConfig, data: &PreparedDataset, engine: &dyn Engine) -> Result<()> {
    let phases = settings.schedule.iter().enumerate();
    let phases =
        phases.filter_map(|(place, phase)| Some((format!("schedule.{place}.monitor"), phase.monitor()?)));
    let stop = settings.early_stop.map(|stop| ("early_stop.monitor".to_owned(), stop.monitor));
    for (key, monitor) in stop.into_iter().chain(phases) {
        let Monitor::ValMetric(name) = monitor else { continue };
        let metric = settings.metrics.iter().find(|metric| metric.label() == name);
        let Some(metric) = metric.filter(|metric| metric.is_defined_by_targets()) else { continue };
        let (mut gathered, output) = (metric.start(), metric.output());
        let prediction = engine.prediction_shape(output);
        let ignored = settings.loss.get(output).and_then(|loss| loss.ignored());
        for indices in data.validation().chunks(settings.batch.max(1)) {
            let batch = data.batch(indices)?;
            let predictions = vec![0.0; batch.size * prediction.elements()];
            let missing = Error::Internal("a batch without a target of a metric");
            let target = batch.targets.get(output).ok_or(missing)?;
            gathered.update(batch.size, prediction, &predictions, &target.elements, ignored)?;
        }
        if gathered.value().is_nan() {
            let problem = format!(
                "`{name}` is not defined on the {} validation samples, for any prediction; monitor another metric, or \
                 change the validation part",
                data.validation().len()
            );
            return Err(Error::Setting { key, problem });
        }
    }
    Ok(())
}

/// Returns the direction in which the monitored value improves; `None` if the run does not measure it.
pub(super) fn direction(settings: &TrainConfig, monitor: Monitor) -> Option<Direction> {
    match monitor {
        Monitor::ValLoss => Some(Direction::Lower),
        Monitor::ValMetric(name) => {
            if settings.loss_labels().any(|label| label == name) {
                return Some(Direction::Lower);
            }
            settings.metrics.iter().find(|metric| metric.label() == name).map(|metric| metric.direction())
        }
    }
}

/// Returns the monitored value in an evaluation of the validation data after `step` steps.
pub(super) fn value(monitor: Monitor, evaluation: &Evaluation, step: u64) -> Result<f64> {
    let (name, value) = match monitor {
        Monitor::ValLoss => ("loss", evaluation.loss),
        Monitor::ValMetric(name) => (name, evaluation.metrics.get(name).copied().unwrap_or(f64::NAN)),
    };
    if value.is_nan() {
        let problem = format!("the monitored `{name}` of the validation data is NaN");
        return Err(Error::Training { step, problem });
    }
    Ok(value)
}
