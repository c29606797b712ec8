//! Functions of one element that several rules share, each rounded as in PyTorch.

/// Interpolates from `a` to `b` by `weight`, starting from the nearer end, as PyTorch's `lerp`.
#[inline]
pub(in crate::update) fn lerp(a: f32, b: f32, weight: f32) -> f32 {
    if weight < 0.5 { a + weight * (b - a) } else { b - (b - a) * (1.0 - weight) }
}

/// Returns the sign of a number, 0 for 0.
#[inline]
pub(super) fn sign(x: f32) -> f32 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        // 0 or NaN.
        x
    }
}
