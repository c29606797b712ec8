//! Rules whose weight is a point between a fast weight and an average of it: `y`, `z` and `x` of the paper.

use super::ElementRule;
use super::scalar::lerp;

/// `d = g + decay * y`; `y = lerp(y, z, share) + pull * d`; `z -= lr * d`, where `y` is the weight. State: `z`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScheduleFreeSgd {
    /// The learning rate.
    pub lr: f32,
    /// The share of this step in the average.
    pub share: f32,
    /// `lr * (momentum * (1 - share) - 1)`
    pub pull: f32,
    /// The weight decay.
    pub decay: f32,
}

impl ElementRule for ScheduleFreeSgd {
    type State = [f32; 1];

    #[inline]
    fn update(self, w: f32, g: f32, [z]: &mut [f32; 1]) -> f32 {
        let Self { lr, share, pull, decay } = self;
        let direction = g + decay * w;
        let y = lerp(w, *z, share) + pull * direction;
        *z -= lr * direction;
        y
    }
}

/// `v = b2 * v + b2_rest * g * g`; `d = g / (sqrt(v / correction) + eps) + decay * y`; then as [`ScheduleFreeSgd`]. State: `z`, `v`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScheduleFreeAdamW {
    /// The learning rate.
    pub lr: f32,
    /// The share of this step in the average.
    pub share: f32,
    /// `lr * (b1 * (1 - share) - 1)`
    pub pull: f32,
    /// The weight decay.
    pub decay: f32,
    /// The correction of the second moment.
    pub correction: f32,
    /// Added to the denominator.
    pub eps: f32,
    /// The decay rate of the second moment.
    pub b2: f32,
    /// `1 - b2`
    pub b2_rest: f32,
}

impl ElementRule for ScheduleFreeAdamW {
    type State = [f32; 2];

    #[inline]
    fn update(self, w: f32, g: f32, [z, v]: &mut [f32; 2]) -> f32 {
        let Self { lr, share, pull, decay, correction, eps, b2, b2_rest } = self;
        *v = b2 * *v + b2_rest * g * g;
        let direction = g / ((*v / correction).sqrt() + eps) + decay * w;
        let y = lerp(w, *z, share) + pull * direction;
        *z -= lr * direction;
        y
    }
}
