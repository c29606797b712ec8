//! Functions that several optimizers share.

/// Computes the bias correction of a running mean at step `t`: `1 - beta^t`.
pub(super) fn correction(beta: f64, t: u64) -> f64 {
    1.0 - beta.powf(t as f64)
}
