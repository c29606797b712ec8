//! The parametric rectified linear unit.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::channel::{Channels, multiplied};
use super::rule::{self, hold};
use super::{Init, Layer, LayerKind, OutputRule, Parameter, Role, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckResult, Shape};

/// The parametric rectified linear unit: `y = x` above 0, `y = weight x` elsewhere, with a learned `weight`.
///
/// `weight` has one element, or with `per_channel` one for each channel: of the first axis of an image `[channels, height, width]`,
/// and of the last axis of every other value. It is initialized to `value`; weight decay skips it.
///
/// # Shapes
/// Any shape of real values, unchanged.
///
/// # Errors
/// `prelu: value is NaN; expected a finite number`, at compile time.
///
/// # Source
/// He et al. 2015; PyTorch's `PReLU`, for images and vectors.
///
/// # Example
/// ```
/// use trainspec::layer::Prelu;
/// use trainspec::{Config, Shape};
///
/// let image = Shape::of(&[32, 8, 8]);
/// assert_eq!(Prelu { per_channel: true, ..Prelu::DEFAULT }.output(image), Ok(image));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prelu {
    /// The slopes before the first step, any finite number; 0.25 by default.
    pub value: f64,
    /// Whether each channel has its own slope; `false` by default.
    pub per_channel: bool,
}

impl Prelu {
    /// `value` is finite.
    pub const fn check(&self) -> CheckResult {
        rule::finite("value", self.value)
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        if self.per_channel {
            hold!(Channels::of(input));
        }
        Ok(input)
    }

    fn channels(&self, inputs: &[Shape]) -> Option<Channels> {
        if self.per_channel {
            Channels::of_first(inputs)
        } else {
            inputs.first().copied().map(Channels::joined)
        }
    }
}

impl Config for Prelu {
    const NAME: &'static str = "prelu";
    const DEFAULT: Self = Self { value: 0.25, per_channel: false };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Prelu {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let Some(channels) = self.channels(inputs) else { return Vec::new() };
        let init = Init::Constant { value: self.value };
        vec![Parameter::new("weight", &[channels.count], Role::Norm, init)]
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Activation
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        self.channels(inputs).map_or(Lowering::Fallback, |channels| channels.factor(true))
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        Ok(x.gt(0.0)?.where_cond(x, &multiplied(x, pass.parameter("weight")?)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_one_or_one_for_each_channel() {
        let count = |layer: Prelu, shape: &[usize]| layer.parameters(&[Shape::of(shape)])[0].shape.elements();
        let each = Prelu { per_channel: true, ..Prelu::DEFAULT };
        assert_eq!(
            [count(Prelu::DEFAULT, &[4, 2, 3]), count(each, &[4, 2, 3]), count(each, &[4, 2])],
            [1, 4, 2]
        );
        assert!(Prelu::DEFAULT.output(Shape::of(&[])).is_ok());
        assert!(each.output(Shape::of(&[])).is_err());
        assert!(Prelu::DEFAULT.output(Shape::tokens(5, 4)).is_err());
        assert!(Prelu { value: f64::INFINITY, ..each }.check().is_err());
    }
}
