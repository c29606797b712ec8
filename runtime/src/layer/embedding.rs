//! The embedding: a learned vector for each token.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{Axis, Init, Initializer, Layer, OutputRule, Parameter, ParameterAxes, Role, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// The embedding: maps each token to its row of a learned table.
///
/// `y[t] = W[x[t]]`, with `weight [vocabulary, out]`, initialized normal with mean 0 and standard deviation 1.
/// Weight decay skips it. `init` selects another initializer: GPT-2's is `Normal { std: 0.02 }`.
///
/// # Shapes
/// Tokens `[length]` to `[length, out]`; one class `[]` to `[out]`.
///
/// # Errors
/// ``embedding needs `out`, the length of each vector``, or
/// `embedding: the input [64] has real values; expected tokens [length]`, at compile time.
///
/// # Source
/// Bengio et al. 2003; the initial values are PyTorch's.
///
/// # Example
/// ```
/// use trainspec::layer::Embedding;
/// use trainspec::{Config, Shape};
///
/// let layer = Embedding { out: 256, ..Embedding::DEFAULT };
/// assert_eq!(layer.output(Shape::tokens(65, 128)), Ok(Shape::of(&[128, 256])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// The length of each vector, at least 1; required.
    pub out: usize,
    /// Initializer of `weight`; [`Initializer::Default`], as in PyTorch, by default.
    pub init: Initializer,
}

impl Embedding {
    /// `out` is at least 1, and `init` is valid.
    pub const fn check(&self) -> CheckResult {
        hold!(rule::count("out", self.out));
        self.init.check()
    }

    /// `[length, out]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::filled(input));
        hold!(self.check());
        let Some(vocabulary) = input.vocabulary() else {
            return Err(CheckError::new("the input ")
                .shape(input)
                .text(" has real values; expected tokens [length]"));
        };
        hold!(rule::count("the vocabulary", vocabulary));
        hold!(rule::possible("weight", Shape::of(&[vocabulary, self.out])));
        match input.axes() {
            [] => rule::given(Shape::of(&[self.out])),
            &[length] => rule::given(Shape::of(&[length, self.out])),
            _ => Err(CheckError::new("the input is ").shape(input).text("; expected tokens [length]")),
        }
    }
}

impl Config for Embedding {
    const NAME: &'static str = "embedding";
    const DEFAULT: Self = Self { out: 0, init: Initializer::Default };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("out", "the length of each vector")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Embedding {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[("weight", &[Axis::Vocabulary, Axis::LastOfOutput])];

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let vocabulary = inputs.first().and_then(|input| input.vocabulary()).unwrap_or(1);
        vec![
            Parameter::new("weight", &[vocabulary, self.out], Role::Embedding, Init::Normal { std: 1.0 })
                .with_init(self.init),
        ]
    }

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn reads_rows(&self) -> bool {
        true
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let vocabulary = inputs.first().and_then(|input| input.vocabulary()).unwrap_or(1);
        Lowering::kernel(kernels::Embedding { vocabulary, features: self.out })
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let tokens = one(inputs, self)?;
        let mut axes = tokens.dims().to_vec();
        axes.push(self.out);
        Ok(pass.parameter("weight")?.index_select(&tokens.flatten_all()?, 0)?.reshape(axes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_map_to_vectors() {
        let layer = Embedding { out: 3, ..Embedding::DEFAULT };
        assert_eq!(layer.output(Shape::tokens(5, 7)), Ok(Shape::of(&[7, 3])));
        assert_eq!(layer.output(Shape::class(5)), Ok(Shape::of(&[3])));
        let problem = layer.output(Shape::of(&[7])).unwrap_err();
        assert_eq!(problem.as_str(), "the input [7] has real values; expected tokens [length]");
        assert!(layer.output(Shape::tokens(5, 0)).is_err());
        assert!(layer.output(Shape::tokens(usize::MAX, 7)).is_err());
    }

    #[test]
    fn out_must_be_above_zero() {
        assert!(Embedding { out: 1, ..Embedding::DEFAULT }.check().is_ok());
        assert!(Embedding { out: 0, ..Embedding::DEFAULT }.check().is_err());
        assert!(Embedding { out: 0, ..Embedding::DEFAULT }.output(Shape::tokens(5, 7)).is_err());
    }
}
