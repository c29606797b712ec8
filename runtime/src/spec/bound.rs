//! A spec's metrics without the types of the model and the data, which the compiler has checked.

use std::ops::Deref;

use crate::config::Setting;
use crate::metric::{Accumulator, AnyMetric, Direction, lasting};
use crate::shape::CheckResult;

/// A metric that fits the run's model and data.
pub trait BoundMetric: Send + Sync {
    /// Its keys and its checks.
    fn setting(&self) -> &dyn Setting;
    /// Its name in logs: [`Metric::label`](crate::metric::Metric::label), after the name of the output if there are several.
    fn label(&self) -> &'static str;
    /// The index of the output that it compares with its target.
    fn output(&self) -> usize;
    /// [`Metric::DIRECTION`](crate::metric::Metric::DIRECTION)
    fn direction(&self) -> Direction;
    /// [`Metric::DEFINED_BY_TARGETS`](crate::metric::Metric::DEFINED_BY_TARGETS)
    fn is_defined_by_targets(&self) -> bool;
    /// [`Metric::fits`](crate::metric::Metric::fits)
    ///
    /// # Errors
    /// If the check fails.
    fn fits(&self) -> CheckResult;
    /// The metric before the first sample.
    fn start(&self) -> Box<dyn Accumulator>;
    /// The same metric with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn BoundMetric>, String>;
}

/// A value from the spec, or a changed one.
enum Held<T: ?Sized + 'static> {
    /// From the spec, a constant.
    Declared(&'static T),
    /// Created at startup.
    Made(Box<T>),
}

impl<T: ?Sized> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Declared(value) => value,
            Self::Made(value) => value,
        }
    }
}

/// A metric of a model whose outputs have these names.
struct Named<O: 'static, T: 'static> {
    metric: Held<dyn AnyMetric<O, T>>,
    label: &'static str,
    outputs: &'static [&'static str],
}

impl<O: 'static, T: 'static> Named<O, T> {
    fn new(metric: Held<dyn AnyMetric<O, T>>, outputs: &'static [&'static str]) -> Self {
        let label = match outputs.get(metric.output()) {
            Some(output) if outputs.len() > 1 => lasting(format!("{output}_{}", metric.label()).into()),
            _ => metric.label(),
        };
        Self { metric, label, outputs }
    }
}

/// A metric of a spec.
pub(super) fn bound<O: 'static, T: 'static>(
    metric: &'static dyn AnyMetric<O, T>,
    outputs: &'static [&'static str],
) -> Box<dyn BoundMetric> {
    Box::new(Named::new(Held::Declared(metric), outputs))
}

impl<O: 'static, T: 'static> BoundMetric for Named<O, T> {
    fn setting(&self) -> &dyn Setting {
        // Upcasting the trait object that it holds.
        &*self.metric
    }

    fn label(&self) -> &'static str {
        self.label
    }

    fn output(&self) -> usize {
        self.metric.output()
    }

    fn direction(&self) -> Direction {
        self.metric.direction()
    }

    fn is_defined_by_targets(&self) -> bool {
        self.metric.is_defined_by_targets()
    }

    fn fits(&self) -> CheckResult {
        self.metric.fits()
    }

    fn start(&self) -> Box<dyn Accumulator> {
        self.metric.start_as(self.label)
    }

    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn BoundMetric>, String> {
        Ok(Box::new(Self::new(Held::Made(self.metric.with(json)?), self.outputs)))
    }
}
