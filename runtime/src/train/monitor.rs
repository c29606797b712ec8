//! What of an evaluation is watched.

use super::Evaluation;
use crate::error::{Error, Result};
use crate::metric::Direction;
use crate::spec::{Monitor, Settings};

/// Which way what is monitored improves; `None` if the run does not measure it.
pub(super) fn direction(settings: &Settings, monitor: Monitor) -> Option<Direction> {
    match monitor {
        Monitor::ValLoss => Some(Direction::Lower),
        Monitor::ValMetric(name) => {
            settings.metrics.iter().find(|metric| metric.label() == name).map(|metric| metric.direction())
        }
    }
}

/// The value of what is monitored, in an evaluation of the validation data after `step` steps.
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
