//! What a model gave for a batch beside what is right.

use crate::shape::Shape;

/// What a model gave for the samples of a batch, beside what the data say, as numbers in a row.
#[derive(Clone, Copy, Debug)]
pub struct Outcomes<'a, E> {
    /// How many samples, at least 1.
    pub size: usize,
    /// One prediction's shape.
    pub shape: Shape,
    /// Prediction after prediction.
    pub predictions: &'a [f32],
    /// Target after target: real numbers, or classes and tokens, those that the loss ignores with them.
    pub targets: &'a [E],
    /// The class or token that counts for nothing: [`Loss::ignored`](crate::loss::Loss::ignored).
    pub ignored: Option<u32>,
}

impl<'a, E> Outcomes<'a, E> {
    /// The numbers of each sample's prediction and of its target.
    pub fn samples(&self) -> impl Iterator<Item = (&'a [f32], &'a [E])> + use<'a, E> {
        let each = |length: usize| (length / self.size.max(1)).max(1);
        let predictions = self.predictions.chunks_exact(each(self.predictions.len()));
        predictions.zip(self.targets.chunks_exact(each(self.targets.len())))
    }
}

impl<'a> Outcomes<'a, u32> {
    /// How many classes there are: one logit is that of the second of two.
    pub(super) fn classes(&self) -> usize {
        self.shape.last().max(2)
    }

    /// The logits along the last axis, with the class that is right: one row a sample, or one a place for tokens. What
    /// the loss ignores is left out.
    pub fn rows(&self) -> impl Iterator<Item = (&'a [f32], u32)> + use<'a> {
        let ignored = self.ignored;
        let rows = self.predictions.chunks_exact(self.shape.last().max(1)).zip(self.targets.iter().copied());
        rows.filter(move |(_, target)| ignored != Some(*target))
    }
}
