//! Rules whose step depends on norms of the entire parameter. [`UpdateRule::measure_block`](super::UpdateRule::measure_block) computes them
//! first; what follows from them is among the constants of the update.

use super::ElementRule;
use super::scalar::lerp;

/// The direction is `d = size * m / (sqrt(v) / root + eps) + decay * w`, with the moments of [`Adam`](super::Adam) after the gradient, which
/// measuring adds to them; `w -= step * d`. State: `m`, `v`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lamb {
    /// The learning rate times the ratio of the norms of parameter and direction; not read in measuring.
    pub step: f32,
    /// 1 over the correction of the first moment.
    pub size: f32,
    /// The square root of the correction of the second moment.
    pub root: f32,
    /// Added to the denominator.
    pub eps: f32,
    /// The weight decay.
    pub decay: f32,
    /// `1 - b1`
    pub b1_rest: f32,
    /// The decay rate of the second moment.
    pub b2: f32,
    /// `1 - b2`
    pub b2_rest: f32,
}

impl Lamb {
    /// The direction from moments that include the current gradient.
    #[inline]
    fn towards(self, w: f32, [m, v]: [f32; 2]) -> f32 {
        let Self { size, root, eps, decay, .. } = self;
        (size * m) / (v.sqrt() / root + eps) + decay * w
    }
}

impl ElementRule for Lamb {
    type State = [f32; 2];

    #[inline]
    fn update(self, w: f32, _: f32, state: &mut [f32; 2]) -> f32 {
        w - self.step * self.towards(w, *state)
    }

    #[inline]
    fn direction(self, w: f32, g: f32, state: &mut [f32; 2]) -> f32 {
        let [m, v] = state;
        *m = lerp(*m, g, self.b1_rest);
        *v = self.b2 * *v + self.b2_rest * g * g;
        self.towards(w, *state)
    }
}

/// `v = momentum * v + trust * (g + decay * w)`; `w -= lr * v`. The direction is the gradient. State: `v`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lars {
    /// The learning rate.
    pub lr: f32,
    /// The local learning rate of the parameter; not read in measuring.
    pub trust: f32,
    /// The momentum factor.
    pub momentum: f32,
    /// The weight decay.
    pub decay: f32,
}

impl ElementRule for Lars {
    type State = [f32; 1];

    #[inline]
    fn update(self, w: f32, g: f32, [v]: &mut [f32; 1]) -> f32 {
        let Self { lr, trust, momentum, decay } = self;
        *v = momentum * *v + trust * (g + decay * w);
        w - lr * *v
    }
}
