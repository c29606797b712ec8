//! The update rule of Adam, shared by several optimizers.

use trainspec_kernels::update::{self, UpdateRule};

use super::UpdateStep;
use super::math::correction;

/// Returns the rule of Adam, with or without the largest second moment.
pub(super) fn adam((b1, b2): (f64, f64), eps: f64, step: UpdateStep) -> UpdateRule {
    UpdateRule::Adam(update::Adam {
        size: (step.lr / correction(b1, step.t)) as f32,
        root: correction(b2, step.t).sqrt() as f32,
        eps: eps as f32,
        b1_rest: (1.0 - b1) as f32,
        b2: b2 as f32,
        b2_rest: (1.0 - b2) as f32,
    })
}
