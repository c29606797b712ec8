//! Layer normalization (each vector to mean 0 and variance 1) and root mean square normalization (each vector to mean
//! square 1).
//!
//! Layer: `y = weight * xhat + bias` with `xhat = (x - mean) / sqrt(variance + eps)`, the mean and the biased variance of
//! the vector. Root mean square: `y = weight * xhat` with `xhat = x / sqrt(mean(x^2) + eps)`, the same with a mean of 0.
//! Backward, with `g = weight * dy` and means over the features of a vector:
//! `dx = (g - mean(g) - xhat mean(g xhat)) / sqrt(variance + eps)`, without `mean(g)` for the root mean square, and
//! `d_weight = sum dy xhat`, `d_bias = sum dy` over the vectors.
//!
//! The mean is kept as two values, an f32 and its rounding error, the rest. If the mean is far above the deviation, the
//! rest is far above the rounding of `xhat`, and without it the sum of `dx` would not be 0.
//!
//! # Source
//! Ba, Kiros and Hinton, "Layer normalization", 2016; Zhang and Sennrich, "Root mean square layer normalization", 2019.

mod backward;
mod forward;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use crate::matmul::WriteMode;
use crate::scratch;
use crate::sizes::elements;

/// The sizes of a layer normalization.
///
/// ```
/// use trainspec_kernels::layer_norm::LayerNorm;
///
/// let norm = LayerNorm { rows: 1, features: 2, eps: 0.0 };
/// let (mut statistics, mut y) = ([0.0; 3], [0.0; 2]);
/// norm.forward(&[3.0, 7.0], Some(&[1.0, 2.0]), Some(&[0.0, 0.5]), &mut statistics, &mut y);
/// assert_eq!(statistics, [5.0, 0.5, 0.0]);
/// assert_eq!(y, [-1.0, 2.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm {
    /// The number of vectors.
    pub rows: usize,
    /// The length of a vector.
    pub features: usize,
    /// The value added to the variance.
    pub eps: f32,
}

/// The sizes of a root mean square normalization.
///
/// ```
/// use trainspec_kernels::layer_norm::RmsNorm;
///
/// let norm = RmsNorm { rows: 1, features: 2, eps: 0.0 };
/// let (mut statistics, mut y) = ([0.0], [0.0; 2]);
/// norm.forward(&[2.0, 14.0], &[1.0, 10.0], &mut statistics, &mut y);
/// assert_eq!(statistics, [0.1]);
/// assert_eq!(y, [0.2, 14.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RmsNorm {
    /// The number of vectors.
    pub rows: usize,
    /// The length of a vector.
    pub features: usize,
    /// The value added to the mean square.
    pub eps: f32,
}

impl LayerNorm {
    /// Writes the normalized vectors to `y`, and each one's mean, `1 / sqrt(variance + eps)` and the rest of the mean
    /// (its rounding error as f32) to `statistics`.
    ///
    /// # Shapes
    /// `x`, `y`: `[rows, features]`; `weight`, `bias`: `[features]`, 1 and 0 where there is none; `statistics`:
    /// `[rows, 3]`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn forward(
        &self,
        x: &[f32],
        weight: Option<&[f32]>,
        bias: Option<&[f32]>,
        statistics: &mut [f32],
        y: &mut [f32],
    ) {
        assert_eq!(statistics.len(), elements([3, self.rows]), "statistics are [rows, 3]");
        self.rows().check(x, weight, bias);
        self.rows().with_weight(weight, |weight| {
            self.rows().with_bias(bias, |bias| {
                forward::run::<true>(self.rows(), x, weight, bias, Some(statistics), y);
            });
        });
    }

    /// Writes the normalized vectors to `y`, bit-identical to [`LayerNorm::forward`].
    ///
    /// # Panics
    /// As [`LayerNorm::forward`].
    pub fn infer(&self, x: &[f32], weight: Option<&[f32]>, bias: Option<&[f32]>, y: &mut [f32]) {
        self.rows().check(x, weight, bias);
        self.rows().with_weight(weight, |weight| {
            self.rows().with_bias(bias, |bias| {
                forward::run::<true>(self.rows(), x, weight, bias, None, y);
            });
        });
    }

    /// The gradients of `x`, `weight` and `bias` from that of `y`, `dy`; each of them is optional.
    ///
    /// `statistics` is the output of [`LayerNorm::forward`] for the same `x`.
    ///
    /// # Panics
    /// As [`LayerNorm::forward`], or if a gradient is not as long as its value.
    #[allow(clippy::too_many_arguments, reason = "each is an array of its own")]
    pub fn backward(
        &self,
        x: &[f32],
        weight: Option<&[f32]>,
        statistics: &[f32],
        dy: &[f32],
        dx: Option<(&mut [f32], WriteMode)>,
        d_weight: Option<(&mut [f32], WriteMode)>,
        d_bias: Option<(&mut [f32], WriteMode)>,
    ) {
        assert_eq!(statistics.len(), elements([3, self.rows]), "statistics are [rows, 3]");
        self.rows().check(x, weight, None);
        self.rows().with_weight(weight, |weight| {
            let input = backward::Input { rows: self.rows(), x, weight, statistics, dy };
            backward::run::<true>(&input, dx, d_weight, d_bias);
        });
    }

    fn rows(&self) -> Rows {
        Rows { count: self.rows, features: self.features, eps: self.eps }
    }
}

