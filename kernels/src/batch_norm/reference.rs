//! Batch normalization as plain loops in f64, without the epilogue.

use super::BatchNorm;

/// The indices of the elements of a channel.
pub(super) fn elements(norm: &BatchNorm, channel: usize) -> impl Iterator<Item = usize> + Clone + use<> {
    let BatchNorm { batch, channels, places, .. } = *norm;
    (0..batch).flat_map(move |sample| {
        let first = (sample * channels + channel) * places;
        first..first + places
    })
}

/// Mean and biased variance.
pub(super) fn statistics(norm: &BatchNorm, x: &[f64], channel: usize) -> [f64; 2] {
    let count = (norm.batch * norm.places).max(1) as f64;
    let mean = elements(norm, channel).map(|at| x[at]).sum::<f64>() / count;
    let variance = elements(norm, channel).map(|at| (x[at] - mean).powi(2)).sum::<f64>() / count;
    [mean, variance]
}

/// `pre`
pub(super) fn forward(norm: &BatchNorm, x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let mut pre = vec![0.0; x.len()];
    for channel in 0..norm.channels {
        let [mean, variance] = statistics(norm, x, channel);
        let deviation = (variance + f64::from(norm.eps)).sqrt();
        for at in elements(norm, channel) {
            pre[at] = weight[channel] * (x[at] - mean) / deviation + bias[channel];
        }
    }
    pre
}

/// The gradients of `x`, `weight` and `bias` from that of `pre`, from the chain rule, one path after the other.
pub(super) fn backward(norm: &BatchNorm, x: &[f64], weight: &[f64], d: &[f64]) -> [Vec<f64>; 3] {
    let count = (norm.batch * norm.places).max(1) as f64;
    let [mut dx, mut d_weight, mut d_bias] =
        [x.len(), norm.channels, norm.channels].map(|len| vec![0.0; len]);
    for channel in 0..norm.channels {
        let [mean, variance] = statistics(norm, x, channel);
        let deviation = (variance + f64::from(norm.eps)).sqrt();
        let mut d_deviation = 0.0;
        let mut d_mean = 0.0;
        for at in elements(norm, channel) {
            let centered = x[at] - mean;
            d_weight[channel] += d[at] * centered / deviation;
            d_bias[channel] += d[at];
            dx[at] = d[at] * weight[channel] / deviation;
            d_mean -= d[at] * weight[channel] / deviation;
            d_deviation -= d[at] * weight[channel] * centered / (deviation * deviation);
        }
        for at in elements(norm, channel) {
            dx[at] += d_mean / count + d_deviation / deviation * (x[at] - mean) / count;
        }
    }
    [dx, d_weight, d_bias]
}
