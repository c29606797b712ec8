//! A range of an axis: `x[2..6]`.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::layout;
use super::rule::{self, hold};
use super::{Layer, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckError, CheckResult, Shape};

/// The elements from `start` to before `end` along an axis: `x.slice(axis = 1, start = 2, end = 6)`; along axis 0 also as an
/// index, `x[2..6]`.
///
/// # Shapes
/// `[…, n, …]` to `[…, end - start, …]`. Axis 0 is the first after the batch: the channels of an image.
///
/// # Errors
/// `slice: the range 2..9 is not within axis 0 of [8], which has the length 8`, at compile time.
///
/// # Source
/// PyTorch's `narrow`, and ranges in Rust.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Net(x: Features<8>) -> Values<4> {
///     x[..4] * x[4..].sigmoid()
/// }
/// assert_eq!(Net::graph()?.nodes[0].layer.name(), "slice");
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// The axis, counted from 0 without the batch axis; 0 by default.
    pub axis: usize,
    /// The first index; 0 by default.
    pub start: usize,
    /// The index after the last one, above `start`; the end of the axis by default.
    pub end: usize,
}

impl Slice {
    /// `start` is below `end`.
    pub const fn check(&self) -> CheckResult {
        if self.start < self.end {
            return Ok(());
        }
        Err(CheckError::new("the range ")
            .number(self.start)
            .text("..")
            .number(self.end)
            .text(" is empty; expected start < end"))
    }

    /// The input with `end - start` elements along `axis`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        hold!(rule::fixed(input, 0));
        hold!(self.check());
        hold!(layout::axis_of(input, self.axis));
        let length = input.axis(self.axis);
        let end = if self.end == usize::MAX { length } else { self.end };
        if self.start >= end || end > length {
            let range = CheckError::new("the range ").number(self.start).text("..").number(end);
            return Err(range
                .text(" is not within axis ")
                .number(self.axis)
                .text(" of ")
                .shape(input)
                .text(", which has the length ")
                .number(length));
        }
        Ok(input.with_axis(self.axis, end - self.start))
    }
}

impl Config for Slice {
    const NAME: &'static str = "slice";
    const DEFAULT: Self = Self { axis: 0, start: 0, end: usize::MAX };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Slice {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        layout::range(inputs, self.axis, self.start, self.end)
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let end = x.dim(self.axis + 1)?.min(self.end);
        Ok(x.narrow(self.axis + 1, self.start, end.saturating_sub(self.start))?.contiguous()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_must_be_within_axis() {
        let x = Shape::of(&[8, 3]);
        let slice = |start, end| Slice { axis: 0, start, end }.output(x);
        assert_eq!(slice(2, 6), Ok(Shape::of(&[4, 3])));
        assert_eq!(slice(2, usize::MAX), Ok(Shape::of(&[6, 3])));
        assert_eq!(
            slice(2, 9).unwrap_err().as_str(),
            "the range 2..9 is not within axis 0 of [8, 3], which has the length 8"
        );
        assert!(slice(8, usize::MAX).is_err());
        assert!(Slice { start: 2, end: 2, ..Slice::DEFAULT }.check().is_err());
        assert_eq!(
            Slice { axis: 2, ..Slice::DEFAULT }.output(x).unwrap_err().as_str(),
            "axis is 2; expected an axis of [8, 3], counted from 0"
        );
    }
}
