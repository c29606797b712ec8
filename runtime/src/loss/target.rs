//! Target types, each with its default loss.

use super::bound::Bound;
use super::{BinaryCrossEntropy, BoundLoss, CrossEntropy, KlDivergence, MeanSquaredError};
use crate::shape::{
    Class, ClassMap, Kind, Kinds, Labels, LogProbabilities, LogitMap, Logits, Probabilities, Shape,
    TokenLogits, Tokens, Values,
};

/// A type that data can have as target.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a target type",
    label = "expected `Class<C>`, `Values<N>` or `Tokens<V, T>`"
)]
pub trait TargetKind: Kind {
    /// The name and shape of the output type to which [`TargetKind::default_loss`] applies.
    const SUGGESTED_FOR: Option<(&'static str, Shape)> = None;

    /// Returns the loss of a spec without the key `loss`, for the output type [`TargetKind::SUGGESTED_FOR`].
    fn default_loss() -> Option<Box<dyn BoundLoss>> {
        None
    }
}

impl<const C: usize> TargetKind for Class<C> {
    const SUGGESTED_FOR: Option<(&'static str, Shape)> =
        Some((<Logits<C> as Kind>::NAME, <Logits<C> as Kind>::SHAPE));

    fn default_loss() -> Option<Box<dyn BoundLoss>> {
        Some(Bound::<_, Logits<C>, Self>::boxed(CrossEntropy))
    }
}

impl<const N: usize> TargetKind for Values<N> {
    const SUGGESTED_FOR: Option<(&'static str, Shape)> = Some((<Self as Kind>::NAME, <Self as Kind>::SHAPE));

    fn default_loss() -> Option<Box<dyn BoundLoss>> {
        Some(Bound::<_, Self, Self>::boxed(MeanSquaredError))
    }
}

impl<const N: usize> TargetKind for Labels<N> {
    const SUGGESTED_FOR: Option<(&'static str, Shape)> =
        Some((<Logits<N> as Kind>::NAME, <Logits<N> as Kind>::SHAPE));

    fn default_loss() -> Option<Box<dyn BoundLoss>> {
        Some(Bound::<_, Logits<N>, Self>::boxed(BinaryCrossEntropy))
    }
}

impl<const C: usize> TargetKind for Probabilities<C> {
    const SUGGESTED_FOR: Option<(&'static str, Shape)> =
        Some((<LogProbabilities<C> as Kind>::NAME, <LogProbabilities<C> as Kind>::SHAPE));

    fn default_loss() -> Option<Box<dyn BoundLoss>> {
        Some(Bound::<_, LogProbabilities<C>, Self>::boxed(KlDivergence))
    }
}

impl<const V: usize, const T: usize> TargetKind for Tokens<V, T> {
    const SUGGESTED_FOR: Option<(&'static str, Shape)> =
        Some((<TokenLogits<V> as Kind>::NAME, <TokenLogits<V> as Kind>::SHAPE));

    fn default_loss() -> Option<Box<dyn BoundLoss>> {
        Some(Bound::<_, TokenLogits<V>, Self>::boxed(CrossEntropy))
    }
}

impl<const C: usize, const H: usize, const W: usize> TargetKind for ClassMap<C, H, W> {
    const SUGGESTED_FOR: Option<(&'static str, Shape)> =
        Some((<LogitMap<C, H, W> as Kind>::NAME, <LogitMap<C, H, W> as Kind>::SHAPE));

    fn default_loss() -> Option<Box<dyn BoundLoss>> {
        Some(Bound::<_, LogitMap<C, H, W>, Self>::boxed(CrossEntropy))
    }
}

/// The types that data can have as targets: a [`TargetKind`], or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a target type",
    label = "expected `Class<C>`, `Values<N>` or `Tokens<V, T>`, or a tuple of two to six target types"
)]
pub trait TargetKinds: Kinds {
    /// [`TargetKind::SUGGESTED_FOR`] of each.
    const SUGGESTED_FOR: &'static [Option<(&'static str, Shape)>];

    /// [`TargetKind::default_loss`] of each.
    fn default_losses() -> Vec<Option<Box<dyn BoundLoss>>>;
}

#[diagnostic::do_not_recommend]
impl<T: TargetKind> TargetKinds for T {
    const SUGGESTED_FOR: &'static [Option<(&'static str, Shape)>] = &[<T as TargetKind>::SUGGESTED_FOR];

    fn default_losses() -> Vec<Option<Box<dyn BoundLoss>>> {
        vec![T::default_loss()]
    }
}

macro_rules! tuples {
    ($(($($kind:ident),*))*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($kind: TargetKind),*> TargetKinds for ($($kind,)*) {
            const SUGGESTED_FOR: &'static [Option<(&'static str, Shape)>] =
                &[$(<$kind as TargetKind>::SUGGESTED_FOR),*];

            fn default_losses() -> Vec<Option<Box<dyn BoundLoss>>> {
                vec![$($kind::default_loss()),*]
            }
        }
    )* };
}

tuples! {
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
    (A, B, C, D, E, F)
}
