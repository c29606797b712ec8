//! Group normalization as plain loops in f64.

use super::GroupNorm;

/// Mean and `1 / sqrt(variance + eps)` of a group.
pub(super) fn statistics(norm: &GroupNorm, x: &[f64]) -> [f64; 2] {
    let length = x.len() as f64;
    let mean = x.iter().sum::<f64>() / length;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / length;
    [mean, 1.0 / (variance + f64::from(norm.eps)).sqrt()]
}

/// The channel of element `at` of a group.
pub(super) fn channel(norm: &GroupNorm, group: usize, at: usize) -> usize {
    group % norm.groups * norm.width() + at / norm.places
}

/// `y`
pub(super) fn forward(norm: &GroupNorm, x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let mut y = Vec::new();
    for (group, x) in x.chunks((norm.width() * norm.places).max(1)).enumerate() {
        let [mean, inverse] = statistics(norm, x);
        for (at, x) in x.iter().enumerate() {
            let channel = channel(norm, group, at);
            y.push(weight[channel] * (x - mean) * inverse + bias[channel]);
        }
    }
    y
}

/// The gradients of `x`, `weight` and `bias`, from the Jacobian of each group.
pub(super) fn backward(norm: &GroupNorm, x: &[f64], weight: &[f64], dy: &[f64]) -> [Vec<f64>; 3] {
    let (mut dx, mut d_weight, mut d_bias) = (Vec::new(), vec![0.0; norm.channels], vec![0.0; norm.channels]);
    let length = (norm.width() * norm.places).max(1);
    for (group, (x, dy)) in x.chunks(length).zip(dy.chunks(length)).enumerate() {
        let [mean, inverse] = statistics(norm, x);
        for i in 0..length {
            d_weight[channel(norm, group, i)] += dy[i] * (x[i] - mean) * inverse;
            d_bias[channel(norm, group, i)] += dy[i];
            let through = |j: usize| {
                let same = if i == j { 1.0 } else { 0.0 };
                let of_inverse = inverse.powi(2) * (x[i] - mean) * (x[j] - mean);
                dy[j]
                    * weight[channel(norm, group, j)]
                    * inverse
                    * (same - (1.0 + of_inverse) / length as f64)
            };
            dx.push((0..length).map(through).sum());
        }
    }
    [dx, d_weight, d_bias]
}
