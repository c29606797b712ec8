//! Kinds: the types of a model's inputs, outputs and targets.
//!
//! A kind is never made; it stands in signatures and in bounds, so that a loss that does not fit a
//! model, or data that do not, are type errors. [`Kind::SHAPE`] ties it to the shapes of a model.

use std::any::Any;
use std::fmt::Debug;

use super::Shape;
use crate::data::{Elements, Numbers};
use crate::graph::Value;
use crate::loss::{AnyLoss, BinaryCrossEntropy, CrossEntropy, KlDivergence, MeanSquaredError};

/// What a value is: the type of an input, an output or a target.
///
/// A kind of your own is an empty type that says its shape:
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
    message = "`{Self}` is no kind of value",
    label = "expected a kind, such as `Image<C, H, W>`, `Features<N>`, `Tokens<V, T>`, `Logits<C>`, `Values<N>`"
)]
pub trait Kind: 'static {
    /// `f32` for real numbers, `u32` for classes and tokens.
    type Element: Element;
    /// The kind's name in messages.
    const NAME: &'static str;
    /// One sample's shape; an axis may be [`Shape::ANY`], and [`Shape::UNKNOWN`] takes every shape.
    const SHAPE: Shape;
}

/// What a kind's numbers are: `f32` or `u32`.
pub trait Element: Copy + Default + Debug + PartialEq + Send + Sync + private::Sealed + 'static {
    /// Numbers of this type, as a batch holds them.
    fn column(numbers: Vec<Self>) -> Elements;

    /// The numbers of a column, if they are of this type.
    fn of(column: &Elements) -> Option<&[Self]>;

    /// The numbers of a sample, if they are of this type.
    fn of_sample(sample: Numbers<'_>) -> Option<&[Self]>;

    /// The nearest number of this type: a finite one if real; otherwise the number must be whole and below 2^32. `3.0` is
    /// whole, as many programs write classes so.
    fn from_number(number: f64) -> Option<Self>;

    /// The same of a text whose value in f64 is `number`. It is rounded once, from the text.
    fn from_text(text: &str, number: f64) -> Option<Self>;

    /// A class or token; `None` for a real number.
    fn whole(self) -> Option<u32>;

    /// A real number; `None` for a class or token.
    fn real(self) -> Option<f32>;
}

impl Element for f32 {
    fn column(numbers: Vec<Self>) -> Elements {
        Elements::Real(numbers)
    }

    fn of(column: &Elements) -> Option<&[Self]> {
        match column {
            Elements::Real(numbers) => Some(numbers),
            Elements::Whole(_) => None,
        }
    }

    fn of_sample(sample: Numbers<'_>) -> Option<&[Self]> {
        match sample {
            Numbers::Real(numbers) => Some(numbers),
            Numbers::Whole(_) => None,
        }
    }

    fn from_number(number: f64) -> Option<Self> {
        let number = number as Self;
        number.is_finite().then_some(number)
    }

    fn from_text(text: &str, number: f64) -> Option<Self> {
        // Rounded twice a number differs only if the first rounding ended in the middle between two of f32, whose last 29 bits
        // are these; or among the subnormal ones, which have fewer bits.
        const MIDDLE: u64 = 1 << 28;
        let is_middle = number.to_bits() & ((1 << 29) - 1) == MIDDLE;
        if is_middle || number.abs() < f64::from(Self::MIN_POSITIVE) {
            return text.parse().ok().filter(|number: &Self| number.is_finite());
        }
        Self::from_number(number)
    }

    fn whole(self) -> Option<u32> {
        None
    }

    fn real(self) -> Option<f32> {
        Some(self)
    }
}

impl Element for u32 {
    fn column(numbers: Vec<Self>) -> Elements {
        Elements::Whole(numbers)
    }

    fn of(column: &Elements) -> Option<&[Self]> {
        match column {
            Elements::Whole(numbers) => Some(numbers),
            Elements::Real(_) => None,
        }
    }

    fn of_sample(sample: Numbers<'_>) -> Option<&[Self]> {
        match sample {
            Numbers::Whole(numbers) => Some(numbers),
            Numbers::Real(_) => None,
        }
    }

    fn from_number(number: f64) -> Option<Self> {
        let is_whole = number.fract() == 0.0 && (0.0..=f64::from(Self::MAX)).contains(&number);
        is_whole.then_some(number as Self)
    }

    fn from_text(_: &str, number: f64) -> Option<Self> {
        Self::from_number(number)
    }

    fn whole(self) -> Option<u32> {
        Some(self)
    }

    fn real(self) -> Option<f32> {
        None
    }
}

mod private {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for u32 {}
}

/// A kind that data can give and a trained model can take.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no kind that data can have",
    label = "a model over `{Self}` is a part of other models",
    note = "to train it, give its input a kind: `Image<C, H, W>`, `Features<N>` or `Tokens<V, T>`"
)]
pub trait InputKind: Kind {}

/// A kind that a trained model can give.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no kind that a trained model can give",
    label = "expected `Logits<C>`, `Values<N>` or `TokenLogits<V>`"
)]
pub trait OutputKind: Kind {}

