//! The value of an evaluation that is monitored.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::shape::{CheckError, CheckResult, contains};

/// A value that each evaluation computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monitor {
    /// The loss on the validation data.
    ValLoss,
    /// A metric on the validation data, by its name in logs: `ValMetric("accuracy")`. It must be one of the
    /// run's `metrics`.
    ValMetric(&'static str),
}

impl Monitor {
    /// Checks that it is a value of a run with these metrics: `numbers` are single values, `tables` are not.
    pub(crate) const fn check(self, numbers: &[&str], tables: &[&str]) -> CheckResult {
        let Self::ValMetric(name) = self else { return Ok(()) };
        if contains(numbers, name) {
            return Ok(());
        }
        let problem = CheckError::new("`").text(name);
        if numbers.is_empty() && tables.is_empty() {
            return Err(problem
                .text("` is monitored, but the run has no `metrics`; add it there, or monitor `ValLoss`"));
        }
        let mut problem = problem.text(if contains(tables, name) {
            "` is a table, not a single value; expected "
        } else {
            "` is not a metric of the run; expected "
        });
        let mut i = 0;
        while i < numbers.len() {
            problem = problem.text(if i == 0 { "`" } else { ", `" }).text(numbers[i]).text("`");
            i += 1;
        }
        Err(problem.text(if numbers.is_empty() { "`ValLoss`" } else { " or `ValLoss`" }))
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
            // A program reads its spec once, so leaking the few bytes of a metric's name is fine.
            Some(metric) => Ok(Self::ValMetric(metric.to_owned().leak())),
            None => Err(serde::de::Error::custom(format_args!(
                "`{text}` cannot be monitored; expected `val_loss` or `val_` and a metric, such as `val_accuracy`"
            ))),
        }
    }
}
