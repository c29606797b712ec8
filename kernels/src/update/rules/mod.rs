//! Update rules as data: the constants of one step, and what a rule computes from them for one element.
//!
//! A device compiles one kernel for each [`UpdateRule`], and passes the constants as arguments. [`UpdateRule::update_block`] and
//! [`UpdateRule::measure_block`] are the kernels for the CPU: each rule has its own compiled loops. The constants are computed in f64 from
//! the keys of an optimizer and the number of the step, and rounded once.
//!
//! The rules round as PyTorch does. For each, `w` is the weight, `g` its gradient after [`GradientTransform`], and the state is in the
//! order in which it is stored.

mod adaptive;
mod chain;
mod layerwise;
mod lookahead;
mod moments;
mod momentum;
mod scalar;
mod schedule_free;
mod transform;

#[cfg(test)]
mod tests;

pub use adaptive::{AdaDelta, AdaGrad, RmsProp};
pub use chain::RuleChain;
pub use layerwise::{Lamb, Lars};
pub use lookahead::Lookahead;
pub use moments::{Adam, Adamax, NAdam, RAdam};
pub use momentum::{Lion, Sgd, SignSgd};
pub(super) use scalar::lerp;
pub use schedule_free::{ScheduleFreeAdamW, ScheduleFreeSgd};
pub use transform::GradientTransform;

use super::Slots;

/// The update rule of one optimizer step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum UpdateRule {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// The sign of the gradient or of its moving average.
    SignSgd(SignSgd),
    /// The sign of an interpolated momentum.
    Lion(Lion),
    /// Adam, with or without the largest second moment.
    Adam(Adam),
    /// Adam with Nesterov momentum.
    NAdam(NAdam),
    /// Rectified Adam.
    RAdam(RAdam),
    /// Adam with the infinity norm.
    Adamax(Adamax),
    /// RMSprop.
    RmsProp(RmsProp),
    /// AdaGrad.
    AdaGrad(AdaGrad),
    /// AdaDelta.
    AdaDelta(AdaDelta),
    /// Layer-wise adaptive Adam.
    Lamb(Lamb),
    /// Layer-wise adaptive momentum.
    Lars(Lars),
    /// Slow weights that follow; see [`RuleChain`].
    Lookahead(Lookahead),
    /// Schedule-free stochastic gradient descent.
    ScheduleFreeSgd(ScheduleFreeSgd),
    /// Schedule-free `AdamW`.
    ScheduleFreeAdamW(ScheduleFreeAdamW),
}

/// What a rule computes for one element.
trait ElementRule: Copy {
    /// The state of the element.
    type State: Slots;

    /// Returns the new weight.
    fn update(self, w: f32, g: f32, state: &mut Self::State) -> f32;

    /// Returns the direction of the element, for a rule that depends on norms of entire parameters.
    #[inline]
    fn direction(self, w: f32, g: f32, state: &mut Self::State) -> f32 {
        let _ = (w, state);
        g
    }
}

/// Runs an expression for the rule in each variant.
macro_rules! for_each_rule {
    ($self:ident, $rule:ident => $body:expr) => {
        match $self {
            UpdateRule::Sgd($rule) => $body,
            UpdateRule::SignSgd($rule) => $body,
            UpdateRule::Lion($rule) => $body,
            UpdateRule::Adam($rule) => $body,
            UpdateRule::NAdam($rule) => $body,
            UpdateRule::RAdam($rule) => $body,
            UpdateRule::Adamax($rule) => $body,
            UpdateRule::RmsProp($rule) => $body,
            UpdateRule::AdaGrad($rule) => $body,
            UpdateRule::AdaDelta($rule) => $body,
            UpdateRule::Lamb($rule) => $body,
            UpdateRule::Lars($rule) => $body,
            UpdateRule::Lookahead($rule) => $body,
            UpdateRule::ScheduleFreeSgd($rule) => $body,
            UpdateRule::ScheduleFreeAdamW($rule) => $body,
        }
    };
}

impl UpdateRule {
    /// Updates a block of one parameter on this thread. `state` holds the values of the block for each slot that is stored, in the order
    /// of the rule; a missing slot reads as 0.
    ///
    /// ```
    /// use trainspec_kernels::update::{GradientTransform, Sgd, UpdateRule};
    ///
    /// let rule = UpdateRule::Sgd(Sgd { lr: 0.5, momentum: 0.0, share: 1.0, nesterov: false });
    /// let mut weights = [1.0, 2.0];
    /// rule.update_block(GradientTransform::UNCHANGED, &mut weights, &[2.0, 0.0], &mut []);
    /// assert_eq!(weights, [0.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If a slice is shorter than `weights`.
    pub fn update_block(
        self,
        incoming: GradientTransform,
        weights: &mut [f32],
        gradients: &[f32],
        state: &mut [&mut [f32]],
    ) {
        for_each_rule!(self, rule => update_block(rule, incoming, weights, gradients, state));
    }

    /// Returns the sums of squares of a block's weights and of the directions of its elements, on this thread. The rule may change the
    /// state, which [`UpdateRule::update_block`] then sees.
    ///
    /// # Panics
    /// If a slice is shorter than `weights`.
    pub fn measure_block(
        self,
        incoming: GradientTransform,
        weights: &[f32],
        gradients: &[f32],
        state: &mut [&mut [f32]],
    ) -> [f64; 2] {
        for_each_rule!(self, rule => measure_block(rule, incoming, weights, gradients, state))
    }

    /// Returns the new weight of a single element. Its state may have more or fewer values than the rule; a missing one is 0.
    #[must_use]
    pub fn update_element(self, w: f32, g: f32, state: &mut [f32]) -> f32 {
        for_each_rule!(self, rule => on_slots(state, |state| rule.update(w, g, state)))
    }

    /// Returns the direction of a single element, for a rule that depends on norms of entire parameters.
    #[must_use]
    pub fn element_direction(self, w: f32, g: f32, state: &mut [f32]) -> f32 {
        for_each_rule!(self, rule => on_slots(state, |state| rule.direction(w, g, state)))
    }
}

fn update_block<R: ElementRule>(
    rule: R,
    incoming: GradientTransform,
    weights: &mut [f32],
    gradients: &[f32],
    state: &mut [&mut [f32]],
) {
    let keep = incoming.keep;
    // A separate loop for the most common case.
    if incoming.only_scales() {
        R::State::update_block(weights, gradients, incoming.scale, state, |w, g, element| {
            rule.update(w * keep, g, element)
        });
    } else {
        R::State::update_block(weights, gradients, incoming.scale, state, |w, g, element| {
            rule.update(w * keep, incoming.gradient(w, g), element)
        });
    }
}

fn measure_block<R: ElementRule>(
    rule: R,
    incoming: GradientTransform,
    weights: &[f32],
    gradients: &[f32],
    state: &mut [&mut [f32]],
) -> [f64; 2] {
    R::State::measure_block(weights, gradients, incoming.scale, state, |w, g, element| {
        rule.direction(w * incoming.keep, incoming.gradient(w, g), element)
    })
}

/// Calls `work` with the first `N` values of a state.
fn on_slots<const N: usize>(state: &mut [f32], work: impl FnOnce(&mut [f32; N]) -> f32) -> f32 {
    let mut slots = [0.0; N];
    slots.iter_mut().zip(&*state).for_each(|(slot, value)| *slot = *value);
    let result = work(&mut slots);
    state.iter_mut().zip(slots).for_each(|(value, slot)| *value = slot);
    result
}
