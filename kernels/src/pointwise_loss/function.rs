//! The losses of one element, and their derivatives. If an input is NaN, both are NaN.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use crate::math::{exp, ln, ln_1p, power, sigmoid};

/// A loss of one prediction, one target and the weight of their column.
pub(super) trait Term: Copy + Send + Sync {
    /// A prediction, a target and a weight whose loss is 0.
    const NOTHING: [f32; 3] = [0.0; 3];

    fn loss(self, y: f32, t: f32, weight: f32) -> f32;

    /// The derivative by `y`.
    fn slope(self, y: f32, t: f32, weight: f32) -> f32;
}

/// 1, 0 or -1; NaN for NaN.
#[inline(always)]
fn sign(x: f32) -> f32 {
    let below = if x < 0.0 { -1.0 } else { x };
    if x > 0.0 { 1.0 } else { below }
}

#[derive(Clone, Copy)]
pub(super) struct Absolute;

impl Term for Absolute {
    #[inline(always)]
    fn loss(self, y: f32, t: f32, _: f32) -> f32 {
        (y - t).abs()
    }

    #[inline(always)]
    fn slope(self, y: f32, t: f32, _: f32) -> f32 {
        sign(y - t)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Huber(pub(super) f32);

impl Term for Huber {
    #[inline(always)]
    fn loss(self, y: f32, t: f32, _: f32) -> f32 {
        let Self(delta) = self;
        let size = (y - t).abs();
        if size <= delta { 0.5 * size * size } else { delta * (size - 0.5 * delta) }
    }

    #[inline(always)]
    fn slope(self, y: f32, t: f32, _: f32) -> f32 {
        let Self(delta) = self;
        let error = y - t;
        if error.abs() <= delta { error } else { delta * sign(error) }
    }
}

#[derive(Clone, Copy)]
pub(super) struct SmoothL1(pub(super) f32);

impl Term for SmoothL1 {
    #[inline(always)]
    fn loss(self, y: f32, t: f32, _: f32) -> f32 {
        let Self(beta) = self;
        let size = (y - t).abs();
        if size < beta { 0.5 * size * size / beta } else { size - 0.5 * beta }
    }

    #[inline(always)]
    fn slope(self, y: f32, t: f32, _: f32) -> f32 {
        let Self(beta) = self;
        let error = y - t;
        if error.abs() < beta { error / beta } else { sign(error) }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Logistic;

#[inline(always)]
fn softplus(x: f32) -> f32 {
    (if x < 0.0 { 0.0 } else { x }) + ln_1p(exp(-x.abs()))
}

impl Term for Logistic {
    /// So low that its exponential is 0.
    const NOTHING: [f32; 3] = [-1000.0, 0.0, 0.0];

    #[inline(always)]
    fn loss(self, y: f32, t: f32, weight: f32) -> f32 {
        weight * t * softplus(-y) + (1.0 - t) * softplus(y)
    }

    #[inline(always)]
    fn slope(self, y: f32, t: f32, weight: f32) -> f32 {
        (1.0 - t) * sigmoid(y) - weight * t * sigmoid(-y)
    }
}

/// `margin - s y`, at least 0.
#[inline(always)]
fn missing(margin: f32, s: f32, y: f32) -> f32 {
    let missing = margin - s * y;
    if missing <= 0.0 { 0.0 } else { missing }
}

#[derive(Clone, Copy)]
pub(super) struct Margin(pub(super) f32);

impl Term for Margin {
    /// Correct by far more than any margin.
    const NOTHING: [f32; 3] = [f32::MAX, 1.0, 0.0];

    #[inline(always)]
    fn loss(self, y: f32, t: f32, _: f32) -> f32 {
        missing(self.0, 2.0 * t - 1.0, y)
    }

    #[inline(always)]
    fn slope(self, y: f32, t: f32, _: f32) -> f32 {
        let s = 2.0 * t - 1.0;
        -s * sign(missing(self.0, s, y))
    }
}

#[derive(Clone, Copy)]
pub(super) struct SquaredMargin(pub(super) f32);

impl Term for SquaredMargin {
    const NOTHING: [f32; 3] = Margin::NOTHING;

    #[inline(always)]
    fn loss(self, y: f32, t: f32, _: f32) -> f32 {
        let missing = missing(self.0, 2.0 * t - 1.0, y);
        missing * missing
    }

    #[inline(always)]
    fn slope(self, y: f32, t: f32, _: f32) -> f32 {
        let s = 2.0 * t - 1.0;
        -2.0 * s * missing(self.0, s, y)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Divergence;

impl Term for Divergence {
    #[inline(always)]
    fn loss(self, y: f32, t: f32, _: f32) -> f32 {
        let loss = t * (ln(t) - y);
        if t == 0.0 { 0.0 } else { loss }
    }

    #[inline(always)]
    fn slope(self, _: f32, t: f32, _: f32) -> f32 {
        -t
    }
}

#[derive(Clone, Copy)]
pub(super) struct Poisson;

impl Term for Poisson {
    /// So low that its exponential is 0.
    const NOTHING: [f32; 3] = [-1000.0, 0.0, 0.0];

    #[inline(always)]
    fn loss(self, y: f32, t: f32, _: f32) -> f32 {
        (-t).mul_add(y, exp(y))
    }

    #[inline(always)]
    fn slope(self, y: f32, t: f32, _: f32) -> f32 {
        exp(y) - t
    }
}

#[derive(Clone, Copy)]
pub(super) struct Focal {
    pub(super) gamma: f32,
    pub(super) alpha: f32,
}

impl Focal {
    #[inline(always)]
    fn weight(self, t: f32) -> f32 {
        t * self.alpha + (1.0 - t) * (1.0 - self.alpha)
    }
}

impl Term for Focal {
    const NOTHING: [f32; 3] = Logistic::NOTHING;

    #[inline(always)]
    fn loss(self, y: f32, t: f32, _: f32) -> f32 {
        let x = (1.0 - 2.0 * t) * y;
        self.weight(t) * power(sigmoid(x), self.gamma) * softplus(x)
    }

    #[inline(always)]
    fn slope(self, y: f32, t: f32, _: f32) -> f32 {
        let s = 1.0 - 2.0 * t;
        let x = s * y;
        let q = sigmoid(x);
        s * self.weight(t) * power(q, self.gamma) * (self.gamma * sigmoid(-x)).mul_add(softplus(x), q)
    }
}
