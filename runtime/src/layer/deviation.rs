//! What a normalization divides by, in reference form.

use candle_core::Tensor;

/// `sqrt(variance + eps)`; NaN where that is infinite.
///
/// A number over infinity is 0: values so far apart that their squares are too large would all be normalized to the bias,
/// and nobody would be told.
pub(super) fn deviation(variance: &Tensor, eps: f64) -> candle_core::Result<Tensor> {
    let deviation = variance.affine(1.0, eps)?.sqrt()?;
    let at = deviation.detach();
    // Infinity less itself is NaN; to any other number this adds 0.
    &deviation + at.sub(&at)?
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn an_infinite_variance_shows() {
        let variance = Tensor::new(&[0.0_f32, 3.0, f32::INFINITY, f32::NAN], &Device::Cpu).unwrap();
        let found = deviation(&variance, 1.0).unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(found[..2], [1.0, 2.0]);
        assert!(found[2].is_nan() && found[3].is_nan());
    }
}
