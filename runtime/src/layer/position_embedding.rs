//! The position embedding: a learned vector for each position.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{Axis, Init, Initializer, Layer, OutputRule, Parameter, ParameterAxes, Role, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// The position embedding: a learned vector for each position, independent of the input values.
///
/// `y[t] = W[t]`, with `weight [length, out]`, initialized normal with mean 0 and standard deviation 1. It is
/// added to the token embeddings: `tokens.embedding(out = 256) + tokens.position_embedding(out = 256)`. Weight decay
/// skips it. `init` selects another initializer.
///
/// # Shapes
/// Tokens `[length]`, or values `[length, …]`, to `[length, out]`.
///
/// # Errors
/// ``position_embedding needs `out`, the length of each vector``, at compile time.
///
/// # Source
/// Gehring et al. 2017; as in GPT (Radford et al. 2018).
///
/// # Example
/// ```
/// use trainspec::layer::PositionEmbedding;
/// use trainspec::{Config, Shape};
///
/// let layer = PositionEmbedding { out: 256, ..PositionEmbedding::DEFAULT };
/// assert_eq!(layer.output(Shape::tokens(65, 128)), Ok(Shape::of(&[128, 256])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionEmbedding {
    /// The length of each vector, at least 1; required.
    pub out: usize,
    /// Initializer of `weight`; [`Initializer::Default`], as in PyTorch, by default.
    pub init: Initializer,
}

impl PositionEmbedding {
    /// `out` is at least 1, and `init` is valid.
    pub const fn check(&self) -> CheckResult {
        hold!(rule::count("out", self.out));
        self.init.check()
    }

    /// `[length, out]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::filled(input));
        hold!(self.check());
        if input.rank() == 0 {
            return Err(CheckError::new("the input is a scalar []; expected [length] or [length, …]"));
        }
        hold!(rule::fixed(Shape::of(&[input.axis(0)]), 0));
        rule::given(Shape::of(&[input.axis(0), self.out]))
    }
}

impl Config for PositionEmbedding {
    const NAME: &'static str = "position_embedding";
    const DEFAULT: Self = Self { out: 0, init: Initializer::Default };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("out", "the length of each vector")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for PositionEmbedding {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[("weight", &[Axis::FirstOfInput, Axis::LastOfOutput])];

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let Some(&[length, ..]) = inputs.first().map(Shape::axes) else { return Vec::new() };
        vec![
            Parameter::new("weight", &[length, self.out], Role::Embedding, Init::Normal { std: 1.0 })
                .with_init(self.init),
        ]
    }

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&[length, ..]) = inputs.first().map(Shape::axes) else { return Lowering::Fallback };
        Lowering::kernel(kernels::PositionEmbedding { length, features: self.out })
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let batch = one(inputs, self)?.dim(0)?;
        let weight = pass.parameter("weight")?;
        let (length, out) = weight.dims2()?;
        Ok(weight.broadcast_as((batch, length, out))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_embedding_uses_first_axis_as_length() {
        let layer = PositionEmbedding { out: 3, ..PositionEmbedding::DEFAULT };
        assert_eq!(layer.output(Shape::tokens(5, 7)), Ok(Shape::of(&[7, 3])));
        assert_eq!(layer.output(Shape::of(&[7, 4])), Ok(Shape::of(&[7, 3])));
        assert!(layer.output(Shape::of(&[])).is_err());
        assert!(layer.output(Shape::of(&[Shape::ANY, 4])).is_err());
        assert!(PositionEmbedding { out: 0, ..PositionEmbedding::DEFAULT }.check().is_err());
    }
}
