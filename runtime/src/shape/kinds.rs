//! Kinds: the types of a model's inputs, outputs and targets.
//!
//! A kind is never constructed; it appears in signatures and bounds, so that a loss or data that do not fit a
//! model are type errors. [`Kind::SHAPE`] links it to the shapes of a model.

use super::{Element, Shape};

/// The kind of a value: the type of an input, an output or a target.
///
/// Your own kind is an empty type that declares its shape:
///
/// ```
/// use trainspec::{InputKind, Kind, Shape};
///
/// /// Twelve leads of an electrocardiogram.
/// struct Leads<const SAMPLES: usize>;
///
/// impl<const SAMPLES: usize> Kind for Leads<SAMPLES> {
///     type Element = f32;
///     const NAME: &'static str = "Leads";
///     const SHAPE: Shape = Shape::of(&[12, SAMPLES]);
/// }
/// impl<const SAMPLES: usize> InputKind for Leads<SAMPLES> {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind of value",
    label = "expected a kind, such as `Image<C, H, W>`, `Series<C, L>`, `Features<N>`, `Tokens<V, T>`, `Logits<C>`, `Values<N>`"
)]
pub trait Kind: 'static {
    /// `f32` for real numbers, `u32` for classes and tokens.
    type Element: Element;
    /// The kind's name in messages.
    const NAME: &'static str;
    /// One sample's shape; an axis may be [`Shape::ANY`], and [`Shape::UNKNOWN`] accepts every shape.
    const SHAPE: Shape;
}

/// A kind that data can provide and a trained model can take as its input.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind that data can provide",
    label = "a model with this input can only be used as a part of other models",
    note = "to train it, give its input a kind: `Image<C, H, W>`, `Series<C, L>`, `Features<N>` or `Tokens<V, T>`"
)]
pub trait InputKind: Kind {}

/// A kind that a trained model can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind of output that can be trained",
    label = "expected `Logits<C>`, `Values<N>` or `TokenLogits<V>`"
)]
pub trait OutputKind: Kind {}

// The generics are written out, so that rustc shows them together with the kind.
macro_rules! kinds {
    ($($(#[$docs:meta])* $name:ident<$($axis:ident),*> [$($generics:tt)*]: $element:ty = $shape:expr;)*) => { $(
        $(#[$docs])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<$($generics)*> {}

        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Kind for $name<$($axis),*> {
            type Element = $element;
            const NAME: &'static str = stringify!($name);
            const SHAPE: Shape = $shape;
        }
    )* };
}

kinds! {
    /// An image of `C` channels, `H` rows and `W` columns: `[C, H, W]`.
    Image<C, H, W> [const C: usize, const H: usize, const W: usize]: f32 = Shape::of(&[C, H, W]);
    /// A series of `C` channels and `L` steps, one channel after the other: `[C, L]`, as `conv1d` reads it.
    Series<C, L> [const C: usize, const L: usize]: f32 = Shape::of(&[C, L]);
    /// `N` real features: `[N]`.
    Features<N> [const N: usize]: f32 = Shape::of(&[N]);
    /// `T` tokens, each below `V`: `[T]`. As a target: the correct token at each position.
    Tokens<V, T> [const V: usize, const T: usize]: u32 = Shape::tokens(V, T);
    /// Unnormalized log-probabilities of `C` classes: `[C]`.
    Logits<C> [const C: usize]: f32 = Shape::of(&[C]);
    /// `N` real numbers: `[N]`, as a prediction or as a target.
    Values<N> [const N: usize]: f32 = Shape::of(&[N]);
    /// Unnormalized log-probabilities of `V` tokens at each position: `[T, V]`.
    TokenLogits<V> [const V: usize]: f32 = Shape::of(&[Shape::ANY, V]);
    /// Log-probabilities of `C` classes, as returned by `log_softmax`: `[C]`.
    LogProbabilities<C> [const C: usize]: f32 = Shape::of(&[C]);
    /// Unnormalized log-probabilities of `C` classes for each pixel: `[C, H, W]`.
    LogitMap<C, H, W> [const C: usize, const H: usize, const W: usize]: f32 = Shape::of(&[C, H, W]);
    /// The means of `N` normal distributions, and the logarithms of their variances: `[2, N]`, as a prediction.
    Gaussians<N> [const N: usize]: f32 = Shape::of(&[2, N]);
    /// `K` embeddings of `D` numbers, which a loss compares: `[K, D]`, as a prediction.
    Embeddings<K, D> [const K: usize, const D: usize]: f32 = Shape::of(&[K, D]);
    /// Probabilities of `C` classes, as a target: `[C]`.
    Probabilities<C> [const C: usize]: f32 = Shape::of(&[C]);
    /// `N` labels, each 1 or 0 (or a soft label between them), as a target: `[N]`.
    Labels<N> [const N: usize]: f32 = Shape::of(&[N]);
    /// One of `C` classes for each pixel, as a target: `[H, W]`.
    ClassMap<C, H, W> [const C: usize, const H: usize, const W: usize]: u32 = Shape::class_map(C, H, W);
    /// One of `C` classes, as its index from 0: `[]`.
    Class<C> [const C: usize]: u32 = Shape::class(C);
}

impl<const C: usize, const H: usize, const W: usize> InputKind for Image<C, H, W> {}
impl<const C: usize, const L: usize> InputKind for Series<C, L> {}
impl<const N: usize> InputKind for Features<N> {}
impl<const V: usize, const T: usize> InputKind for Tokens<V, T> {}

impl<const C: usize> OutputKind for Logits<C> {}
impl<const N: usize> OutputKind for Values<N> {}
impl<const V: usize> OutputKind for TokenLogits<V> {}
impl<const C: usize> OutputKind for LogProbabilities<C> {}
impl<const C: usize, const H: usize, const W: usize> OutputKind for LogitMap<C, H, W> {}
impl<const N: usize> OutputKind for Gaussians<N> {}
impl<const K: usize, const D: usize> OutputKind for Embeddings<K, D> {}
// A model cannot return these. Its shape check reports this, so a run does not report it again.
#[doc(hidden)]
impl<const C: usize> OutputKind for Class<C> {}
#[doc(hidden)]
impl<const V: usize, const T: usize> OutputKind for Tokens<V, T> {}
#[doc(hidden)]
impl<const C: usize, const H: usize, const W: usize> OutputKind for ClassMap<C, H, W> {}
