//! Rules that several layers share.

use crate::shape::{CheckError, CheckResult, Shape};

/// `?` for a [`CheckResult`] in a `const fn`, where `?` itself is not to be had.
macro_rules! hold {
    ($verdict:expr) => {
        match $verdict {
            Ok(value) => value,
            Err(problem) => return Err(problem),
        }
    };
}
pub(super) use hold;

/// The largest count a key may be: candle numbers places in u32.
const MOST: usize = u32::MAX as usize;

/// The most numbers one tensor may have, a terabyte and more: beyond it a size is a slip of the pen, and
/// below it no product of two of our sizes overflows.
const MOST_ELEMENTS: usize = 1 << 40;

/// A number of things, of which there must be at least one.
pub(super) const fn count(key: &str, number: usize) -> CheckResult {
    if number == 0 {
        return Err(CheckError::new(key).text(" is 0; expected at least 1"));
    }
    at_most(key, number, MOST)
}

/// A number of things, of which there may be none.
pub(super) const fn length(key: &str, number: usize) -> CheckResult {
    at_most(key, number, MOST)
}

/// A number with an upper bound.
const fn at_most(key: &str, number: usize, most: usize) -> CheckResult {
    if number <= most {
        return Ok(());
    }
    Err(CheckError::new(key).text(" is ").number(number).text("; expected at most ").number(most))
}

/// A probability below 1.
pub(super) const fn probability(key: &str, p: f64) -> CheckResult {
    if p >= 0.0 && p < 1.0 {
        return Ok(());
    }
    Err(CheckError::new(key).text(" is ").float(p).text("; expected 0 <= ").text(key).text(" < 1"))
}

/// A finite number above 0.
pub(super) const fn positive(key: &str, number: f64) -> CheckResult {
    // Also as f32, the type of the arithmetic.
    if number as f32 > 0.0 && (number as f32).is_finite() {
        return Ok(());
    }
    let range = if number > 0.0 && number.is_finite() { ", within the range of f32" } else { "" };
    Err(CheckError::new(key).text(" is ").float(number).text("; expected a number above 0").text(range))
}

/// What every input must be: not empty, and not larger than any memory.
pub(super) const fn filled(input: Shape) -> CheckResult {
    let axes = input.axes();
    let mut i = 0;
    while i < axes.len() {
        if axes[i] == 0 {
            return Err(CheckError::new("the input ")
                .shape(input)
                .text(" is empty; expected every axis to be at least 1"));
        }
        i += 1;
    }
    possible("input", input)
}

/// What every input of real numbers must be.
pub(super) const fn reals(input: Shape) -> CheckResult {
    hold!(input.reals());
    filled(input)
}

/// An input of real numbers with a last axis of known length, which parameters or sums need.
pub(super) const fn vectors(input: Shape) -> CheckResult<usize> {
    hold!(reals(input));
    if input.rank() == 0 {
        return Err(CheckError::new("the input is one number []; expected at least one axis"));
    }
    hold!(fixed(input, input.rank() - 1));
    Ok(input.last())
}

/// An image whose axes are all known: `[channels, height, width]`.
pub(super) const fn image(input: Shape) -> CheckResult {
    hold!(input.reals_of_rank(3, "an image [channels, height, width]"));
    hold!(filled(input));
    fixed(input, 0)
}

/// An image whose places are counted in 32 bits.
pub(super) const fn plane(input: Shape) -> CheckResult {
    if input.axis(1).saturating_mul(input.axis(2)) <= 1 << 32 {
        return Ok(());
    }
    Err(CheckError::new("the input ").shape(input).text(" is too large; expected at most 2^32 pixels"))
}

/// The axes from `first` on have known lengths.
pub(super) const fn fixed(input: Shape, first: usize) -> CheckResult {
    let axes = input.axes();
    let mut i = first;
    while i < axes.len() {
        if axes[i] == Shape::ANY {
            return Err(CheckError::new("the input is ")
                .shape(input)
                .text("; expected a known length of axis ")
                .number(i));
        }
        i += 1;
    }
    Ok(())
}

/// A tensor that some memory could hold. An axis of any length is not counted.
pub(super) const fn possible(what: &str, shape: Shape) -> CheckResult {
    let axes = shape.axes();
    let (mut i, mut elements) = (0, 1_usize);
    while i < axes.len() {
        if axes[i] != Shape::ANY {
            elements = elements.saturating_mul(axes[i]);
        }
        i += 1;
    }
    if elements <= MOST_ELEMENTS {
        return Ok(());
    }
    Err(CheckError::new("the ")
        .text(what)
        .text(" ")
        .shape(shape)
        .text(" is larger than any memory; expected at most 2^40 numbers"))
}

/// A shape that a layer gives.
pub(super) const fn given(output: Shape) -> CheckResult<Shape> {
    hold!(possible("output", output));
    Ok(output)
}

/// `factors` multiplied, as operations of a forward pass.
pub(super) fn operations(factors: &[usize]) -> u64 {
    factors.iter().fold(1, |product, &factor| product.saturating_mul(factor as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_probabilities_at_their_bounds() {
        assert!(count("out", 1).is_ok());
        assert!(count("out", MOST).is_ok());
        assert_eq!(count("out", 0).unwrap_err().as_str(), "out is 0; expected at least 1");
        let problem = count("out", MOST + 1).unwrap_err();
        assert_eq!(problem.as_str(), "out is 4294967296; expected at most 4294967295");
        assert!(length("padding", 0).is_ok());
        assert!(probability("p", 0.0).is_ok());
        assert!(probability("p", 1.0_f64.next_down()).is_ok());
        assert_eq!(probability("p", 1.0).unwrap_err().as_str(), "p is 1; expected 0 <= p < 1");
        assert!(probability("p", -f64::MIN_POSITIVE).is_err());
        assert!(probability("p", f64::NAN).is_err());
        assert!(positive("eps", f64::from(f32::MIN_POSITIVE)).is_ok());
        for bad in [0.0, -1.0, f64::INFINITY, f64::NAN, 1e-300, 1e39] {
            assert!(positive("eps", bad).is_err());
        }
    }

    #[test]
    fn inputs_are_neither_empty_nor_absurd() {
        assert!(filled(Shape::of(&[])).is_ok());
        assert!(filled(Shape::of(&[1, 1])).is_ok());
        let problem = filled(Shape::of(&[3, 0])).unwrap_err();
        assert_eq!(problem.as_str(), "the input [3, 0] is empty; expected every axis to be at least 1");
        assert!(filled(Shape::of(&[1 << 20, 1 << 20])).is_ok());
        assert!(filled(Shape::of(&[1 << 20, (1 << 20) + 1])).is_err());
        assert!(filled(Shape::of(&[usize::MAX - 1, usize::MAX - 1])).is_err());
        assert!(vectors(Shape::of(&[])).is_err());
        assert_eq!(vectors(Shape::of(&[Shape::ANY, 65])), Ok(65));
        assert!(vectors(Shape::of(&[Shape::ANY])).is_err());
        assert!(image(Shape::of(&[1, 8, Shape::ANY])).is_err());
    }
}
