//! The fully connected layer: an affine map of the last axis.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{
    Axis, Init, Initializer, Layer, LayerKind, OutputRule, Parameter, ParameterAxes, Role, one, weight_norm,
};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// An affine map of the last axis, `y = W x + b`.
///
/// `W` is `weight [out, in]`, `b` is `bias [out]`; `in` is the length of the last axis. Both are initialized uniform
/// within `1 / sqrt(in)`; `init` selects another initializer of `W`.
///
/// With `weight_norm = true` each row of `W` is a length times a direction, `W_o = g_o v_o / |v_o|` with the Euclidean norm, and both are
/// trained: `weight_g [out, 1]` and `weight_v [out, in]` instead of `weight`. `init` initializes `v`, and `g` is its norm, so that `W`
/// is initially `v`; a row of zeros counts as one of norm 1. Weight decay and constraints of weights apply to `v`, whose length does not change
/// `W`, and not to `g`, which is a scale. Files of PyTorch's `weight_norm`, in the new and the old form, have the same parameters.
///
/// # Shapes
/// `[…, in]` to `[…, out]`: every vector along the last axis is mapped independently.
///
/// # Errors
/// ``linear needs `out`, the number of output features``, `linear: out is 0; expected at least 1`, and `init = Zeros` with
/// `weight_norm = true`, at compile time.
///
/// # Source
/// The bounds of the initial values are PyTorch's, from He et al. 2015 with `a = sqrt 5`. Weight normalization: Salimans and Kingma
/// 2016.
///
/// # Example
/// ```
/// use trainspec::layer::Linear;
/// use trainspec::{Config, Shape};
///
/// let layer = Linear { out: 10, ..Linear::DEFAULT };
/// assert_eq!(layer.output(Shape::of(&[7, 64])), Ok(Shape::of(&[7, 10])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// The number of output features, at least 1; required.
    pub out: usize,
    /// Whether a learned bias is added to each output feature; `true` by default.
    pub bias: bool,
    /// Whether the weight is stored and trained as lengths and directions; `false` by default.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub weight_norm: bool,
    /// Initializer of `weight`; [`Initializer::Default`], as in PyTorch, by default.
    pub init: Initializer,
}

impl Linear {
    /// `out` is at least 1, and `init` is valid.
    pub const fn check(&self) -> CheckResult {
        hold!(rule::count("out", self.out));
        hold!(weight_norm::check(self.weight_norm, self.init));
        self.init.check()
    }

    /// The input with a last axis of `out`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        let features = hold!(rule::vectors(input));
        hold!(self.check());
        hold!(rule::possible("weight", Shape::of(&[self.out, features])));
        rule::given(input.with_last(self.out))
    }
}

impl Config for Linear {
    const NAME: &'static str = "linear";
    const DEFAULT: Self = Self { out: 0, bias: true, weight_norm: false, init: Initializer::Default };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("out", "the number of output features")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Linear {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes =
        &[("weight", &[Axis::LastOfOutput, Axis::LastOfInput]), ("bias", &[Axis::LastOfOutput])];

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let features = inputs.first().map_or(1, |input| input.last());
        let init = Init::fan_in(features);
        let weight = Parameter::new("weight", &[self.out, features], Role::Matrix, init).with_init(self.init);
        let mut parameters = weight_norm::parameters(weight, self.weight_norm);
        if self.bias {
            parameters.push(Parameter::new("bias", &[self.out], Role::Bias, init));
        }
        parameters
    }

    fn flops(&self, inputs: &[Shape], output: Shape) -> u64 {
        let features = inputs.first().map_or(1, |input| input.last());
        rule::operations(&[2, features, output.elements()])
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Affine
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&input) = inputs.first() else { return Lowering::Fallback };
        let features = input.last();
        let vectors = input.elements() / features.max(1);
        let map = kernels::Linear { vectors, inputs: features, outputs: self.out };
        weight_norm::lowering(map, self.weight_norm, [self.out, features])
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let bias = if self.bias { Some(pass.parameter("bias")?) } else { None };
        affine(x, &weight_norm::weight(pass, self.weight_norm)?, bias)
    }
}

/// `W x + b` on the last axis of `x`, as one matrix product.
pub(super) fn affine(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (out, features) = weight.dims2()?;
    let mut axes = x.dims().to_vec();
    if let Some(last) = axes.last_mut() {
        *last = out;
    }
    let y = x.reshape(((), features))?.matmul(&weight.t()?)?;
    let y = match bias {
        Some(bias) => y.broadcast_add(bias)?,
        None => y,
    };
    Ok(y.reshape(axes)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::alone;

    #[test]
    #[should_panic(expected = "linear needs `out`, the number of output features")]
    fn out_must_be_given() {
        alone(&Linear::DEFAULT, &["bias"], Linear::DEFAULT.check());
    }

    #[test]
    fn out_must_be_above_zero() {
        assert!(Linear { out: 1, ..Linear::DEFAULT }.check().is_ok());
        assert_eq!(
            Linear { out: 0, ..Linear::DEFAULT }.check().unwrap_err().as_str(),
            "out is 0; expected at least 1"
        );
    }

    #[test]
    fn normalized_weight_is_stored_as_lengths_and_directions() {
        let layer = Linear { out: 3, weight_norm: true, init: Initializer::He, ..Linear::DEFAULT };
        let parameters = layer.parameters(&[Shape::of(&[5])]);
        let named: Vec<_> = parameters.iter().map(|each| (each.name, each.shape, each.init)).collect();
        let init = [Init::RowNorms, Init::Normal { std: (2.0_f64 / 5.0).sqrt() }, Init::fan_in(5)];
        let shapes = [Shape::of(&[3, 1]), Shape::of(&[3, 5]), Shape::of(&[3])];
        let names = ["weight_g", "weight_v", "bias"];
        assert_eq!(named, [0, 1, 2].map(|at| (names[at], shapes[at], init[at])));
        assert_eq!(
            Linear { init: Initializer::Zeros, ..layer }.check().unwrap_err().as_str(),
            "init is Zeros, but with `weight_norm = true` each output needs a direction; use another `init`"
        );
    }

    #[test]
    fn linear_maps_last_axis() {
        let layer = Linear { out: 5, ..Linear::DEFAULT };
        assert_eq!(layer.output(Shape::of(&[3])), Ok(Shape::of(&[5])));
        assert_eq!(layer.output(Shape::of(&[2, 7, 3])), Ok(Shape::of(&[2, 7, 5])));
        assert_eq!(layer.output(Shape::of(&[Shape::ANY, 3])), Ok(Shape::of(&[Shape::ANY, 5])));
        for bad in [Shape::of(&[]), Shape::of(&[0]), Shape::of(&[Shape::ANY]), Shape::tokens(9, 3)] {
            assert!(layer.output(bad).is_err());
        }
        let huge = Linear { out: u32::MAX as usize, ..Linear::DEFAULT };
        assert!(huge.output(Shape::of(&[4096])).is_err());
    }
}
