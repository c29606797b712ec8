//! Both normalizations as plain loops in f64.

/// Mean and `1 / sqrt(variance + eps)` of a vector; the mean is 0 and the variance the mean square if not `centered`.
pub(super) fn statistics(x: &[f64], centered: bool, eps: f64) -> [f64; 2] {
    let length = x.len() as f64;
    let mean = if centered { x.iter().sum::<f64>() / length } else { 0.0 };
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / length;
    [mean, 1.0 / (variance + eps).sqrt()]
}

/// `y`
pub(super) fn forward(x: &[f64], weight: &[f64], bias: &[f64], centered: bool, eps: f64) -> Vec<f64> {
    let mut y = Vec::new();
    for x in x.chunks(weight.len()) {
        let [mean, inverse] = statistics(x, centered, eps);
        let row = x.iter().zip(weight).zip(bias);
        y.extend(row.map(|((x, weight), bias)| weight * (x - mean) * inverse + bias));
    }
    y
}

/// The gradients of `x`, `weight` and `bias`, from the Jacobian of each vector.
pub(super) fn backward(x: &[f64], weight: &[f64], dy: &[f64], centered: bool, eps: f64) -> [Vec<f64>; 3] {
    let features = weight.len();
    let (mut dx, mut d_weight, mut d_bias) = (Vec::new(), vec![0.0; features], vec![0.0; features]);
    for (x, dy) in x.chunks(features).zip(dy.chunks(features)) {
        let [mean, inverse] = statistics(x, centered, eps);
        for i in 0..features {
            d_weight[i] += dy[i] * (x[i] - mean) * inverse;
            d_bias[i] += dy[i];
            let through = |j: usize| {
                let same = if i == j { 1.0 } else { 0.0 };
                let of_mean = if centered { 1.0 / features as f64 } else { 0.0 };
                let of_inverse = inverse.powi(2) * (x[i] - mean) * (x[j] - mean) / features as f64;
                dy[j] * weight[j] * inverse * (same - of_mean - of_inverse)
            };
            dx.push((0..features).map(through).sum());
        }
    }
    [dx, d_weight, d_bias]
}
