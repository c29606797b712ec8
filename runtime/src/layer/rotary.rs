//! Rotary position embedding: queries and keys rotated by their position.

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::attention::not_split;
use super::rule::{self, hold};
use super::{Layer, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// Rotary position embedding: rotates the pairs of elements of each head by angles proportional to the position, so that the
/// product of a query and a key depends on their distance.
///
/// With `d = features / heads`, pair `i` at position `t` has the angle `a = t base^(-2 i / d)`:
/// `[u, v]` becomes `[u cos a - v sin a, u sin a + v cos a]`. The pair consists of the elements `i` and `i + d / 2` of the head, as in
/// GPT-NeoX and in Llama of Hugging Face, or with `interleaved` of `2 i` and `2 i + 1`, as in the paper and in Meta's Llama.
///
/// # Shapes
/// `[length, features]`, unchanged.
///
/// # Errors
/// `rotary: a head has 3 features; expected an even number, which consists of pairs`, at compile time.
///
/// # Source
/// Su et al. 2021.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Mix(x: Value, width: usize, heads: usize) -> Value {
///     let q = x.linear(out = width, bias = false).rotary(heads = heads);
///     let k = x.linear(out = width, bias = false).rotary(heads = heads);
///     let v = x.linear(out = width, bias = false);
///     q.attention(k, v, heads = heads, causal = true).linear(out = width, bias = false)
/// }
///
/// #[model]
/// fn Net(tokens: Tokens<65, 8>) -> TokenLogits<65> {
///     tokens.embedding(out = 32).mix(width = 32, heads = 4).linear(out = 65)
/// }
/// assert!(Net::graph().is_ok());
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotary {
    /// The number of heads, at least 1; divides the number of features; required.
    pub heads: usize,
    /// The base of the wavelengths, above 0; 10,000 by default.
    pub base: f64,
    /// Whether a pair consists of adjacent elements; `false` by default.
    pub interleaved: bool,
}

impl Rotary {
    /// `heads` is at least 1, and `base` is above 0.
    pub const fn check(&self) -> CheckResult {
        hold!(rule::count("heads", self.heads));
        rule::positive("base", self.base)
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(input.reals_of_rank(2, "[length, features]"));
        let features = hold!(rule::vectors(input));
        hold!(self.check());
        hold!(rule::fixed(input, 0));
        if !features.is_multiple_of(self.heads) {
            return Err(not_split(features, self.heads));
        }
        let width = features / self.heads;
        if !width.is_multiple_of(2) {
            return Err(CheckError::new("a head has ")
                .number(width)
                .text(" features; expected an even number, which consists of pairs"));
        }
        Ok(input)
    }

    /// The angle of each pair at each position, `[length, width / 2]`.
    fn angles(&self, length: usize, width: usize) -> impl Iterator<Item = f64> + use<> {
        let (half, base) = (width / 2, self.base);
        let angle = move |position: usize, pair: usize| {
            position as f64 * base.powf(-2.0 * pair as f64 / width as f64)
        };
        (0..length).flat_map(move |position| (0..half).map(move |pair| angle(position, pair)))
    }
}

impl Config for Rotary {
    const NAME: &'static str = "rotary";
    const DEFAULT: Self = Self { heads: 0, base: 10_000.0, interleaved: false };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("heads", "the number of heads")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Rotary {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        // two products and a sum
        rule::operations(&[3, output.elements()])
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&[length, features]) = inputs.first().map(Shape::axes) else { return Lowering::Fallback };
        let width = features / self.heads.max(1);
        let angles = || self.angles(length, width);
        let cosines = angles().map(|angle| angle.cos() as f32);
        let table = cosines.chain(angles().map(|angle| angle.sin() as f32)).collect();
        let sizes = trainspec_kernels::rotary::Rotary {
            length,
            heads: self.heads,
            width,
            interleaved: self.interleaved,
        };
        Lowering::kernel(kernels::Rotary { sizes, table })
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let (batch, length, features) = x.dims3()?;
        let half = features / self.heads.max(1) / 2;
        // The axis of the two elements of a pair.
        let (axes, axis) = match self.interleaved {
            true => ([batch, length, self.heads, half, 2], 4),
            false => ([batch, length, self.heads, 2, half], 3),
        };
        let pairs = x.reshape(axes.as_slice())?;
        let part = |index| pairs.narrow(axis, index, 1)?.squeeze(axis);
        let table = |function: fn(f64) -> f64| -> Result<Tensor> {
            let values: Vec<f64> = self.angles(length, 2 * half).map(function).collect();
            let values = Tensor::from_vec(values, (1, length, 1, half), &Device::Cpu)?;
            Ok(values.to_device(x.device())?.to_dtype(x.dtype())?)
        };
        let (u, v, cos, sin) = (part(0)?, part(1)?, table(f64::cos)?, table(f64::sin)?);
        let first = (u.broadcast_mul(&cos)? - v.broadcast_mul(&sin)?)?;
        let second = (u.broadcast_mul(&sin)? + v.broadcast_mul(&cos)?)?;
        Ok(Tensor::stack(&[first, second], axis)?.reshape((batch, length, features))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYER: Rotary = Rotary { heads: 2, ..Rotary::DEFAULT };

    #[test]
    fn heads_consist_of_pairs() {
        assert_eq!(LAYER.output(Shape::of(&[5, 8])), Ok(Shape::of(&[5, 8])));
        let problem = LAYER.output(Shape::of(&[5, 6])).unwrap_err();
        let expected = "a head has 3 features; expected an even number, which consists of pairs";
        assert_eq!(problem.as_str(), expected);
        assert!(LAYER.output(Shape::of(&[5, 7])).is_err());
        assert!(LAYER.output(Shape::of(&[5])).is_err());
        assert!(LAYER.output(Shape::of(&[Shape::ANY, 8])).is_err());
        assert!(LAYER.output(Shape::tokens(65, 5)).is_err());
    }

    #[test]
    fn keys_are_checked_at_their_bounds() {
        assert!(LAYER.check().is_ok());
        assert!(Rotary::DEFAULT.check().is_err());
        assert!(Rotary { base: 0.0, ..LAYER }.check().is_err());
    }
}
