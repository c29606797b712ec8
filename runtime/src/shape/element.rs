//! The element types of kinds.

use std::fmt::Debug;

/// The element type of a kind: `f32` or `u32`.
pub trait Element: Copy + Default + Debug + PartialEq + Send + Sync + private::Sealed + 'static {
    /// A missing value: NaN. Classes and tokens are never missing.
    #[doc(hidden)]
    const MISSING: Self;

    /// Wraps elements of this type, as a batch holds them.
    fn column(numbers: Vec<Self>) -> Elements;

    /// Unwraps the elements of a column, if they are of this type.
    fn unwrapped(column: Elements) -> Option<Vec<Self>>;

    /// The elements of a column, if they are of this type.
    fn of(column: &Elements) -> Option<&[Self]>;

    /// Wraps elements of this type, as a sample holds them.
    fn numbers(numbers: &[Self]) -> Numbers<'_>;

    /// The elements of a sample, if they are of this type.
    fn of_sample(sample: Numbers<'_>) -> Option<&[Self]>;

    /// Converts to the nearest element: `f32` must be finite; `u32` must be an integer below 2^32. `3.0` counts as an
    /// integer, since many programs write classes this way.
    fn from_number(number: f64) -> Option<Self>;

    /// Converts a text whose f64 value is `number`. It is rounded once, directly from the text.
    fn from_text(text: &str, number: f64) -> Option<Self>;

    /// The class or token; `None` for a real number.
    fn whole(self) -> Option<u32>;

    /// The real number; `None` for a class or token.
    fn real(self) -> Option<f32>;
}

impl Element for f32 {
    const MISSING: Self = Self::NAN;

    fn unwrapped(column: Elements) -> Option<Vec<Self>> {
        match column {
            Elements::Float(numbers) => Some(numbers),
            Elements::Int(_) => None,
        }
    }

    fn column(numbers: Vec<Self>) -> Elements {
        Elements::Float(numbers)
    }

    fn of(column: &Elements) -> Option<&[Self]> {
        match column {
            Elements::Float(numbers) => Some(numbers),
            Elements::Int(_) => None,
        }
    }

    fn of_sample(sample: Numbers<'_>) -> Option<&[Self]> {
        match sample {
            Numbers::Float(numbers) => Some(numbers),
            Numbers::Int(_) => None,
        }
    }

    fn numbers(numbers: &[Self]) -> Numbers<'_> {
        Numbers::Float(numbers)
    }

    fn from_number(number: f64) -> Option<Self> {
        let number = number as Self;
        number.is_finite().then_some(number)
    }

    fn from_text(text: &str, number: f64) -> Option<Self> {
        // Double rounding changes a number only if the first rounding ended halfway between two f32 values, whose last 29 bits
        // are these; or for subnormal values, which have fewer bits.
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
    const MISSING: Self = 0;

    fn unwrapped(column: Elements) -> Option<Vec<Self>> {
        match column {
            Elements::Int(numbers) => Some(numbers),
            Elements::Float(_) => None,
        }
    }

    fn column(numbers: Vec<Self>) -> Elements {
        Elements::Int(numbers)
    }

    fn of(column: &Elements) -> Option<&[Self]> {
        match column {
            Elements::Int(numbers) => Some(numbers),
            Elements::Float(_) => None,
        }
    }

    fn of_sample(sample: Numbers<'_>) -> Option<&[Self]> {
        match sample {
            Numbers::Int(numbers) => Some(numbers),
            Numbers::Float(_) => None,
        }
    }

    fn numbers(numbers: &[Self]) -> Numbers<'_> {
        Numbers::Int(numbers)
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

/// Elements of one of the element types.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// Real numbers.
    Float(Vec<f32>),
    /// Classes or tokens.
    Int(Vec<u32>),
}

impl Default for Numbers<'_> {
    fn default() -> Self {
        Self::Float(&[])
    }
}

impl Elements {
    /// The elements as a slice.
    pub(crate) fn numbers(&self) -> Numbers<'_> {
        match self {
            Self::Float(reals) => Numbers::Float(reals),
            Self::Int(wholes) => Numbers::Int(wholes),
        }
    }
}

impl Numbers<'_> {
    /// The number of elements.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Float(reals) => reals.len(),
            Self::Int(wholes) => wholes.len(),
        }
    }
}

/// The elements of one sample.
#[derive(Clone, Copy, Debug)]
pub enum Numbers<'a> {
    /// Real numbers.
    Float(&'a [f32]),
    /// Classes or tokens.
    Int(&'a [u32]),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<E: Element>(text: &str) -> Option<E> {
        E::from_text(text, text.parse().ok()?)
    }

    #[test]
    fn text_outside_element_range_is_rejected() {
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

    /// For these, rounding through f64 yields another result: each is close to the midpoint between two f32 values and rounds to it
    /// in f64. The same holds for the largest finite number, and for the subnormal ones.
    #[test]
    fn text_is_rounded_once() {
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
