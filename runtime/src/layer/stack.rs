//! Two values along a new axis.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{Layer, OutputRule, two};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// Two values of one shape along a new axis, the first before the second: `a.stack(b, axis = 0)`.
///
/// # Shapes
/// Twice `[n, m]` to `[2, n, m]` for axis 0, and to `[n, m, 2]` for axis 2. Axis 0 is the first after the batch.
///
/// # Errors
/// `stack: [4] and [8] cannot be stacked; expected equal shapes`, at compile time.
///
/// # Source
/// PyTorch's `stack`.
///
/// # Example
/// ```
/// use trainspec::layer::Stack;
/// use trainspec::Shape;
///
/// let x = Shape::of(&[4, 8]);
/// assert_eq!(Stack { axis: 0 }.output(x, x), Ok(Shape::of(&[2, 4, 8])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// The new axis, counted from 0 without the batch axis; 0 by default.
    pub axis: usize,
}

impl Stack {
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

    /// The common shape with an axis of 2.
    pub const fn output(&self, a: Shape, b: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(a));
        hold!(rule::reals(b));
        hold!(self.check());
        hold!(rule::fixed(a, 0));
        if !a.same(b) {
            return Err(CheckError::new("")
                .shape(a)
                .text(" and ")
                .shape(b)
                .text(" cannot be stacked; expected equal shapes"));
        }
        if a.rank() == Shape::MAX_RANK || self.axis > a.rank() {
            return Err(CheckError::new("axis is ")
                .number(self.axis)
                .text("; expected at most ")
                .number(a.rank())
                .text(" for ")
                .shape(a)
                .text(", and at most 5 axes in the output"));
        }
        let mut axes = [0; Shape::MAX_RANK];
        let mut i = 0;
        while i <= a.rank() {
            axes[i] = if i < self.axis {
                a.axis(i)
            } else if i == self.axis {
                2
            } else {
                a.axis(i - 1)
            };
            i += 1;
        }
        rule::given(Shape::of(axes.split_at(i).0))
    }
}

impl Config for Stack {
    const NAME: &'static str = "stack";
    const DEFAULT: Self = Self { axis: 0 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Stack {
    const OUTPUT: OutputRule<Self> = OutputRule::Two(Self::output);

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(input) = inputs.first() else { return Lowering::Fallback };
        let rows = input.axes().iter().take(self.axis).product();
        let width = input.axes().iter().skip(self.axis).product();
        Lowering::kernel(kernels::Concat { rows, widths: [width; 2] })
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let (a, b) = two(inputs, self)?;
        Ok(Tensor::stack(&[a, b], self.axis + 1)?)
    }
}
