//! Rules that are applied one after another.

use super::{GradientTransform, UpdateRule};

/// The most rules of a chain.
const MOST: usize = 4;

/// The rules of one optimizer step, one after another. Each has the slots of the state that follow those of the rules before it. The
/// first one receives the gradient; it alone may depend on norms of entire parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RuleChain {
    /// Each rule, and the number of its slots that are stored.
    rules: [Option<(UpdateRule, usize)>; MOST],
}

impl RuleChain {
    /// A chain of one rule, of whose slots the first `slots` are stored.
    #[must_use]
    pub const fn of(rule: UpdateRule, slots: usize) -> Self {
        let mut rules = [None; MOST];
        rules[0] = Some((rule, slots));
        Self { rules }
    }

    /// The chain followed by another rule; `None` if it has as many as it can have.
    #[must_use]
    pub fn then(mut self, rule: UpdateRule, slots: usize) -> Option<Self> {
        let place = self.rules.iter_mut().find(|place| place.is_none())?;
        *place = Some((rule, slots));
        Some(self)
    }

    /// Each rule, and the number of its slots that are stored.
    pub fn iter(&self) -> impl Iterator<Item = (UpdateRule, usize)> {
        self.rules.iter().copied().flatten()
    }

    /// Updates a block of one parameter on this thread, with all rules while it is in cache.
    ///
    /// # Panics
    /// As [`UpdateRule::update_block`].
    pub fn update_block(
        &self,
        incoming: GradientTransform,
        weights: &mut [f32],
        gradients: &[f32],
        state: &mut [&mut [f32]],
    ) {
        let (mut incoming, mut rest) = (incoming, state);
        for (rule, slots) in self.iter() {
            let count = slots.min(rest.len());
            let (own, others) = rest.split_at_mut(count);
            rule.update_block(incoming, weights, gradients, own);
            (incoming, rest) = (GradientTransform::UNCHANGED, others);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Lookahead, Sgd};
    use super::*;

    /// Values that are exact in f32.
    #[test]
    fn rules_apply_in_order_with_own_slots() {
        let sgd = UpdateRule::Sgd(Sgd { lr: 0.5, momentum: 0.5, share: 1.0, nesterov: false });
        let lookahead = UpdateRule::Lookahead(Lookahead { alpha: 0.25 });
        let chain = RuleChain::of(sgd, 1).then(lookahead, 1).unwrap();
        let (mut weights, mut v, mut slow) = ([4.0], [2.0], [4.0]);
        let incoming = GradientTransform { scale: 2.0, ..GradientTransform::UNCHANGED };
        chain.update_block(incoming, &mut weights, &[0.5], &mut [&mut v, &mut slow]);
        // v = 0.5 * 2 + 1 = 2; w = 4 - 0.5 * 2 = 3; a quarter of the way from 4 to 3.
        assert_eq!((weights, v, slow), ([3.75], [2.0], [3.75]));
        let full = (2..MOST).fold(chain, |chain, _| chain.then(lookahead, 0).unwrap());
        assert!(full.then(lookahead, 0).is_none());
        assert_eq!(full.iter().count(), MOST);
    }
}
