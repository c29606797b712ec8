//! One row in f64.

pub(super) fn forward(x: &[f64]) -> Vec<f64> {
    let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = x.iter().map(|x| (x - largest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|exponential| exponential / sum).collect()
}

/// The gradient, and the sum of the magnitudes of its terms.
pub(super) fn backward(x: &[f64], dy: &[f64]) -> Vec<(f64, f64)> {
    let y = forward(x);
    let mean: f64 = y.iter().zip(dy).map(|(y, dy)| y * dy).sum();
    let size: f64 = y.iter().zip(dy).map(|(y, dy)| (y * dy).abs()).sum();
    y.iter().zip(dy).map(|(y, dy)| (y * (dy - mean), y * (dy.abs() + size))).collect()
}
