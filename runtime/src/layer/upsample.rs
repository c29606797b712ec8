//! Upsampling: an image enlarged by a whole factor.

use std::fmt;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::pair::{self, Written, both};
use super::rule::{self, hold};
use super::{Layer, OutputRule, one, pooling};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// An image enlarged by a whole factor, without parameters.
///
/// With [`Resample::Nearest`], `y[c, i, j] = x[c, floor(i / s), floor(j / s)]`. With [`Resample::Bilinear`], output `i` is at
/// `(i + 1/2) / s - 1/2` of the input, at least 0, and is the mean of the two rows around it, weighted by distance, and likewise
/// for columns: PyTorch's `align_corners=False`. Between upsampling and a convolution, this replaces a transposed convolution
/// without its checkerboard patterns.
///
/// # Shapes
/// `[channels, height, width]` to `[channels, height * scale, width * scale]`.
///
/// # Errors
/// `upsample: the input is [64]; expected an image [channels, height, width]`, or a `scale` of 0, at compile time.
///
/// # Source
/// PyTorch's `Upsample` and `interpolate`; Odena et al. 2016, "Deconvolution and checkerboard artifacts".
///
/// # Example
/// ```
/// use trainspec::layer::{Resample, Upsample};
/// use trainspec::{Config, Shape};
///
/// let layer = Upsample { scale: 2, mode: Resample::Bilinear, ..Upsample::DEFAULT };
/// assert_eq!(layer.output(Shape::of(&[64, 7, 9])), Ok(Shape::of(&[64, 14, 18])));
/// ```
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upsample {
    /// The factor of both sides, or [`pair(height, width)`](super::pair()), at least 1; required.
    #[serde(with = "pair")]
    pub scale: usize,
    /// Where the values between pixels come from; [`Resample::Nearest`] by default.
    pub mode: Resample,
}

/// Where the values between pixels come from, in [`Upsample`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resample {
    /// The nearest pixel.
    #[default]
    Nearest,
    /// The four nearest pixels, weighted by distance.
    Bilinear,
}

impl Upsample {
    /// `scale` is at least 1.
    pub const fn check(&self) -> CheckResult {
        let [rows, columns] = both(self.scale);
        hold!(rule::count("scale", rows));
        rule::count("scale", columns)
    }

    /// `[channels, height * scale, width * scale]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::image(input));
        hold!(self.check());
        let [rows, columns] = both(self.scale);
        let (height, width) = (input.axis(1).saturating_mul(rows), input.axis(2).saturating_mul(columns));
        if height.saturating_mul(width) > 1 << 31 {
            return Err(CheckError::new("the output for the input ")
                .shape(input)
                .text(" is too large; expected at most 2^31 pixels"));
        }
        rule::given(Shape::of(&[input.axis(0), height, width]))
    }
}

impl fmt::Debug for Upsample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upsample").field("scale", &Written(self.scale)).field("mode", &self.mode).finish()
    }
}

impl Config for Upsample {
    const NAME: &'static str = "upsample";
    const DEFAULT: Self = Self { scale: 0, mode: Resample::Nearest };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("scale", "the factor of both sides")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Upsample {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        match self.mode {
            Resample::Nearest => 0,
            // four products, three sums
            Resample::Bilinear => rule::operations(&[7, output.elements()]),
        }
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&[planes, height, width]) = inputs.first().map(Shape::axes) else {
            return Lowering::Fallback;
        };
        let bilinear = self.mode == Resample::Bilinear;
        let scale = both(self.scale);
        let sizes = trainspec_kernels::upsample::Upsample { planes, height, width, scale, bilinear };
        Lowering::kernel(kernels::Upsample(sizes))
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let (.., height, width) = x.dims4()?;
        let [rows, columns] = both(self.scale);
        let around = |length: usize, scale: usize| -> Vec<Vec<(usize, f64)>> {
            (0..length * scale)
                .map(|output| match self.mode {
                    Resample::Nearest => vec![(output / scale, 1.0)],
                    Resample::Bilinear => {
                        let at = ((output as f64 + 0.5) / scale as f64 - 0.5).max(0.0);
                        let (first, after) = (at.floor() as usize, at - at.floor());
                        vec![(first, 1.0 - after), ((first + 1).min(length - 1), after)]
                    }
                })
                .collect()
        };
        pooling::weighted(x, &around(height, rows), &around(width, columns))
    }
}

#[cfg(test)]
mod tests {
    use super::super::pair;
    use super::*;

    #[test]
    fn sides_are_multiplied() {
        let layer = Upsample { scale: pair(2, 3), ..Upsample::DEFAULT };
        assert_eq!(layer.output(Shape::of(&[2, 4, 5])), Ok(Shape::of(&[2, 8, 15])));
        assert!(Upsample::DEFAULT.check().is_err());
        assert!(Upsample { scale: usize::MAX, ..layer }.output(Shape::of(&[2, 4, 5])).is_err());
        assert!(Upsample { scale: 1 << 20, ..layer }.output(Shape::of(&[2, 4, 5])).is_err());
        assert!(layer.output(Shape::of(&[2, 4])).is_err());
    }
}
