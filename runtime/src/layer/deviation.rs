//! The divisor of a normalization, in reference implementation.

use candle_core::Tensor;

/// `sqrt(variance + eps)`; NaN where that is infinite.
///
/// A finite value divided by infinity is 0: values whose squares overflow would all be normalized to the bias
/// without an error.
pub(super) fn deviation(variance: &Tensor, eps: f64) -> candle_core::Result<Tensor> {
    let deviation = variance.affine(1.0, eps)?.sqrt()?;
    let at = deviation.detach();
    // Infinity minus infinity is NaN; for any finite value this adds 0.
    &deviation + at.sub(&at)?
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn infinite_variance_is_non_finite() {
        let variance = Tensor::new(&[0.0_f32, 3.0, f32::INFINITY, f32::NAN], &Device::Cpu).unwrap();
        let found = deviation(&variance, 1.0).unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(found[..2], [1.0, 2.0]);
        assert!(found[2].is_nan() && found[3].is_nan());
    }
}
