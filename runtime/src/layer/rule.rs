//! Checks that several layers share.

use super::pair::{both, is_computed, is_pair};
use crate::shape::{CheckError, CheckResult, Shape};

/// `?` for a [`CheckResult`] in a `const fn`, where `?` itself is not available.
macro_rules! hold {
    ($verdict:expr) => {
        match $verdict {
            Ok(value) => value,
            Err(problem) => return Err(problem),
        }
    };
}
pub(super) use hold;

/// The largest count that a key accepts: candle indexes elements with u32.
const MOST: usize = u32::MAX as usize;

/// The most elements a tensor may have, more than a terabyte: a larger size is a typing error, and
/// below it no product of two sizes overflows.
const MOST_ELEMENTS: usize = 1 << 40;

/// Checks a count that must be at least 1.
pub(super) const fn count(key: &str, number: usize) -> CheckResult {
    if number == 0 {
        return Err(CheckError::new(key).text(" is 0; expected at least 1"));
    }
    at_most(key, number, MOST)
}

/// Checks a count that may be 0.
pub(super) const fn length(key: &str, number: usize) -> CheckResult {
    at_most(key, number, MOST)
}

/// Checks a count against an upper bound.
const fn at_most(key: &str, number: usize, most: usize) -> CheckResult {
    if number <= most {
        return Ok(());
    }
    let problem = CheckError::new(key).text(" is ");
    if is_pair(number) {
        let [height, width] = both(number);
        let problem = problem.text("pair(").number(height).text(", ").number(width);
        return Err(problem.text("); this layer takes one number"));
    }
    if is_computed(number) {
        return Err(problem.text(
            "computed from a `pair`, which holds two numbers; compute each of them: `pair(3 / 2, 5 / 2)`",
        ));
    }
    Err(problem.number(number).text("; expected at most ").number(most))
}

/// Checks that `p` is a probability below 1.
pub(super) const fn probability(key: &str, p: f64) -> CheckResult {
    if p >= 0.0 && p < 1.0 {
        return Ok(());
    }
    Err(CheckError::new(key).text(" is ").float(p).text("; expected 0 <= ").text(key).text(" < 1"))
}

/// Checks that `number` is finite and above 0.
pub(super) const fn positive(key: &str, number: f64) -> CheckResult {
    // Also as f32, the type of the arithmetic.
    if number as f32 > 0.0 && (number as f32).is_finite() {
        return Ok(());
    }
    let range = if number > 0.0 && number.is_finite() { ", within the range of f32" } else { "" };
    Err(CheckError::new(key).text(" is ").float(number).text("; expected a number above 0").text(range))
}

/// Checks that `number` is finite.
pub(super) const fn finite(key: &str, number: f64) -> CheckResult {
    // Also as f32, the type of the arithmetic.
    if (number as f32).is_finite() {
        return Ok(());
    }
    let range = if number.is_finite() { ", within the range of f32" } else { "" };
    Err(CheckError::new(key).text(" is ").float(number).text("; expected a finite number").text(range))
}

/// Checks that an input is not empty and not too large.
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

/// Checks an input of real values.
pub(super) const fn reals(input: Shape) -> CheckResult {
    hold!(input.reals());
    filled(input)
}

/// Checks an input of real values whose last axis has a known length, as parameters and sums require.
pub(super) const fn vectors(input: Shape) -> CheckResult<usize> {
    hold!(reals(input));
    if input.rank() == 0 {
        return Err(CheckError::new("the input is a scalar []; expected at least one axis"));
    }
    hold!(fixed(input, input.rank() - 1));
    Ok(input.last())
}

/// Checks an image whose axes are all known: `[channels, height, width]`.
pub(super) const fn image(input: Shape) -> CheckResult {
    hold!(input.reals_of_rank(3, "an image [channels, height, width]"));
    hold!(filled(input));
    fixed(input, 0)
}

/// Checks a sequence of which all axes are known: `[channels, length]`.
pub(super) const fn signal(input: Shape) -> CheckResult {
    hold!(input.reals_of_rank(2, "a sequence [channels, length]"));
    hold!(filled(input));
    fixed(input, 0)
}

/// Checks that the pixels of an image can be indexed with 32 bits.
pub(super) const fn pixels(input: Shape, height: usize, width: usize) -> CheckResult {
    if height.saturating_mul(width) <= 1 << 32 {
        return Ok(());
    }
    Err(CheckError::new("the input ").shape(input).text(" is too large; expected at most 2^32 pixels"))
}

/// Checks that the axes from `first` on have known lengths.
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

/// Checks that a tensor is not too large. An axis of any length is ignored.
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
        .text(" is too large; expected at most 2^40 elements"))
}

/// Checks the output shape of a layer.
pub(super) const fn given(output: Shape) -> CheckResult<Shape> {
    hold!(possible("output", output));
    Ok(output)
}

/// Checks that an axis is within the number of axes that a value can have.
pub(super) const fn axis(axis: usize) -> CheckResult {
    at_most("axis", axis, Shape::MAX_RANK - 1)
}

/// The shape of an input without an axis, of which at least one is left.
pub(super) const fn without_axis(input: Shape, axis: usize) -> CheckResult<Shape> {
    hold!(reals(input));
    if input.rank() < 2 {
        return Err(CheckError::new("the input is ").shape(input).text("; expected at least two axes"));
    }
    if axis >= input.rank() {
        return Err(CheckError::new("axis is ")
            .number(axis)
            .text("; expected an axis of ")
            .shape(input)
            .text(", counted from 0"));
    }
    hold!(fixed(input, 0));
    let (mut axes, mut i) = ([0; Shape::MAX_RANK], 0);
    while i + 1 < input.rank() {
        axes[i] = input.axis(if i < axis { i } else { i + 1 });
        i += 1;
    }
    Ok(Shape::of(axes.split_at(input.rank() - 1).0))
}

/// The product of `factors`, as operations of a forward pass.
pub(super) fn operations(factors: &[usize]) -> u64 {
    factors.iter().fold(1, |product, &factor| product.saturating_mul(factor as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_probabilities_are_checked_at_their_bounds() {
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
    fn empty_and_oversized_inputs_are_rejected() {
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
