//! Rules with a first and a second moment: `m = lerp(m, g, b1_rest)` and `v = b2 * v + b2_rest * g * g`.

use super::ElementRule;
use super::scalar::lerp;

/// `w -= size * m / (sqrt(max(u, v)) / root + eps)`, where `u` is the largest second moment so far. State: `m`, `v`, and `u`, which is 0 if
/// it is not stored, so that the maximum is `v`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// The learning rate over the correction of the first moment.
    pub size: f32,
    /// The square root of the correction of the second moment.
    pub root: f32,
    /// Added to the denominator.
    pub eps: f32,
    /// `1 - b1`
    pub b1_rest: f32,
    /// The decay rate of the second moment.
    pub b2: f32,
    /// `1 - b2`
    pub b2_rest: f32,
}

impl ElementRule for Adam {
    type State = [f32; 3];

    #[inline]
    fn update(self, w: f32, g: f32, [m, v, largest]: &mut [f32; 3]) -> f32 {
        let Self { size, root, eps, b1_rest, b2, b2_rest } = self;
        *m = lerp(*m, g, b1_rest);
        *v = b2 * *v + b2_rest * g * g;
        *largest = if *largest > *v { *largest } else { *v };
        w - (size * *m) / (largest.sqrt() / root + eps)
    }
}

/// `d = sqrt(v / correction) + eps`; `w += of_gradient * g / d + of_momentum * m / d`. State: `m`, `v`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NAdam {
    /// The factor of the gradient, below 0.
    pub of_gradient: f32,
    /// The factor of the first moment, below 0.
    pub of_momentum: f32,
    /// The correction of the second moment.
    pub correction: f32,
    /// Added to the denominator.
    pub eps: f32,
    /// `1 - b1`
    pub b1_rest: f32,
    /// The decay rate of the second moment.
    pub b2: f32,
    /// `1 - b2`
    pub b2_rest: f32,
}

impl ElementRule for NAdam {
    type State = [f32; 2];

    #[inline]
    fn update(self, w: f32, g: f32, [m, v]: &mut [f32; 2]) -> f32 {
        let Self { of_gradient, of_momentum, correction, eps, b1_rest, b2, b2_rest } = self;
        *m = lerp(*m, g, b1_rest);
        *v = b2 * *v + b2_rest * g * g;
        let below = (*v / correction).sqrt() + eps;
        w + of_gradient * g / below + of_momentum * *m / below
    }
}

/// `d = m / correction * lr`; `w -= d`, or once it is rectified `w -= d * (root / (sqrt(v) + eps)) * rectification`. State: `m`, `v`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RAdam {
    /// The learning rate.
    pub lr: f32,
    /// The correction of the first moment.
    pub correction: f32,
    /// Whether the second moment has enough gradients.
    pub is_rectified: bool,
    /// The square root of the correction of the second moment.
    pub root: f32,
    /// The rectification term.
    pub rectification: f32,
    /// Added to the denominator.
    pub eps: f32,
    /// `1 - b1`
    pub b1_rest: f32,
    /// The decay rate of the second moment.
    pub b2: f32,
    /// `1 - b2`
    pub b2_rest: f32,
}

impl ElementRule for RAdam {
    type State = [f32; 2];

    #[inline]
    fn update(self, w: f32, g: f32, [m, v]: &mut [f32; 2]) -> f32 {
        let Self { lr, correction, is_rectified, root, rectification, eps, b1_rest, b2, b2_rest } = self;
        *m = lerp(*m, g, b1_rest);
        *v = b2 * *v + b2_rest * g * g;
        let plain = *m / correction * lr;
        let adapted = plain * (root / (v.sqrt() + eps)) * rectification;
        w - if is_rectified { adapted } else { plain }
    }
}

/// `u = max(b2 * u, |g| + eps)`; `w -= size * m / u`. State: `m`, `u`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adamax {
    /// The learning rate over the correction of the first moment.
    pub size: f32,
    /// Added to the magnitude of the gradient.
    pub eps: f32,
    /// `1 - b1`
    pub b1_rest: f32,
    /// The decay rate of the infinity norm.
    pub b2: f32,
}

impl ElementRule for Adamax {
    type State = [f32; 2];

    #[inline]
    fn update(self, w: f32, g: f32, [m, u]: &mut [f32; 2]) -> f32 {
        let Self { size, eps, b1_rest, b2 } = self;
        *m = lerp(*m, g, b1_rest);
        *u = (b2 * *u).max(g.abs() + eps);
        w - size * *m / *u
    }
}
