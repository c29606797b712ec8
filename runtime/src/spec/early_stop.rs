//! When to stop before the end.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::Config;
use crate::shape::{Problem, Verdict, contains};

/// Stops a run that no longer improves on the validation data.
///
/// The run stops at the `patience`-th evaluation in a row that does not improve on the best one by more than
/// `min_delta`. Whether more or less is better belongs to the metric. A monitored value that is not a
/// number stops the run with an error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStop {
    /// What is watched; the validation loss by default.
    pub monitor: Monitor,
    /// Evaluations without improvement that are borne, at least 1; 5 by default.
    pub patience: u64,
    /// The least improvement, in units of what is watched, 0 or more; 0 by default.
    pub min_delta: f64,
    /// Whether the run ends with the weights of its best evaluation; true by default.
    pub restore_best: bool,
}

/// [`EarlyStop`](struct@EarlyStop) with every key at its default.
#[allow(non_upper_case_globals)]
pub const EarlyStop: EarlyStop = EarlyStop::DEFAULT;

impl EarlyStop {
    /// The run takes all its steps.
    pub const NEVER: Self = Self { patience: u64::MAX, ..Self::DEFAULT };

    /// The ranges of the keys.
    pub const fn check(&self) -> Verdict {
        if self.patience == 0 {
            return Err(Problem::new("patience is 0; expected at least 1 evaluation"));
        }
        if !(self.min_delta >= 0.0 && self.min_delta.is_finite()) {
            return Err(Problem::new("min_delta is ").float(self.min_delta).text("; expected 0 or more"));
        }
        Ok(())
    }
}

impl Config for EarlyStop {
    const NAME: &'static str = "EarlyStop";
    const DEFAULT: Self = Self { monitor: Monitor::ValLoss, patience: 5, min_delta: 0.0, restore_best: true };
    const CHECK: fn(&Self) -> Verdict = Self::check;
}

/// A number that each evaluation gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monitor {
    /// The loss on the validation data.
    ValLoss,
    /// A metric on the validation data, by its name in logs: `ValMetric("accuracy")`. It must be one of the
    /// run's `metrics`.
    ValMetric(&'static str),
}

impl Monitor {
    /// That it is a number of a run whose metrics have these names.
    pub(super) const fn check(self, metrics: &[&str]) -> Verdict {
        let Self::ValMetric(name) = self else { return Ok(()) };
        if contains(metrics, name) {
            return Ok(());
        }
        let problem = Problem::new("`").text(name);
        if metrics.is_empty() {
            return Err(
                problem.text("` is watched, but the run has no `metrics`; add it there, or watch `ValLoss`")
            );
        }
        let mut problem = problem.text("` is no metric of the run; expected ");
        let mut i = 0;
        while i < metrics.len() {
            problem = problem.text(if i == 0 { "`" } else { ", `" }).text(metrics[i]).text("`");
            i += 1;
        }
        Err(problem.text(" or `ValLoss`"))
    }
}

impl Serialize for Monitor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::ValLoss => serializer.serialize_str("val_loss"),
            Self::ValMetric(metric) => serializer.collect_str(&format_args!("val_{metric}")),
        }
    }
}

impl<'de> Deserialize<'de> for Monitor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.strip_prefix("val_") {
            Some("loss") => Ok(Self::ValLoss),
            // A program reads its spec once, so the few bytes of a metric's name may stay.
            Some(metric) => Ok(Self::ValMetric(metric.to_owned().leak())),
            None => Err(serde::de::Error::custom(format_args!(
                "`{text}` cannot be watched; expected `val_loss` or `val_` and a metric, such as `val_accuracy`"
            ))),
        }
    }
}
