//! Elementwise losses as kernels.

use trainspec_kernels::pointwise_loss::{Function, PointwiseLoss, repeated};
use trainspec_kernels::scratch;

use super::list::singles;
use super::{LossKernel, Reduction, check_targets};
use crate::error::{Error, Result};
use crate::shape::Elements;
use crate::shape::Shape;

/// A loss over each element of a prediction.
pub(super) struct Pointwise {
    function: Function<'static>,
    /// The weights of a logistic loss for each column, repeated.
    weights: Vec<f32>,
    /// The number of elements of a sample.
    values: usize,
    scale: f64,
    /// Which targets are valid.
    expects: Expects,
}

/// Which targets a loss accepts.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Expects {
    Number,
    Probability,
    /// One of two classes, as its index.
    Class,
}

impl Pointwise {
    pub(super) fn new(function: Function<'static>, prediction: Shape, reduction: Reduction) -> Self {
        let values = prediction.elements();
        Self {
            function,
            weights: Vec::new(),
            values,
            scale: reduction.scale(values),
            expects: Expects::Number,
        }
    }

    pub(super) fn of(self, expects: Expects) -> Self {
        Self { expects, ..self }
    }

    /// Sets a weight for each column.
    pub(super) fn weighted(self, weights: &[f64]) -> Self {
        Self { weights: repeated(&singles(weights)), ..self }
    }

    /// Sums the losses of all values of a sample.
    pub(super) fn summed(self) -> Self {
        Self { scale: 1.0, ..self }
    }

    fn run(&self, prediction: &[f32], targets: &[f32], gradient: Option<&mut [f32]>) -> f64 {
        let function = match self.function {
            Function::Logistic { .. } => Function::Logistic { weights: &self.weights },
            other => other,
        };
        let loss = PointwiseLoss { function, scale: self.scale };
        match gradient {
            Some(gradient) => loss.forward_backward(prediction, targets, gradient),
            None => loss.forward(prediction, targets),
        }
    }
}

impl LossKernel for Pointwise {
    fn sum(&self, prediction: &[f32], target: &Elements, gradient: Option<&mut [f32]>) -> Result<(f64, f64)> {
        let samples = (prediction.len() / self.values.max(1)) as f64;
        let sum = match (target, self.expects) {
            (Elements::Float(targets), Expects::Number | Expects::Probability) => {
                check_targets(prediction.len(), targets.len())?;
                if self.expects == Expects::Probability {
                    check_probabilities(targets)?;
                }
                self.run(prediction, targets, gradient)
            }
            (Elements::Int(targets), Expects::Class) => {
                check_targets(prediction.len(), targets.len())?;
                if let Some(wrong) = targets.iter().find(|&&target| target > 1) {
                    return Err(Error::Batch(format!("the target {wrong} is not a class; expected 0 to 1")));
                }
                scratch::with(targets.len(), |reals| {
                    for (real, target) in reals.iter_mut().zip(targets) {
                        *real = *target as f32;
                    }
                    self.run(prediction, reals, gradient)
                })
            }
            _ => return Err(Error::Internal("a loss received targets of the wrong type")),
        };
        Ok((sum, samples))
    }
}

/// Checks that targets are probabilities.
fn check_probabilities(targets: &[f32]) -> Result<()> {
    match targets.iter().find(|target| !(0.0..=1.0).contains(*target)) {
        Some(wrong) => Err(Error::Batch(format!("the target {wrong} is not a probability; expected 0 to 1"))),
        None => Ok(()),
    }
}
