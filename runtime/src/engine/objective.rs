//! The objective of each output, and what it returns for a batch.

use std::ops::Deref;
use std::sync::Arc;

use candle_core::Tensor;

use crate::data::{Batch, BatchTensor};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::loss::{BoundLoss, LossKernel, LossSum};
use crate::shape::{Few, Shape};

/// The most outputs that a model can be trained for.
pub const MAX_OUTPUTS: usize = Few::<()>::MOST;

/// What an engine minimizes for one output of a model.
pub trait Objective: Send + Sync {
    /// Computes the sum and the weight of the loss from predictions and targets, with operations that candle can differentiate.
    ///
    /// # Errors
    /// If a candle operation fails.
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum>;

    /// The loss as a kernel for predictions of this shape, if there is one.
    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        let _ = prediction;
        None
    }
}

impl Objective for Arc<dyn BoundLoss> {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        (**self).sum(prediction, target)
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        (**self).kernel(prediction)
    }
}

/// One objective for each output of a model; of a box, for a model with one output.
pub struct Objectives(Vec<Box<dyn Objective>>);

impl<O: Objective + 'static> From<Box<O>> for Objectives {
    fn from(objective: Box<O>) -> Self {
        Self(vec![objective])
    }
}

impl From<Box<dyn Objective>> for Objectives {
    fn from(objective: Box<dyn Objective>) -> Self {
        Self(vec![objective])
    }
}

impl From<Vec<Box<dyn Objective>>> for Objectives {
    fn from(objectives: Vec<Box<dyn Objective>>) -> Self {
        Self(objectives)
    }
}

impl From<&[Arc<dyn BoundLoss>]> for Objectives {
    fn from(losses: &[Arc<dyn BoundLoss>]) -> Self {
        Self(losses.iter().map(|loss| -> Box<dyn Objective> { Box::new(Arc::clone(loss)) }).collect())
    }
}

impl Deref for Objectives {
    type Target = [Box<dyn Objective>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Objectives {
    /// Checks that there is one for each output of a graph.
    ///
    /// # Errors
    /// If not, or if the graph has more than [`MAX_OUTPUTS`].
    pub(super) fn fit(self, graph: &Graph) -> Result<Self> {
        let outputs = graph.outputs.len();
        if outputs != self.len() || outputs > MAX_OUTPUTS {
            let objectives = self.len();
            let problem = format!(
                "`{}` has {outputs} outputs and {objectives} objectives; expected one for each, at most {MAX_OUTPUTS}",
                graph.name
            );
            return Err(Error::Batch(problem));
        }
        Ok(self)
    }

    /// The kernel of each, if it has one.
    pub(super) fn kernels(&self, graph: &Graph) -> Vec<Option<Box<dyn LossKernel>>> {
        let objectives = self.iter().enumerate();
        objectives.map(|(output, objective)| objective.kernel(graph.shape_of_output(output))).collect()
    }
}

/// The loss of an output for one micro-batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OutputLoss {
    /// The loss summed over the batch.
    pub loss: f64,
    /// The divisor of the sum: the number of samples or tokens, or the sum of class weights.
    pub weight: f64,
}

/// The result of one micro-batch: the loss of each output.
pub type MicroBatch = Few<OutputLoss>;

/// The loss of an output as operations that candle can differentiate: for both targets if the batch is mixed.
pub(super) fn taped_loss(
    objective: &dyn Objective,
    prediction: &Tensor,
    batch: &Batch,
    output: usize,
) -> Result<LossSum> {
    let sum = |targets: &[BatchTensor]| {
        let target = targets.get(output).ok_or(Error::Internal("a batch without a target"))?;
        objective.sum(prediction, &target.to_tensor(batch.size, prediction.device())?)
    };
    let first = sum(&batch.targets)?;
    let Some(mixed) = &batch.mixed else { return Ok(first) };
    mixed.check()?;
    let second = sum(&mixed.targets)?;
    let weight = mixed.of(first.weight, second.weight);
    // A target with weight 0 is not evaluated: its loss could be infinite.
    let sum = if mixed.share >= 1.0 {
        first.sum
    } else if mixed.share <= 0.0 {
        second.sum
    } else {
        ((first.sum * mixed.share)? + (second.sum * (1.0 - mixed.share))?)?
    };
    Ok(LossSum { sum, weight })
}
