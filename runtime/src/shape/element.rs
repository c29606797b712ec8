//! The types of the values of a kind.

use std::fmt::Debug;

/// What a kind's numbers are: `f32` or `u32`.
pub trait Element: Copy + Default + Debug + PartialEq + Send + Sync + private::Sealed + 'static {
    /// Numbers of this type, as a batch holds them.
    fn column(numbers: Vec<Self>) -> Elements;

    /// The numbers of a column, if they are of this type.
    fn of(column: &Elements) -> Option<&[Self]>;

    /// Numbers of this type as those of a sample.
    fn numbers(numbers: &[Self]) -> Numbers<'_>;

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

/// Numbers of one of the types that kinds have.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// Real numbers.
    Float(Vec<f32>),
    /// Classes or tokens.
    Int(Vec<u32>),
}

impl Elements {
    /// The numbers as a slice.
    pub(crate) fn numbers(&self) -> Numbers<'_> {
        match self {
            Self::Float(reals) => Numbers::Float(reals),
            Self::Int(wholes) => Numbers::Int(wholes),
        }
    }
}

/// The numbers of one sample.
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
