//! Which tokens are not padding.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{Layer, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// A mask of the tokens of a sample: 0 for the token `padding`, and 1 for every other.
///
/// [`MaskedAttention`](super::MaskedAttention) takes it; times a value, it removes what padding contributes to a sum.
///
/// # Shapes
/// Tokens `[length]` to real values `[length]`.
///
/// # Errors
/// `padding_mask: padding is 65, but the vocabulary has 65 tokens; expected 0 to 64`, at compile time.
///
/// # Source
/// PyTorch's `tokens != padding`.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// /// The mean over the tokens that are not padding.
/// #[model]
/// fn Classify(tokens: Tokens<65, 8>) -> Logits<3> {
///     let mask = tokens.padding_mask(padding = 0);
///     let sum = (tokens.embedding(out = 16) * mask.reshape(to = [8, 1])).mean_pool();
///     (sum / (mask.reshape(to = [8, 1]).mean_pool() + 1e-6)).linear(out = 3)
/// }
/// assert_eq!(Classify::graph()?.nodes[0].layer.name(), "padding_mask");
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaddingMask {
    /// The token that is padding, below the size of the vocabulary; required.
    pub padding: usize,
}

impl PaddingMask {
    /// Always succeeds: the vocabulary is known only with the input.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }

    /// `[length]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::filled(input));
        let Some(vocabulary) = input.vocabulary() else {
            return Err(CheckError::new("the input ")
                .shape(input)
                .text(" has real values; expected tokens [length]"));
        };
        if input.rank() != 1 {
            return Err(CheckError::new("the input is ").shape(input).text("; expected tokens [length]"));
        }
        hold!(padding_within(self.padding, vocabulary));
        Ok(Shape::of(&[input.axis(0)]))
    }
}

/// Checks that a padding token is in the vocabulary.
pub(super) const fn padding_within(padding: usize, vocabulary: usize) -> CheckResult {
    if padding < vocabulary {
        return Ok(());
    }
    Err(CheckError::new("padding is ")
        .number(padding)
        .text(", but the vocabulary has ")
        .number(vocabulary)
        .text(" tokens; expected 0 to ")
        .number(vocabulary.saturating_sub(1)))
}

impl Config for PaddingMask {
    const NAME: &'static str = "padding_mask";
    const DEFAULT: Self = Self { padding: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("padding", "the token that is padding")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for PaddingMask {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn lowering(&self, _: &[Shape]) -> Lowering {
        Lowering::kernel(kernels::PaddingMask { padding: self.padding as u32 })
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let tokens = one(inputs, self)?;
        Ok(tokens.ne(self.padding as u32)?.to_dtype(pass.dtype())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_must_be_in_the_vocabulary() {
        assert_eq!(PaddingMask { padding: 64 }.output(Shape::tokens(65, 8)), Ok(Shape::of(&[8])));
        let problem = PaddingMask { padding: 65 }.output(Shape::tokens(65, 8)).unwrap_err();
        assert_eq!(problem.as_str(), "padding is 65, but the vocabulary has 65 tokens; expected 0 to 64");
        assert!(PaddingMask { padding: 0 }.output(Shape::of(&[8])).is_err());
        assert!(PaddingMask { padding: 0 }.output(Shape::class(8)).is_err());
    }
}
