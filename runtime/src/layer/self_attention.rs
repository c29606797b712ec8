//! Self-attention: each position attends to the others and takes a weighted mean of their values.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::attention::{Heads, not_split};
use super::linear::affine;
use super::rule::{self, hold};
use super::{Axis, Init, Initializer, Layer, LayerKind, OutputRule, Parameter, ParameterAxes, Role, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// Multi-head self-attention: each position takes a weighted mean over all positions.
///
/// Each vector is projected to a query, a key and a value, `[q, k, v] = in_weight x + in_bias`, split into `heads`
/// parts of length `d = features / heads`. A head computes `softmax(q k^T / sqrt d) v`; the concatenated heads `h`
/// yield `y = out_weight h + out_bias`. With `causal`, position `t` attends only to positions up to `t`.
///
/// The parameters and their initialization are those of PyTorch's `MultiheadAttention`: `in_weight
/// [3 features, features]` (queries, keys, values) uniform within `sqrt(6 / (4 features))`, `out_weight
/// [features, features]` within `1 / sqrt(features)`, `in_bias` and `out_bias` 0. `init` selects another initializer of the
/// two weights, each taken as one matrix.
///
/// # Shapes
/// `[length, features]`, unchanged.
///
/// # Training and evaluation
/// In training only, `dropout` drops attention weights; the others are scaled by `1 / (1 - dropout)`.
///
/// # Errors
/// `self_attention: 256 features cannot be split into 3 heads; expected a divisor of 256`, at compile time.
///
/// # Source
/// Vaswani et al. 2017.
///
/// # Example
/// ```
/// use trainspec::layer::SelfAttention;
/// use trainspec::{Config, Shape};
///
/// let layer = SelfAttention { heads: 4, causal: true, ..SelfAttention::DEFAULT };
/// let x = Shape::of(&[128, 256]);
/// assert_eq!(layer.output(x), Ok(x));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfAttention {
    /// The number of attention heads, at least 1; divides the number of features; required.
    pub heads: usize,
    /// Whether a position attends only to itself and earlier positions; `false` by default.
    pub causal: bool,
    /// The probability that a weight is dropped in training, from 0 and below 1; 0 by default.
    pub dropout: f64,
    /// Whether the two affine maps have biases; `true` by default.
    pub bias: bool,
    /// Initializer of `in_weight` and `out_weight`; [`Initializer::Default`], as in PyTorch, by default.
    pub init: Initializer,
}

impl SelfAttention {
    /// `heads` is at least 1, `0 <= dropout < 1`, and `init` is valid.
    pub const fn check(&self) -> CheckResult {
        hold!(self.init.check());
        hold!(rule::count("heads", self.heads));
        rule::probability("dropout", self.dropout)
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(input.reals_of_rank(2, "[length, features]"));
        let features = hold!(rule::vectors(input));
        hold!(self.check());
        if !features.is_multiple_of(self.heads) {
            return Err(not_split(features, self.heads));
        }
        hold!(rule::possible("weight", Shape::of(&[3, features, features])));
        hold!(rule::possible("table of weights", Shape::of(&[self.heads, input.axis(0), input.axis(0)])));
        Ok(input)
    }
}

impl Config for SelfAttention {
    const NAME: &'static str = "self_attention";
    const DEFAULT: Self =
        Self { heads: 0, causal: false, dropout: 0.0, bias: true, init: Initializer::Default };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("heads", "the number of heads")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for SelfAttention {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[
        ("in_weight", &[Axis::Other, Axis::LastOfInput]),
        ("in_bias", &[Axis::Other]),
        ("out_weight", &[Axis::LastOfInput, Axis::LastOfInput]),
        ("out_bias", &[Axis::LastOfInput]),
    ];

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let features = inputs.first().map_or(1, |input| input.last());
        let all = features.saturating_mul(3);
        let in_weight =
            Parameter::new("in_weight", &[all, features], Role::Matrix, Init::xavier(features, all))
                .with_init(self.init)
                .named_in_torch("in_proj_weight");
        let out_weight =
            Parameter::new("out_weight", &[features, features], Role::Matrix, Init::fan_in(features))
                .with_init(self.init)
                .named_in_torch("out_proj.weight");
        if !self.bias {
            return vec![in_weight, out_weight];
        }
        vec![
            in_weight,
            Parameter::new("in_bias", &[all], Role::Bias, Init::Zeros).named_in_torch("in_proj_bias"),
            out_weight,
            Parameter::new("out_bias", &[features], Role::Bias, Init::Zeros).named_in_torch("out_proj.bias"),
        ]
    }

    fn flops(&self, inputs: &[Shape], _: Shape) -> u64 {
        let Some(&[length, features]) = inputs.first().map(Shape::axes) else { return 0 };
        let maps = rule::operations(&[8, length, features, features]);
        maps.saturating_add(rule::operations(&[4, length, length, features]))
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Attention { causal: self.causal }
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&[length, features]) = inputs.first().map(Shape::axes) else { return Lowering::Fallback };
        let Self { heads, causal, dropout, .. } = *self;
        Lowering::kernel(kernels::SelfAttention { length, features, heads, causal, dropout })
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let features = x.dim(2)?;
        let bias = |pass: &Pass<'_>, name| {
            if self.bias { pass.parameter(name).cloned().map(Some) } else { Ok(None) }
        };
        let projected = affine(x, pass.parameter("in_weight")?, bias(pass, "in_bias")?.as_ref())?;
        let part = |index| projected.narrow(2, index * features, features);
        let (query, key, value) = (part(0)?, part(1)?, part(2)?);
        let Self { heads, causal, dropout, .. } = *self;
        let attention = Heads { heads, kv_heads: heads, causal, dropout };
        let mixed = attention.attend([&query, &key, &value], None, pass)?;
        affine(&mixed, pass.parameter("out_weight")?, bias(pass, "out_bias")?.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_must_divide_features() {
        let layer = SelfAttention { heads: 4, ..SelfAttention::DEFAULT };
        assert!(layer.output(Shape::of(&[128, 256])).is_ok());
        let layer = SelfAttention { heads: 3, ..layer };
        let problem = layer.output(Shape::of(&[128, 256])).unwrap_err();
        assert_eq!(problem.as_str(), "256 features cannot be split into 3 heads; expected a divisor of 256");
    }

    #[test]
    fn keys_are_checked_at_their_bounds() {
        let good = SelfAttention { heads: 1, ..SelfAttention::DEFAULT };
        assert!(good.check().is_ok());
        assert!(SelfAttention { heads: 0, ..good }.check().is_err());
        assert!(SelfAttention { heads: 0, ..good }.output(Shape::of(&[4, 4])).is_err());
        let problem = SelfAttention { dropout: 1.0, ..good }.check().unwrap_err();
        assert_eq!(problem.as_str(), "dropout is 1; expected 0 <= dropout < 1");
        assert!(good.output(Shape::of(&[4])).is_err());
        assert!(good.output(Shape::tokens(65, 4)).is_err());
        assert!(good.output(Shape::of(&[1 << 21, 4])).is_err());
    }
}
