//! Pixel shuffle: channels that become pixels.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{Layer, LayerKind, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// Channels that become pixels: an image enlarged by a whole factor, whose new pixels are computed as channels by the layer
/// before it.
///
/// `y[c, s i + a, s j + b] = x[c s^2 + a s + b, i, j]` with `s = scale`.
///
/// # Shapes
/// `[channels * scale^2, height, width]` to `[channels, height * scale, width * scale]`.
///
/// # Errors
/// `pixel_shuffle: the 6 channels of the input [6, 4, 4] cannot be split into 4 pixels each; expected a multiple of 4`, at
/// compile time.
///
/// # Source
/// Shi et al. 2016; the order of the channels is that of PyTorch's `PixelShuffle`.
///
/// # Example
/// ```
/// use trainspec::Shape;
/// use trainspec::layer::PixelShuffle;
///
/// assert_eq!(PixelShuffle { scale: 2 }.output(Shape::of(&[12, 8, 8])), Ok(Shape::of(&[3, 16, 16])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PixelShuffle {
    /// The factor of both sides, at least 1; required.
    pub scale: usize,
}

impl PixelShuffle {
    /// `scale` is at least 1.
    pub const fn check(&self) -> CheckResult {
        rule::count("scale", self.scale)
    }

    /// `[channels, height * scale, width * scale]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::image(input));
        hold!(self.check());
        let (channels, pixels) = (input.axis(0), self.scale.saturating_mul(self.scale));
        if !channels.is_multiple_of(pixels) {
            return Err(CheckError::new("the ")
                .number(channels)
                .text(" channels of the input ")
                .shape(input)
                .text(" cannot be split into ")
                .number(pixels)
                .text(" pixels each; expected a multiple of ")
                .number(pixels));
        }
        let [height, width] =
            [input.axis(1).saturating_mul(self.scale), input.axis(2).saturating_mul(self.scale)];
        rule::given(Shape::of(&[channels / pixels, height, width]))
    }
}

impl Config for PixelShuffle {
    const NAME: &'static str = "pixel_shuffle";
    const DEFAULT: Self = Self { scale: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("scale", "the factor of both sides")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for PixelShuffle {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Layout
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&[channels, height, width]) = inputs.first().map(Shape::axes) else {
            return Lowering::Fallback;
        };
        let (planes, scale) = (channels / (self.scale * self.scale).max(1), self.scale);
        let sizes = trainspec_kernels::upsample::PixelShuffle { planes, height, width, scale };
        Lowering::kernel(kernels::PixelShuffle(sizes))
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let (batch, channels, height, width) = x.dims4()?;
        let scale = self.scale;
        let y = x
            .reshape(vec![batch, channels / (scale * scale), scale, scale, height, width])?
            .permute(vec![0, 1, 4, 2, 5, 3])?
            .contiguous()?;
        Ok(y.reshape((batch, channels / (scale * scale), height * scale, width * scale))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_multiple_of_new_pixels() {
        let layer = PixelShuffle { scale: 2 };
        assert_eq!(layer.output(Shape::of(&[8, 3, 5])), Ok(Shape::of(&[2, 6, 10])));
        assert_eq!(
            layer.output(Shape::of(&[6, 4, 4])).unwrap_err().as_str(),
            "the 6 channels of the input [6, 4, 4] cannot be split into 4 pixels each; expected a multiple of 4"
        );
        assert!(PixelShuffle::DEFAULT.check().is_err());
        assert!(PixelShuffle { scale: usize::MAX }.output(Shape::of(&[4, 4, 4])).is_err());
    }
}
