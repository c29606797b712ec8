//! The update rule of Adam, shared by several optimizers.

use super::UpdateStep;
use super::math::{correction, lerp};

/// Updates a weight as in Adam, from its gradient, its moments, and the largest second moment so far.
///
/// The largest moment is 0 if it is not stored, so the maximum equals the current moment. Optimizers without `amsgrad` can
/// therefore use the same rule.
pub(super) fn adam(
    (b1, b2): (f64, f64),
    eps: f64,
    step: UpdateStep,
) -> impl Fn(f32, f32, &mut [f32; 3]) -> f32 {
    let size = (step.lr / correction(b1, step.t)) as f32;
    let root = correction(b2, step.t).sqrt() as f32;
    let eps = eps as f32;
    let (b1_rest, b2_rest) = ((1.0 - b1) as f32, (1.0 - b2) as f32);
    let b2 = b2 as f32;
    move |w, g, [m, v, largest]| {
        *m = lerp(*m, g, b1_rest);
        *v = b2 * *v + b2_rest * g * g;
        *largest = if *largest > *v { *largest } else { *v };
        w - (size * *m) / (largest.sqrt() / root + eps)
    }
}
