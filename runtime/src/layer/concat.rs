//! Two values joined along an axis.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{Layer, OutputRule, two};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// Two values joined along an axis, the first before the second: `a.concat(b, axis = 0)`.
///
/// # Shapes
/// `[…, n, …]` and `[…, m, …]` to `[…, n + m, …]`; all other axes must be equal. Axis 0 is the first after the
/// batch: the channels of an image.
///
/// # Errors
/// `concat: [4, 8, 8] and [4, 8, 7] cannot be concatenated along axis 0; expected all other axes to be equal`,
/// at compile time.
///
/// # Source
/// The skip connections of Ronneberger et al. 2015 (U-Net) and Huang et al. 2017 (DenseNet).
///
/// # Example
/// ```
/// use trainspec::Shape;
/// use trainspec::layer::Concat;
///
/// let (a, b) = (Shape::of(&[4, 8, 8]), Shape::of(&[2, 8, 8]));
/// assert_eq!(Concat { axis: 0 }.output(a, b), Ok(Shape::of(&[6, 8, 8])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concat {
    /// The axis, counted from 0 without the batch axis; 0 by default.
    pub axis: usize,
}

impl Concat {
    /// `axis` is within the number of axes that a value can have.
    pub const fn check(&self) -> CheckResult {
        if self.axis < Shape::MAX_RANK {
            return Ok(());
        }
        Err(CheckError::new("axis is ")
            .number(self.axis)
            .text("; expected at most ")
            .number(Shape::MAX_RANK - 1))
    }

    /// The first shape with the second's length added along `axis`.
    pub const fn output(&self, a: Shape, b: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(a));
        hold!(rule::reals(b));
        hold!(self.check());
        if self.axis >= a.rank() {
            return Err(CheckError::new("axis is ")
                .number(self.axis)
                .text("; expected an axis of ")
                .shape(a)
                .text(", counted from 0"));
        }
        if a.rank() != b.rank() || !a.with_axis(self.axis, 1).same(b.with_axis(self.axis, 1)) {
            return Err(CheckError::new("")
                .shape(a)
                .text(" and ")
                .shape(b)
                .text(" cannot be concatenated along axis ")
                .number(self.axis)
                .text("; expected all other axes to be equal"));
        }
        let (n, m) = (a.axis(self.axis), b.axis(self.axis));
        if n == Shape::ANY || m == Shape::ANY {
            return Ok(a.with_axis(self.axis, Shape::ANY));
        }
        rule::given(a.with_axis(self.axis, n.saturating_add(m)))
    }
}

impl Config for Concat {
    const NAME: &'static str = "concat";
    const DEFAULT: Self = Self { axis: 0 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Concat {
    const OUTPUT: OutputRule<Self> = OutputRule::Two(Self::output);

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let [a, b] = inputs else { return Lowering::Fallback };
        let rows = a.axes().iter().take(self.axis).product();
        let widths = [a, b].map(|input| input.axes().iter().skip(self.axis).product());
        Lowering::kernel(kernels::Concat { rows, widths })
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let (a, b) = two(inputs, self)?;
        Ok(Tensor::cat(&[a, b], self.axis + 1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concat_adds_lengths_along_axis() {
        let (a, b) = (Shape::of(&[2, 3]), Shape::of(&[2, 5]));
        assert_eq!(Concat { axis: 1 }.output(a, b), Ok(Shape::of(&[2, 8])));
        assert_eq!(
            Concat { axis: 0 }.output(a, b).unwrap_err().as_str(),
            "[2, 3] and [2, 5] cannot be concatenated along axis 0; expected all other axes to be equal"
        );
        assert!(Concat { axis: 0 }.output(a, Shape::of(&[2])).is_err());
        assert!(Concat { axis: 0 }.output(a, Shape::tokens(5, 2)).is_err());
    }

    #[test]
    fn axis_must_exist_in_inputs() {
        let a = Shape::of(&[2, 3]);
        assert_eq!(
            Concat { axis: 2 }.output(a, a).unwrap_err().as_str(),
            "axis is 2; expected an axis of [2, 3], counted from 0"
        );
        assert!(Concat { axis: 4 }.check().is_ok());
        assert!(Concat { axis: 5 }.check().is_err());
        assert!(Concat { axis: usize::MAX }.output(a, a).is_err());
        assert!(Concat { axis: 0 }.output(Shape::of(&[]), Shape::of(&[])).is_err());
    }
}
