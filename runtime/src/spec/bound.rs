//! A spec's loss and metrics without the types of the model and the data, which were already checked.

use std::ops::Deref;

use candle_core::Tensor;

use crate::config::Setting;
use crate::error::Result;
use crate::loss::{AnyLoss, LossKernel, LossSum, Reduction};
use crate::loss::{BadTarget, TargetRules};
use crate::metric::{Accumulator, AnyMetric, Direction};
use crate::shape::Numbers;
use crate::shape::{CheckResult, Kind, Shape};

/// A loss that fits the run's model and data.
pub trait BoundLoss: TargetRules + Send + Sync {
    /// Its keys and its checks.
    fn setting(&self) -> &dyn Setting;
    /// [`Loss::sum`](crate::loss::Loss::sum)
    ///
    /// # Errors
    /// If candle refuses an operation.
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum>;
    /// [`Loss::reduction`](crate::loss::Loss::reduction)
    fn reduction(&self) -> Reduction;
    /// [`Loss::fits`](crate::loss::Loss::fits)
    ///
    /// # Errors
    /// If the keys do not fit the kinds.
    fn fits(&self) -> CheckResult;
    /// [`Loss::kernel`](crate::loss::Loss::kernel)
    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>>;
    /// The same loss with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn BoundLoss>, String>;
}

/// A metric that fits the run's model and data.
pub trait BoundMetric: Send + Sync {
    /// Its keys and its checks.
    fn setting(&self) -> &dyn Setting;
    /// [`Metric::label`](crate::metric::Metric::label)
    fn label(&self) -> &'static str;
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
pub(crate) enum Held<T: ?Sized + 'static> {
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

impl<O: Kind, T: Kind> TargetRules for Held<dyn AnyLoss<O, T>> {
    fn ignored(&self) -> Option<u32> {
        (**self).ignored()
    }

    fn accepts(&self, target: Numbers<'_>) -> Result<(), BadTarget> {
        (**self).accepts(target)
    }

    fn counts(&self, target: Numbers<'_>) -> bool {
        (**self).counts(target)
    }
}

impl<O: Kind, T: Kind> BoundLoss for Held<dyn AnyLoss<O, T>> {
    fn setting(&self) -> &dyn Setting {
        // Upcasting the trait object that it holds.
        &**self
    }

    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        (**self).sum(prediction, target)
    }

    fn reduction(&self) -> Reduction {
        (**self).reduction()
    }

    fn fits(&self) -> CheckResult {
        (**self).fits()
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        (**self).kernel(prediction)
    }

    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn BoundLoss>, String> {
        Ok(Box::new(Self::Made((**self).with(json)?)))
    }
}

impl<O: Kind, T: Kind> BoundMetric for Held<dyn AnyMetric<O, T>> {
    fn setting(&self) -> &dyn Setting {
        &**self
    }

    fn label(&self) -> &'static str {
        (**self).label()
    }

    fn direction(&self) -> Direction {
        (**self).direction()
    }

    fn is_defined_by_targets(&self) -> bool {
        (**self).is_defined_by_targets()
    }

    fn fits(&self) -> CheckResult {
        (**self).fits()
    }

    fn start(&self) -> Box<dyn Accumulator> {
        (**self).start()
    }

    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn BoundMetric>, String> {
        Ok(Box::new(Self::Made((**self).with(json)?)))
    }
}
