//! Target types, each with its default loss.

use std::any::Any;

use super::{AnyLoss, BinaryCrossEntropy, CrossEntropy, KlDivergence, MeanSquaredError};
use crate::shape::{
    Class, Kind, Labels, LogProbabilities, Logits, Probabilities, Shape, TokenLogits, Tokens, Values,
};

/// A type that data can have as target.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a target type",
    label = "expected `Class<C>`, `Values<N>` or `Tokens<V, T>`"
)]
pub trait TargetKind: Kind {
    /// The name and shape of the output type to which [`TargetKind::default_loss`] applies.
    const SUGGESTED_FOR: Option<(&'static str, Shape)> = None;

    /// Returns the loss of a spec without the key `loss`: a `Box<dyn AnyLoss<Output, Self>>` for the usual output type of
    /// this target.
    fn default_loss() -> Option<Box<dyn Any>> {
        None
    }
}

impl<const C: usize> TargetKind for Class<C> {
    const SUGGESTED_FOR: Option<(&'static str, Shape)> =
        Some((<Logits<C> as Kind>::NAME, <Logits<C> as Kind>::SHAPE));

    fn default_loss() -> Option<Box<dyn Any>> {
        let loss: Box<dyn AnyLoss<Logits<C>, Self>> = Box::new(CrossEntropy);
        Some(Box::new(loss))
    }
}

impl<const N: usize> TargetKind for Values<N> {
    const SUGGESTED_FOR: Option<(&'static str, Shape)> = Some((<Self as Kind>::NAME, <Self as Kind>::SHAPE));

    fn default_loss() -> Option<Box<dyn Any>> {
        let loss: Box<dyn AnyLoss<Self, Self>> = Box::new(MeanSquaredError);
        Some(Box::new(loss))
    }
}

impl<const N: usize> TargetKind for Labels<N> {
    const SUGGESTED_FOR: Option<(&'static str, Shape)> =
        Some((<Logits<N> as Kind>::NAME, <Logits<N> as Kind>::SHAPE));

    fn default_loss() -> Option<Box<dyn Any>> {
        let loss: Box<dyn AnyLoss<Logits<N>, Self>> = Box::new(BinaryCrossEntropy);
        Some(Box::new(loss))
    }
}

impl<const C: usize> TargetKind for Probabilities<C> {
    const SUGGESTED_FOR: Option<(&'static str, Shape)> =
        Some((<LogProbabilities<C> as Kind>::NAME, <LogProbabilities<C> as Kind>::SHAPE));

    fn default_loss() -> Option<Box<dyn Any>> {
        let loss: Box<dyn AnyLoss<LogProbabilities<C>, Self>> = Box::new(KlDivergence);
        Some(Box::new(loss))
    }
}

impl<const V: usize, const T: usize> TargetKind for Tokens<V, T> {
    const SUGGESTED_FOR: Option<(&'static str, Shape)> =
        Some((<TokenLogits<V> as Kind>::NAME, <TokenLogits<V> as Kind>::SHAPE));

    fn default_loss() -> Option<Box<dyn Any>> {
        let loss: Box<dyn AnyLoss<TokenLogits<V>, Self>> = Box::new(CrossEntropy);
        Some(Box::new(loss))
    }
}