impl RmsNorm {
    /// Writes the normalized vectors to `y`, and each one's `1 / sqrt(mean(x^2) + eps)` to `statistics`.
    ///
    /// # Shapes
    /// `x`, `y`: `[rows, features]`; `weight`: `[features]`; `statistics`: `[rows]`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn forward(&self, x: &[f32], weight: &[f32], statistics: &mut [f32], y: &mut [f32]) {
        assert_eq!(statistics.len(), self.rows, "statistics are [rows]");
        self.rows().check(x, Some(weight), None);
        self.rows().with_bias(None, |bias| {
            forward::run::<false>(self.rows(), x, weight, bias, Some(statistics), y);
        });
    }

    /// Writes the normalized vectors to `y`, bit-identical to [`RmsNorm::forward`].
    ///
    /// # Panics
    /// As [`RmsNorm::forward`].
    pub fn infer(&self, x: &[f32], weight: &[f32], y: &mut [f32]) {
        self.rows().check(x, Some(weight), None);
        self.rows().with_bias(None, |bias| forward::run::<false>(self.rows(), x, weight, bias, None, y));
    }

    /// The gradients of `x` and `weight` from that of `y`, `dy`; that of `x` is optional.
    ///
    /// `statistics` is the output of [`RmsNorm::forward`] for the same `x`.
    ///
    /// # Panics
    /// As [`RmsNorm::forward`], or if a gradient is not as long as its value.
    pub fn backward(
        &self,
        x: &[f32],
        weight: &[f32],
        statistics: &[f32],
        dy: &[f32],
        dx: Option<(&mut [f32], WriteMode)>,
        d_weight: (&mut [f32], WriteMode),
    ) {
        assert_eq!(statistics.len(), self.rows, "statistics are [rows]");
        self.rows().check(x, Some(weight), None);
        let input = backward::Input { rows: self.rows(), x, weight, statistics, dy };
        backward::run::<false>(&input, dx, Some(d_weight), None);
    }

    fn rows(&self) -> Rows {
        Rows { count: self.rows, features: self.features, eps: self.eps }
    }
}

/// The sizes of either.
#[derive(Clone, Copy)]
struct Rows {
    count: usize,
    features: usize,
    eps: f32,
}

impl Rows {
    fn check(self, x: &[f32], weight: Option<&[f32]>, bias: Option<&[f32]>) {
        assert_eq!(x.len(), elements([self.count, self.features]), "x is [rows, features]");
        assert!(weight.is_none_or(|weight| weight.len() == self.features), "weight is [features]");
        assert!(bias.is_none_or(|bias| bias.len() == self.features), "bias is [features]");
    }

    /// `run` with the weight, or with ones.
    fn with_weight(self, weight: Option<&[f32]>, run: impl FnOnce(&[f32])) {
        self.with(weight, 1.0, run);
    }

    /// `run` with the bias, or with zeros.
    fn with_bias(self, bias: Option<&[f32]>, run: impl FnOnce(&[f32])) {
        self.with(bias, 0.0, run);
    }

    fn with(self, numbers: Option<&[f32]>, otherwise: f32, run: impl FnOnce(&[f32])) {
        if let Some(numbers) = numbers {
            return run(numbers);
        }
        scratch::with(self.features, |numbers| {
            numbers.fill(otherwise);
            run(numbers);
        });
    }

    /// The minimum number of vectors per thread.
    fn block(self) -> usize {
        /// The number of elements that makes another thread worthwhile.
        const NUMBERS: usize = 32 * 1024;
        // Each block costs a row of sums of the weight's gradient; a long block has long sums in f32.
        (NUMBERS / self.features.max(1)).clamp(SUMMED, SUMMED * SUMMED)
    }
}

/// Vectors whose gradients of the weight are summed in f32 before the sum goes to that of a block.
const SUMMED: usize = 32;
