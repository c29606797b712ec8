//! Rules with at most a momentum.

use super::ElementRule;
use super::scalar::sign;

/// `v = momentum * v + share * g`; `w -= lr * v`, or with Nesterov `w -= lr * (g + momentum * v)`. State: `v`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// The learning rate.
    pub lr: f32,
    /// The momentum factor.
    pub momentum: f32,
    /// The factor of the gradient in the velocity: 1, less the dampening.
    pub share: f32,
    /// Whether the step looks ahead along the velocity.
    pub nesterov: bool,
}

impl ElementRule for Sgd {
    type State = [f32; 1];

    #[inline]
    fn update(self, w: f32, g: f32, [v]: &mut [f32; 1]) -> f32 {
        let Self { lr, momentum, share, nesterov } = self;
        *v = momentum * *v + share * g;
        w - lr * if nesterov { g + momentum * *v } else { *v }
    }
}

/// `m = momentum * m + rest * g`; `w -= lr * sign(m)`. State: `m`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignSgd {
    /// The learning rate.
    pub lr: f32,
    /// The decay rate of the average.
    pub momentum: f32,
    /// `1 - momentum`
    pub rest: f32,
}

impl ElementRule for SignSgd {
    type State = [f32; 1];

    #[inline]
    fn update(self, w: f32, g: f32, [m]: &mut [f32; 1]) -> f32 {
        let Self { lr, momentum, rest } = self;
        *m = momentum * *m + rest * g;
        w - lr * sign(*m)
    }
}

/// `d = b1 * m + b1_rest * g`; `m = b2 * m + b2_rest * g`; `w -= lr * sign(d)`. State: `m`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lion {
    /// The learning rate.
    pub lr: f32,
    /// The share of the momentum in the direction.
    pub b1: f32,
    /// `1 - b1`
    pub b1_rest: f32,
    /// The decay rate of the momentum.
    pub b2: f32,
    /// `1 - b2`
    pub b2_rest: f32,
}

impl ElementRule for Lion {
    type State = [f32; 1];

    #[inline]
    fn update(self, w: f32, g: f32, [m]: &mut [f32; 1]) -> f32 {
        let Self { lr, b1, b1_rest, b2, b2_rest } = self;
        let direction = b1 * *m + b1_rest * g;
        *m = b2 * *m + b2_rest * g;
        w - lr * sign(direction)
    }
}
