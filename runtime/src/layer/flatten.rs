//! Flattening: all axes become one.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{Layer, LayerKind, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckResult, Shape};

/// Flattens all axes into one, in row-major order.
///
/// # Shapes
/// `[…]` to `[n]`, `n` the product of the axes.
///
/// # Errors
/// Only for an input of tokens, at compile time.
///
/// # Source
/// PyTorch's `Flatten`; the batch axis is not touched.
///
/// # Example
/// ```
/// use trainspec::layer::Flatten;
/// use trainspec::Shape;
///
/// assert_eq!(Flatten {}.output(Shape::of(&[32, 4, 4])), Ok(Shape::of(&[512])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

impl Flatten {
    /// Always succeeds: there is nothing to check.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }

    /// `[n]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        hold!(rule::fixed(input, 0));
        Ok(Shape::of(&[input.elements()]))
    }
}

impl Config for Flatten {
    const NAME: &'static str = "flatten";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Flatten {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Layout
    }

    fn lowering(&self, _: &[Shape]) -> Lowering {
        Lowering::Alias
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let batch = x.dim(0)?;
        Ok(x.reshape((batch, x.elem_count() / batch.max(1)))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flatten_multiplies_axes() {
        assert_eq!(Flatten {}.output(Shape::of(&[])), Ok(Shape::of(&[1])));
        assert_eq!(Flatten {}.output(Shape::of(&[2, 3, 5])), Ok(Shape::of(&[30])));
        assert!(Flatten {}.output(Shape::of(&[2, 0])).is_err());
        assert!(Flatten {}.output(Shape::of(&[Shape::ANY, 2])).is_err());
        assert!(Flatten {}.output(Shape::of(&[usize::MAX - 1, 2])).is_err());
    }
}
