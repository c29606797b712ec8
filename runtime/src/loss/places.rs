//! Losses of a class for each row or pixel as kernels.

use trainspec_kernels::class_loss::{ClassLoss, Layout};

use super::LossKernel;
use super::classes::Counting;
use super::list::singles;
use crate::error::Result;
use crate::shape::{Elements, Shape};

/// Cross entropy, smoothed or focal, of the places of a prediction.
pub(super) struct Places {
    layout: Layout,
    classes: usize,
    /// The number of places of a sample.
    each: usize,
    label_smoothing: f32,
    gamma: f32,
    weights: Vec<f32>,
    counting: Counting,
}

impl Places {
    pub(super) fn new(counting: Counting) -> Self {
        Self {
            layout: Layout::ClassesLast,
            classes: 0,
            each: 0,
            label_smoothing: 0.0,
            gamma: 0.0,
            weights: singles(counting.weights),
            counting,
        }
    }

    pub(super) fn smoothed(self, label_smoothing: f64) -> Self {
        Self { label_smoothing: label_smoothing as f32, ..self }
    }

    pub(super) fn focused(self, gamma: f64) -> Self {
        Self { gamma: gamma as f32, ..self }
    }

    /// For predictions whose last axis has the classes.
    pub(super) fn rows(self, prediction: Shape) -> Self {
        let classes = prediction.last();
        let each = prediction.elements() / classes.max(1);
        Self { layout: Layout::ClassesLast, classes, each, ..self }
    }

    /// For predictions whose first axis has the classes.
    pub(super) fn planes(self, prediction: Shape) -> Self {
        let classes = prediction.axes().first().copied().unwrap_or(1);
        let each = prediction.elements() / classes.max(1);
        Self { layout: Layout::ClassesFirst, classes, each, ..self }
    }
}

impl LossKernel for Places {
    fn sum(&self, prediction: &[f32], target: &Elements, gradient: Option<&mut [f32]>) -> Result<(f64, f64)> {
        let Self { layout, classes, each: places, label_smoothing, gamma, ref weights, counting } = *self;
        let all = prediction.len() / classes.max(1);
        let targets = counting.check(target, all, classes)?;
        let (samples, places) = match layout {
            // Rows of several samples share a tile.
            Layout::ClassesLast => (1, all),
            Layout::ClassesFirst => (all / places.max(1), places),
        };
        let ignored = counting.ignored;
        let kernel = ClassLoss { layout, samples, classes, places, label_smoothing, gamma, weights, ignored };
        let sum = match gradient {
            Some(gradient) => kernel.forward_backward(prediction, targets, gradient),
            None => kernel.forward(prediction, targets),
        };
        Ok((sum, counting.sum(targets)))
    }
}
