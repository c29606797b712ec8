//! A rule that follows another one.

use super::ElementRule;
use super::scalar::lerp;

/// `slow = lerp(slow, w, alpha)`; `w = slow`, where `w` is the weight after the rules before. State: `slow`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lookahead {
    /// How far the slow weights move towards the weights.
    pub alpha: f32,
}

impl ElementRule for Lookahead {
    type State = [f32; 1];

    #[inline]
    fn update(self, w: f32, _: f32, [slow]: &mut [f32; 1]) -> f32 {
        *slow = lerp(*slow, w, self.alpha);
        *slow
    }
}
