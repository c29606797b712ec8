//! A loss without the types of the model and the data, which the compiler has checked.

use std::marker::PhantomData;

use candle_core::Tensor;

use super::{BadTarget, Loss, LossKernel, LossSum, PredictedAs, Reduction, TargetRules};
use crate::config::{Setting, from_json};
use crate::error::Result;
use crate::shape::{CheckResult, Element, Kind, Numbers, Shape};

/// A loss that fits one output of a model and one target of data.
pub trait BoundLoss: TargetRules + Send + Sync {
    /// Its keys and its checks.
    fn setting(&self) -> &dyn Setting;
    /// [`Loss::sum`]
    ///
    /// # Errors
    /// If candle rejects an operation.
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum>;
    /// [`Loss::weight`]
    fn weight(&self, target: Numbers<'_>, samples: usize) -> f64;
    /// [`Loss::reduction`]
    fn reduction(&self) -> Reduction;
    /// [`Loss::fits`]
    ///
    /// # Errors
    /// If the keys do not fit the kinds.
    fn fits(&self) -> CheckResult;
    /// [`Loss::kernel`]
    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>>;
    /// The same loss with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn BoundLoss>, String>;
}

/// A loss bound to the kinds of an output and a target.
pub(super) struct Bound<L, Output, Target> {
    loss: L,
    kinds: PhantomData<fn() -> (Output, Target)>,
}

impl<Output: Kind, Target: Kind, L: Loss<Output, Target>> Bound<L, Output, Target> {
    pub(super) fn boxed(loss: L) -> Box<dyn BoundLoss> {
        Box::new(Self { loss, kinds: PhantomData })
    }
}

impl<Output: Kind, Target: Kind, L: Loss<Output, Target>> TargetRules for Bound<L, Output, Target> {
    fn ignored(&self) -> Option<u32> {
        self.loss.ignored()
    }

    fn accepts(&self, target: Numbers<'_>) -> Result<(), BadTarget> {
        let target = Target::Element::of_sample(target).unwrap_or_default();
        self.loss.accepts(target).map_err(|problem| problem.of(L::NAME))
    }

    fn counts(&self, target: Numbers<'_>) -> bool {
        self.loss.counts(Target::Element::of_sample(target).unwrap_or_default())
    }

    fn predicted_as(&self) -> Option<PredictedAs> {
        PredictedAs::of_kind(Output::NAME)
    }
}

impl<Output: Kind, Target: Kind, L: Loss<Output, Target>> BoundLoss for Bound<L, Output, Target> {
    fn setting(&self) -> &dyn Setting {
        &self.loss
    }

    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        self.loss.sum(prediction, target)
    }

    fn weight(&self, target: Numbers<'_>, samples: usize) -> f64 {
        self.loss.weight(Target::Element::of_sample(target).unwrap_or_default(), samples)
    }

    fn reduction(&self) -> Reduction {
        self.loss.reduction()
    }

    fn fits(&self) -> CheckResult {
        self.loss.fits().map_err(|problem| problem.of(L::NAME))
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        self.loss.kernel(prediction)
    }

    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn BoundLoss>, String> {
        Ok(Self::boxed(from_json(json)?))
    }
}
