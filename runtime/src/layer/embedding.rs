//! The embedding: a learned vector for each token.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::padding_mask::padding_within;
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
/// Weight decay skips it. `init` selects another initializer: GPT-2's is `Normal { std: 0.02 }`. The row of the token `padding` is
/// initialized to 0 and has no gradient, so it stays 0.
///
/// # Shapes
/// Tokens `[length]` to `[length, out]`; one class `[]` to `[out]`.
///
/// # Errors
/// ``embedding needs `out`, the length of each vector``, or
/// `embedding: the input [64] has real values; expected tokens [length]`, or
/// `embedding: padding is 65, but the vocabulary has 65 tokens; expected 0 to 64`, at compile time.
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
    /// The token that is padding, below the size of the vocabulary; none by default, which the largest `usize` stands for.
    pub padding: usize,
    /// Initializer of `weight`; [`Initializer::Default`], as in PyTorch, by default.
    pub init: Initializer,
}

/// The key `padding` without a padding token.
const NO_PADDING: usize = usize::MAX;

impl Embedding {
    /// The padding token, if there is one.
    const fn padding(&self) -> Option<usize> {
        if self.padding == NO_PADDING { None } else { Some(self.padding) }
    }

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
        if let Some(padding) = self.padding() {
            hold!(padding_within(padding, vocabulary));
        }
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
    const DEFAULT: Self = Self { out: 0, padding: NO_PADDING, init: Initializer::Default };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("out", "the length of each vector")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Embedding {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[("weight", &[Axis::Vocabulary, Axis::LastOfOutput])];

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let vocabulary = inputs.first().and_then(|input| input.vocabulary()).unwrap_or(1);
        let init = Init::Normal { std: 1.0 };
        let weight =
            Parameter::new("weight", &[vocabulary, self.out], Role::Embedding, init).with_init(self.init);
        vec![match self.padding() {
            Some(padding) => weight.with_zero_row(padding),
            None => weight,
        }]
    }

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn reads_rows(&self) -> bool {
        true
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let vocabulary = inputs.first().and_then(|input| input.vocabulary()).unwrap_or(1);
        Lowering::kernel(kernels::Embedding { vocabulary, features: self.out, padding: self.padding() })
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let tokens = one(inputs, self)?;
        let mut axes = tokens.dims().to_vec();
        axes.push(self.out);
        let tokens = tokens.flatten_all()?;
        let mut y = pass.parameter("weight")?.index_select(&tokens, 0)?;
        if let Some(padding) = self.padding() {
            let is_token = tokens.ne(padding as u32)?.unsqueeze(1)?.broadcast_as(y.shape())?;
            y = is_token.where_cond(&y, &y.detach())?;
        }
        Ok(y.reshape(axes)?)
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
