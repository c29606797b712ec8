//! The position encoding: sines and cosines of each position.

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{Layer, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// The sinusoidal position encoding: a fixed vector for each position, independent of the input values.
///
/// `y[t, 2 i] = sin(t base^(-2 i / out))` and `y[t, 2 i + 1] = cos(t base^(-2 i / out))`. It is added to the token embeddings:
/// `tokens.embedding(out = 256) + tokens.position_encoding(out = 256)`. It has no parameters; a learned one is
/// [`PositionEmbedding`](super::PositionEmbedding).
///
/// # Shapes
/// Tokens `[length]`, or values `[length, …]`, to `[length, out]`.
///
/// # Errors
/// ``position_encoding needs `out`, the length of each vector``, at compile time.
///
/// # Source
/// Vaswani et al. 2017.
///
/// # Example
/// ```
/// use trainspec::layer::PositionEncoding;
/// use trainspec::{Config, Shape};
///
/// let layer = PositionEncoding { out: 256, ..PositionEncoding::DEFAULT };
/// assert_eq!(layer.output(Shape::tokens(65, 128)), Ok(Shape::of(&[128, 256])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionEncoding {
    /// The length of each vector, at least 1; required.
    pub out: usize,
    /// The base of the wavelengths, above 0; 10,000 by default.
    pub base: f64,
}

impl PositionEncoding {
    /// `out` is at least 1, and `base` is above 0.
    pub const fn check(&self) -> CheckResult {
        hold!(rule::count("out", self.out));
        rule::positive("base", self.base)
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

    /// `[length, out]`
    fn table(&self, length: usize) -> Vec<f64> {
        let value = |position: usize, place: usize| {
            let even = place - place % 2;
            let angle = position as f64 * self.base.powf(-(even as f64) / self.out as f64);
            if place == even { angle.sin() } else { angle.cos() }
        };
        (0..length).flat_map(|position| (0..self.out).map(move |place| value(position, place))).collect()
    }
}

impl Config for PositionEncoding {
    const NAME: &'static str = "position_encoding";
    const DEFAULT: Self = Self { out: 0, base: 10_000.0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("out", "the length of each vector")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for PositionEncoding {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&[length, ..]) = inputs.first().map(Shape::axes) else { return Lowering::Fallback };
        let table = self.table(length).into_iter().map(|value| value as f32).collect();
        Lowering::kernel(kernels::PositionEncoding { length, features: self.out, table })
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let (batch, length) = (x.dim(0)?, x.dim(1)?);
        let table = Tensor::from_vec(self.table(length), (length, self.out), &Device::Cpu)?;
        let table = table.to_device(x.device())?.to_dtype(pass.dtype())?;
        Ok(table.broadcast_as((batch, length, self.out))?.contiguous()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_axis_is_the_length() {
        let layer = PositionEncoding { out: 3, ..PositionEncoding::DEFAULT };
        assert_eq!(layer.output(Shape::tokens(5, 7)), Ok(Shape::of(&[7, 3])));
        assert_eq!(layer.output(Shape::of(&[7, 4])), Ok(Shape::of(&[7, 3])));
        assert!(layer.output(Shape::of(&[])).is_err());
        assert!(PositionEncoding { base: f64::NAN, ..layer }.check().is_err());
    }

    /// From the formula, by hand.
    #[test]
    fn sines_and_cosines_alternate() {
        let layer = PositionEncoding { out: 4, base: 100.0 };
        let table = layer.table(2);
        assert_eq!(table[..4], [0.0, 1.0, 0.0, 1.0]);
        let expected = [1.0_f64.sin(), 1.0_f64.cos(), 0.1_f64.sin(), 0.1_f64.cos()];
        assert!(table[4..].iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-15));
    }
}
