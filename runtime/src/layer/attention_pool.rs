//! Attention pooling: a learned weighted mean of the positions of a sequence.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::attention::not_split;
use super::rule::{self, hold};
use super::softmax::softmax;
use super::{Axis, Init, Initializer, Layer, LayerKind, OutputRule, Parameter, ParameterAxes, Role, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// Multi-head attention pooling: a weighted mean of the vectors of a sequence, with weights that learned queries compute.
///
/// `query [heads, features]` has a query `q_h` for each head. With the vectors `x_i`, a head's weights are
/// `a_h = softmax_i(q_h x_i / sqrt(features))`. The features are split into `heads` parts; part `h` of the output is
/// `sum_i a_h,i x_i`, of that part of `x_i`. The result is the same as that of multi-head attention from learned queries to the sequence, whose
/// projections of queries and keys are part of `query`; a `linear` layer before this one projects the values, and one after it the output. The
/// queries are initialized normal with deviation 0.02, so that the output is at first close to the mean; `init` selects another initializer.
///
/// # Shapes
/// `[length, features]` to `[features]`.
///
/// # Errors
/// `attention_pool: 256 features cannot be split into 3 heads; expected a divisor of 256`, at compile time.
///
/// # Source
/// Yang et al., "Hierarchical attention networks for document classification", 2016; Lee et al., "Set transformer", 2019.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Classify(text: Tokens<100, 16>) -> Logits<4> {
///     let x = text.embedding(out = 32) + text.position_embedding(out = 32);
///     x.linear(out = 32).attention_pool(heads = 4).linear(out = 4)
/// }
///
/// assert!(Classify::graph()?.parameters.iter().any(|parameter| parameter.path == "attention_pool_1.query"));
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttentionPool {
    /// The number of queries, at least 1; divides the number of features; 1 by default.
    pub heads: usize,
    /// Initializer of `query`; [`Initializer::Default`], normal with deviation 0.02, by default.
    pub init: Initializer,
}

impl AttentionPool {
    /// `heads` is at least 1, and `init` is valid.
    pub const fn check(&self) -> CheckResult {
        hold!(self.init.check());
        rule::count("heads", self.heads)
    }

    /// `[features]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(input.reals_of_rank(2, "[length, features]"));
        let features = hold!(rule::vectors(input));
        hold!(self.check());
        if !features.is_multiple_of(self.heads) {
            return Err(not_split(features, self.heads));
        }
        hold!(rule::possible("query", Shape::of(&[self.heads, features])));
        rule::without_axis(input, 0)
    }
}

impl Config for AttentionPool {
    const NAME: &'static str = "attention_pool";
    const DEFAULT: Self = Self { heads: 1, init: Initializer::Default };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for AttentionPool {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[("query", &[Axis::Other, Axis::LastOfInput])];

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let features = inputs.first().map_or(1, |input| input.last());
        let init = Init::Normal { std: 0.02 };
        vec![Parameter::new("query", &[self.heads, features], Role::Matrix, init).with_init(self.init)]
    }

    fn flops(&self, inputs: &[Shape], _: Shape) -> u64 {
        let elements = inputs.first().map_or(0, |input| input.elements());
        rule::operations(&[2, elements, self.heads + 1])
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Pool
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&[length, features]) = inputs.first().map(Shape::axes) else { return Lowering::Fallback };
        Lowering::kernel(kernels::AttentionPool { length, features, heads: self.heads })
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let (batch, length, features) = x.dims3()?;
        let queries = (pass.parameter("query")? / (features as f64).sqrt())?;
        let scores = x.reshape(((), features))?.matmul(&queries.t()?)?;
        let scores = scores.reshape((batch, length, self.heads))?.transpose(1, 2)?.contiguous()?;
        // [batch, heads, 1, length] times [batch, heads, length, part]
        let weights = softmax(&scores)?.unsqueeze(2)?;
        let parts = x.reshape((batch, length, self.heads, features / self.heads))?.transpose(1, 2)?;
        let y = weights.matmul(&parts.contiguous()?)?;
        Ok(y.reshape((batch, features))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axis_of_positions_is_removed() {
        let layer = AttentionPool { heads: 3, ..AttentionPool::DEFAULT };
        assert_eq!(layer.output(Shape::of(&[4, 6])), Ok(Shape::of(&[6])));
        let said = |shape: &[usize]| layer.output(Shape::of(shape)).unwrap_err().as_str().to_owned();
        assert_eq!(said(&[4, 8]), "8 features cannot be split into 3 heads; expected a divisor of 8");
        assert_eq!(said(&[4]), "the input is [4]; expected [length, features]");
        assert!(AttentionPool { heads: 0, ..layer }.check().is_err());
        assert!(AttentionPool::DEFAULT.output(Shape::of(&[1, 1])).is_ok());
    }
}
