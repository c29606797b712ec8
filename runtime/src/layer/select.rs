//! One index of an axis: `x[3]`.

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

/// The elements at one index of an axis, without that axis: `x.select(axis = 1, index = 3)`; along axis 0 also `x[3]`.
///
/// # Shapes
/// `[…, n, …]` to the shape without that axis: `x[0]` of a sequence `[length, features]` is its first vector.
///
/// # Errors
/// `select: the index is 8, but axis 0 of [8, 3] has the length 8`, at compile time.
///
/// # Source
/// PyTorch's `select`.
///
/// # Example
/// ```
/// use trainspec::layer::Select;
/// use trainspec::Shape;
///
/// let last = Select { axis: 0, index: 7 };
/// assert_eq!(last.output(Shape::of(&[8, 3])), Ok(Shape::of(&[3])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// The axis, counted from 0 without the batch axis; 0 by default.
    pub axis: usize,
    /// The index, below the length of the axis; required.
    pub index: usize,
}

impl Select {
    /// Always succeeds: the index depends on the input.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }

    /// The input without `axis`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        hold!(rule::fixed(input, 0));
        hold!(layout::axis_of(input, self.axis));
        if self.index >= input.axis(self.axis) {
            return Err(CheckError::new("the index is ")
                .number(self.index)
                .text(", but axis ")
                .number(self.axis)
                .text(" of ")
                .shape(input)
                .text(" has the length ")
                .number(input.axis(self.axis)));
        }
        let mut axes = [0; Shape::MAX_RANK];
        let mut i = 0;
        while i + 1 < input.rank() {
            axes[i] = input.axis(if i < self.axis { i } else { i + 1 });
            i += 1;
        }
        Ok(Shape::of(axes.split_at(i).0))
    }
}

impl Config for Select {
    const NAME: &'static str = "select";
    const DEFAULT: Self = Self { axis: 0, index: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("index", "the index along the axis")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Select {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        layout::range(inputs, self.axis, self.index, self.index.saturating_add(1))
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        Ok(x.narrow(self.axis + 1, self.index, 1)?.squeeze(self.axis + 1)?.contiguous()?)
    }
}
