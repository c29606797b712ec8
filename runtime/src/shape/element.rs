//! The types of the values of a kind.

use std::fmt::Debug;

/// What a kind's numbers are: `f32` or `u32`.
pub trait Element: Copy + Default + Debug + PartialEq + Send + Sync + private::Sealed + 'static {
    /// Numbers of this type, as a batch holds them.
    fn column(numbers: Vec<Self>) -> Elements;

    /// The numbers of a column, if they are of this type.
    fn of(column: &Elements) -> Option<&[Self]>;

    /// The number that a text says: finite if real; whole and below the vocabulary, if there is one,
    /// otherwise. `3.0` is a whole number, as many programs write classes so.
    fn from_text(text: &str, vocabulary: Option<usize>) -> Option<Self>;
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

    fn from_text(text: &str, _: Option<usize>) -> Option<Self> {
        text.parse().ok().filter(|number: &Self| number.is_finite())
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

    fn from_text(text: &str, vocabulary: Option<usize>) -> Option<Self> {
        let number: f64 = text.parse().ok()?;
        let whole = number.fract() == 0.0 && (0.0..=f64::from(Self::MAX)).contains(&number);
        let number = whole.then_some(number as Self)?;
        vocabulary.is_none_or(|vocabulary| (number as usize) < vocabulary).then_some(number)
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
    Real(Vec<f32>),
    /// Classes or tokens.
    Whole(Vec<u32>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_number_only_if_the_kind_can_hold_it() {
        assert_eq!(f32::from_text("-1.5e3", None), Some(-1500.0));
        for text in ["", "x", "NaN", "inf", "-inf", "1e39", "1 2", "0x10"] {
            assert_eq!(f32::from_text(text, None), None, "{text}");
        }
        assert_eq!(u32::from_text("2", Some(3)), Some(2));
        assert_eq!(u32::from_text("2.0", Some(3)), Some(2));
        assert_eq!(u32::from_text("4294967295", None), Some(u32::MAX));
        for text in ["3", "-1", "1.5", "4294967296", "NaN", "inf", "two", ""] {
            assert_eq!(u32::from_text(text, Some(3)), None, "{text}");
        }
        assert_eq!(u32::from_text("4294967296", None), None);
    }
}