/// A kind that data can give as the right answer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no kind of target",
    label = "expected `Class<C>`, `Values<N>` or `Tokens<V, T>`"
)]
pub trait TargetKind: Kind {
    /// The kind of output for which [`TargetKind::default_loss`] is, by its name and shape.
    const SUGGESTED_FOR: Option<(&'static str, Shape)> = None;

    /// The loss of a spec that names none: a `Box<dyn AnyLoss<Output, Self>>` for the kind of output that
    /// usually goes with this target.
    fn default_loss() -> Option<Box<dyn Any>> {
        None
    }
}

/// Says which inputs a model takes: its own kind.
///
/// A bound of `train!`; it exists for its message.
#[diagnostic::on_unimplemented(
    message = "the data give `{Self}`, but the model takes `{Wanted}`",
    label = "these data do not fit the model",
    note = "change the type of the model's input, or choose other data"
)]
pub trait Fits<Wanted> {}

impl<K: InputKind> Fits<K> for K {}

/// A model over any value cannot be trained; that is said of the model, not of the data.
impl<K: InputKind> Fits<Value> for K {}

/// Nor can one over several values.
impl<K: InputKind, A, B> Fits<(A, B)> for K {}
impl<K: InputKind, A, B, C> Fits<(A, B, C)> for K {}

// The generics are written out, so that rustc shows them where it shows the kind.
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
    /// `N` real features: `[N]`.
    Features<N> [const N: usize]: f32 = Shape::of(&[N]);
    /// `T` tokens, each below `V`: `[T]`. As a target: the right token at each place.
    Tokens<V, T> [const V: usize, const T: usize]: u32 = Shape::tokens(V, T);
    /// Unnormalized log-probabilities of `C` classes: `[C]`.
    Logits<C> [const C: usize]: f32 = Shape::of(&[C]);
    /// `N` real numbers: `[N]`, as a prediction or as a target.
    Values<N> [const N: usize]: f32 = Shape::of(&[N]);
    /// Unnormalized log-probabilities of `V` tokens at each place: `[T, V]`.
    TokenLogits<V> [const V: usize]: f32 = Shape::of(&[Shape::ANY, V]);
    /// Log-probabilities of `C` classes, as `log_softmax` gives them: `[C]`.
    LogProbabilities<C> [const C: usize]: f32 = Shape::of(&[C]);
    /// Probabilities of `C` classes, as a target: `[C]`.
    Probabilities<C> [const C: usize]: f32 = Shape::of(&[C]);
    /// `N` labels, each 1 or 0 (or between, where nobody is sure), as a target: `[N]`.
    Labels<N> [const N: usize]: f32 = Shape::of(&[N]);
    /// One of `C` classes, as its number from 0: `[]`.
    Class<C> [const C: usize]: u32 = Shape::class(C);
}

impl<const C: usize, const H: usize, const W: usize> InputKind for Image<C, H, W> {}
impl<const N: usize> InputKind for Features<N> {}
impl<const V: usize, const T: usize> InputKind for Tokens<V, T> {}

impl<const C: usize> OutputKind for Logits<C> {}
impl<const N: usize> OutputKind for Values<N> {}
impl<const V: usize> OutputKind for TokenLogits<V> {}
impl<const C: usize> OutputKind for LogProbabilities<C> {}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn read<E: Element>(text: &str) -> Option<E> {
        E::from_text(text, text.parse().ok()?)
    }

    #[test]
    fn a_text_is_a_number_only_if_the_kind_can_hold_it() {
        assert_eq!(read("-1.5e3"), Some(-1500.0_f32));
        for text in ["", "x", "NaN", "inf", "-inf", "1e39", "1 2", "0x10"] {
            assert_eq!(read::<f32>(text), None, "{text}");
        }
        assert_eq!(read("2"), Some(2_u32));
        assert_eq!(read("2.0"), Some(2_u32));
        assert_eq!(read("4294967295"), Some(u32::MAX));
        for text in ["-1", "1.5", "4294967296", "NaN", "inf", "two", ""] {
            assert_eq!(read::<u32>(text), None, "{text}");
        }
    }

    /// Of these the way through f64 alone gives another number: each lies a little beside the middle between two of f32, which is
    /// what f64 takes it for. So do the largest number that is not infinite, and the subnormal ones.
    #[test]
    fn a_text_is_rounded_once() {
        for text in
            ["1.00000005960464477540", "1.00000005960464477539", "340282356779733661637539395458142568447"]
        {
            let direct: f32 = text.parse().unwrap();
            assert_eq!(read(text), direct.is_finite().then_some(direct), "{text}");
        }
        let twice = "1.00000005960464477540".parse::<f64>().unwrap() as f32;
        assert_ne!(read("1.00000005960464477540"), Some(twice));
        for place in 0..20_000_u64 {
            let bits = place.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let text = format!("{:.17e}", f64::from_bits((bits >> 12) | ((897 + bits % 250) << 52)));
            assert_eq!(read(&text), text.parse::<f32>().ok().filter(|x| x.is_finite()), "{text}");
        }
    }
}
