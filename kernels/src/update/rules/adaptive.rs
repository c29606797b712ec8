//! Rules that divide by a mean or a sum of squares.

use super::ElementRule;
use super::scalar::lerp;

/// `v = alpha * v + rest * g * g`, less the square of `a = lerp(a, g, rest)` if it is centered; `d = sqrt(v) + eps`; `w -= lr * g / d`, or
/// with momentum `b = momentum * b + g / d` and `w -= lr * b`. State: `v`, then `a` if it is centered, then `b`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    /// The learning rate.
    pub lr: f32,
    /// The decay rate of the mean square.
    pub alpha: f32,
    /// `1 - alpha`
    pub rest: f32,
    /// Added to the denominator.
    pub eps: f32,
    /// The momentum factor; without momentum, 0.
    pub momentum: f32,
    /// Whether the step has momentum.
    pub moves: bool,
    /// Whether it divides by the standard deviation.
    pub centered: bool,
}

impl ElementRule for RmsProp {
    type State = [f32; 3];

    #[inline]
    fn update(self, w: f32, g: f32, [v, second, third]: &mut [f32; 3]) -> f32 {
        let Self { lr, alpha, rest, eps, momentum, moves, centered } = self;
        *v = alpha * *v + rest * g * g;
        let (square, b) = if centered {
            *second = lerp(*second, g, rest);
            // Rounding can make the mean of squares smaller than the square of the mean.
            ((*v - *second * *second).max(0.0), third)
        } else {
            (*v, second)
        };
        let below = square.sqrt() + eps;
        if moves {
            *b = momentum * *b + g / below;
            w - lr * *b
        } else {
            w - lr * g / below
        }
    }
}

/// `sum += g * g`; `w -= lr * g / (sqrt(sum) + eps)`. State: `sum`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaGrad {
    /// The learning rate of the step.
    pub lr: f32,
    /// Added to the denominator.
    pub eps: f32,
}

impl ElementRule for AdaGrad {
    type State = [f32; 1];

    #[inline]
    fn update(self, w: f32, g: f32, [sum]: &mut [f32; 1]) -> f32 {
        let Self { lr, eps } = self;
        *sum += g * g;
        w - lr * g / (sum.sqrt() + eps)
    }
}

/// `v = rho * v + rest * g * g`; `d = sqrt(u + eps) / sqrt(v + eps) * g`; `u = rho * u + rest * d * d`; `w -= lr * d`. State: `v`, `u`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaDelta {
    /// The learning rate.
    pub lr: f32,
    /// The decay rate of the mean squares.
    pub rho: f32,
    /// `1 - rho`
    pub rest: f32,
    /// Added inside the roots.
    pub eps: f32,
}

impl ElementRule for AdaDelta {
    type State = [f32; 2];

    #[inline]
    fn update(self, w: f32, g: f32, [v, u]: &mut [f32; 2]) -> f32 {
        let Self { lr, rho, rest, eps } = self;
        *v = rho * *v + rest * g * g;
        let delta = (*u + eps).sqrt() / (*v + eps).sqrt() * g;
        *u = rho * *u + rest * delta * delta;
        w - lr * delta
    }
}
