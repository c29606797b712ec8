//! The predictions and targets of a batch.

use crate::shape::Shape;

/// The predictions and targets of the samples of a batch, as flat slices.
#[derive(Clone, Copy, Debug)]
pub struct Outcomes<'a, E> {
    /// The number of samples, at least 1.
    pub size: usize,
    /// The shape of one prediction.
    pub shape: Shape,
    /// The predictions, sample by sample.
    pub predictions: &'a [f32],
    /// The targets, sample by sample: floating-point values, or classes and tokens, including those that the loss ignores.
    pub targets: &'a [E],
    /// The class or token to ignore: [`Loss::ignored`](crate::loss::Loss::ignored).
    pub ignored: Option<u32>,
}

impl<'a, E> Outcomes<'a, E> {
    /// Iterates over the prediction and the target of each sample.
    pub fn samples(&self) -> impl Iterator<Item = (&'a [f32], &'a [E])> + use<'a, E> {
        let each = |length: usize| (length / self.size.max(1)).max(1);
        let predictions = self.predictions.chunks_exact(each(self.predictions.len()));
        predictions.zip(self.targets.chunks_exact(each(self.targets.len())))
    }
}

impl<'a> Outcomes<'a, u32> {
    /// Returns the number of classes; a single logit stands for two classes.
    pub(super) fn classes(&self) -> usize {
        self.shape.last().max(2)
    }

    /// Iterates over the logits along the last axis with the target class: one row per sample, or one per position for tokens.
    /// Skips what the loss ignores.
    pub fn rows(&self) -> impl Iterator<Item = (&'a [f32], u32)> + use<'a> {
        let ignored = self.ignored;
        let rows = self.predictions.chunks_exact(self.shape.last().max(1)).zip(self.targets.iter().copied());
        rows.filter(move |(_, target)| ignored != Some(*target))
    }
}
