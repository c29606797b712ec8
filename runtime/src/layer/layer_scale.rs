//! The layer scale: a learned factor for each channel, small at first.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::channel::{Channels, multiplied};
use super::rule::{self, hold};
use super::{Init, Layer, OutputRule, Parameter, Role, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckResult, Shape};

/// A learned factor for each channel, small at first: what a residual branch ends in, so that a deep model starts as nearly the
/// identity.
///
/// `y = weight x`, with `weight [channels]`, initialized to `value`; weight decay skips it. The channels are the first axis of an
/// image `[channels, height, width]`, and the last axis of every other value, such as `[length, features]`.
///
/// # Shapes
/// `[channels, height, width]`, `[features]` or `[length, features]`, unchanged.
///
/// # Errors
/// `layer_scale: value is NaN; expected a finite number`, at compile time.
///
/// # Source
/// Touvron et al. 2021; in `ConvNeXt` (Liu et al. 2022) with 1e-6, the default.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Block(x: Value, width: usize) -> Value {
///     x + x.layer_norm().linear(out = 4 * width).gelu().linear(out = width).layer_scale(value = 1e-4)
/// }
///
/// #[model]
/// fn Net(x: Features<8>) -> Logits<3> {
///     x.linear(out = 16).block(width = 16).linear(out = 3)
/// }
/// assert!(Net::graph().is_ok());
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerScale {
    /// The factors before the first step, any finite number; 1e-6 by default.
    pub value: f64,
}

impl LayerScale {
    /// `value` is finite.
    pub const fn check(&self) -> CheckResult {
        rule::finite("value", self.value)
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(Channels::of(input));
        Ok(input)
    }
}

impl Config for LayerScale {
    const NAME: &'static str = "layer_scale";
    const DEFAULT: Self = Self { value: 1e-6 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for LayerScale {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let Some(channels) = Channels::of_first(inputs) else { return Vec::new() };
        let init = Init::Constant { value: self.value };
        vec![Parameter::new("weight", &[channels.count], Role::Norm, init)]
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        Channels::of_first(inputs).map_or(Lowering::Fallback, |channels| channels.factor(false))
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        multiplied(one(inputs, self)?, pass.parameter("weight")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_first_only_of_images() {
        let axes = |shape: &[usize]| LayerScale::DEFAULT.parameters(&[Shape::of(shape)])[0].shape;
        assert_eq!(axes(&[4, 2, 3]), Shape::of(&[4]));
        assert_eq!(axes(&[4, 2]), Shape::of(&[2]));
        assert!(LayerScale::DEFAULT.output(Shape::of(&[])).is_err());
        assert!(LayerScale::DEFAULT.output(Shape::tokens(5, 4)).is_err());
        assert!(LayerScale { value: f64::NAN }.check().is_err());
    }
}
