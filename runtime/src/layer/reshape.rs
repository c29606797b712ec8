//! The same values with other axes.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{Layer, LayerKind, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckError, CheckResult, Shape};

/// The same values with other axes, in row-major order: `x.reshape(to = [2, 8])`.
///
/// The number of axes is part of the type, and is inferred from `to`.
///
/// # Shapes
/// `[…]` to `to`; both have the same number of elements. The batch axis is not included.
///
/// # Errors
/// `reshape: the input [4, 4] has 16 elements, but [3, 5] has 15`, at compile time.
///
/// # Source
/// NumPy's `reshape` in C order.
///
/// # Example
/// ```
/// use trainspec::layer::Reshape;
/// use trainspec::Shape;
///
/// let layer = Reshape { to: [2, 8] };
/// assert_eq!(layer.output(Shape::of(&[4, 4])), Ok(Shape::of(&[2, 8])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reshape<const RANK: usize> {
    /// The new axes, one to five, each at least 1; required.
    #[serde(with = "axes")]
    pub to: [usize; RANK],
}

impl<const RANK: usize> Reshape<RANK> {
    /// There are one to five axes, each at least 1.
    pub const fn check(&self) -> CheckResult {
        if RANK == 0 || RANK > Shape::MAX_RANK {
            return Err(CheckError::new("to has ")
                .number(RANK)
                .text(" axes; expected 1 to ")
                .number(Shape::MAX_RANK));
        }
        let mut i = 0;
        while i < RANK {
            hold!(rule::count("an axis of to", self.to[i]));
            i += 1;
        }
        Ok(())
    }

    /// `to`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        hold!(rule::fixed(input, 0));
        hold!(self.check());
        let output = Shape::of(&self.to);
        if output.elements() == input.elements() {
            return Ok(output);
        }
        Err(CheckError::new("the input ")
            .shape(input)
            .text(" has ")
            .number(input.elements())
            .text(" elements, but ")
            .shape(output)
            .text(" has ")
            .number(output.elements()))
    }
}

impl<const RANK: usize> Config for Reshape<RANK> {
    const NAME: &'static str = "reshape";
    const DEFAULT: Self = Self { to: [0; RANK] };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("to", "the new axes")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const RANK: usize> Layer for Reshape<RANK> {
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
        let mut axes = vec![x.dim(0)?];
        axes.extend(self.to);
        Ok(x.reshape(axes)?)
    }
}

/// Serializes an array of any length, which serde does not support, as a list.
mod axes {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<const RANK: usize, S: Serializer>(
        axes: &[usize; RANK],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        axes.as_slice().serialize(serializer)
    }

    pub(super) fn deserialize<'de, const RANK: usize, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[usize; RANK], D::Error> {
        let axes = Vec::<usize>::deserialize(deserializer)?;
        let count = axes.len();
        axes.try_into().map_err(|_| Error::custom(format_args!("`to` has {count} axes; expected {RANK}")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::reshape;
    use super::*;

    #[test]
    fn reshape_keeps_element_count() {
        assert_eq!(Reshape { to: [16] }.output(Shape::of(&[4, 4])), Ok(Shape::of(&[16])));
        assert_eq!(Reshape { to: [1, 1, 1] }.output(Shape::of(&[])), Ok(Shape::of(&[1, 1, 1])));
        let problem = Reshape { to: [3, 5] }.output(Shape::of(&[4, 4])).unwrap_err();
        assert_eq!(problem.as_str(), "the input [4, 4] has 16 elements, but [3, 5] has 15");
        assert!(Reshape { to: [usize::MAX, usize::MAX] }.output(Shape::of(&[4, 4])).is_err());
    }

    #[test]
    fn axis_count_and_lengths_are_checked() {
        assert!(Reshape { to: [1; 5] }.check().is_ok());
        assert_eq!(Reshape { to: [1; 6] }.check().unwrap_err().as_str(), "to has 6 axes; expected 1 to 5");
        assert!(Reshape { to: [] }.check().is_err());
        assert!(Reshape { to: [1; 6] }.output(Shape::of(&[1])).is_err());
        assert_eq!(
            Reshape { to: [4, 0] }.check().unwrap_err().as_str(),
            "an axis of to is 0; expected at least 1"
        );
    }

    /// The struct literal that a model's call becomes, where only `to` determines the number of axes.
    #[test]
    #[expect(clippy::needless_update, reason = "the macro cannot know that a call sets every key")]
    fn rank_is_inferred_from_key() {
        const fn both(side: usize) -> CheckResult<Shape> {
            reshape { to: [side, 8], ..<_ as Config>::DEFAULT }.output(Shape::of(&[4, 4]))
        }
        const OUTPUT: CheckResult<Shape> = both(2);
        assert_eq!(OUTPUT, Ok(Shape::of(&[2, 8])));
    }

    #[test]
    fn to_serializes_as_list() {
        let json = serde_json::to_string(&Reshape { to: [2, 8] }).unwrap();
        assert_eq!(json, r#"{"to":[2,8]}"#);
        assert_eq!(serde_json::from_str::<Reshape<2>>(&json).unwrap().to, [2, 8]);
        assert!(serde_json::from_str::<Reshape<3>>(&json).is_err());
    }
}
