//! Lookahead: slow weights that follow those of another optimizer.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use trainspec_kernels::update::{self, UpdateRule};

use super::forwarded::forwarded;
use super::with_type;
use super::{
    AnyOptimizer, GradientTransform, Optimizer, Penalties, RuleChain, StepSize, UpdateStep, UsualRates,
};
use crate::config::{Config, with_changes};
use crate::shape::{CheckError, CheckResult};

/// Lookahead: every `k` steps of another optimizer, the weights return to slow weights that follow them.
///
/// The slow weights start as the initial weights. After each `k`th step, `slow += alpha * (w - slow)` and `w = slow`. The state of the
/// optimizer does not change. Learning rate, penalties and schedule are those of the optimizer, which can be any, also your own,
/// except one that updates only the rows of an embedding that a batch reads and keeps state: the slow weights follow every row.
///
/// ```
/// use trainspec::prelude::*;
/// # #[model]
/// # fn Net(image: Image<1, 8, 8>) -> Logits<10> {
/// #     image.flatten().linear(out = 10)
/// # }
///
/// train! {
///     Digits {
///         model: Net,
///         data: Digits8x8::embedded(),
///         batch: 64,
///         epochs: 2,
///         optimizer: Lookahead { optimizer: AdamW { lr: 1e-3 }, k: 6 },
///     }
/// }
/// ```
///
/// # Source
/// Zhang et al. 2019, "Lookahead optimizer: k steps forward, 1 step back": 5 to 10 steps, `alpha` of 0.5 or 0.8.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(serialize = "O: Config", deserialize = "O: Config"))]
pub struct Lookahead<O> {
    /// The optimizer that takes the steps; required.
    #[serde(with = "with_type")]
    pub optimizer: O,
    /// The number of steps between two updates of the slow weights, 1 or more; 5 by default.
    pub k: u64,
    /// How far the slow weights move towards the weights, `0 < alpha <= 1`; 0.5 by default.
    pub alpha: f64,
}

impl<O> Lookahead<O> {
    /// Checks the ranges of its own keys.
    pub const fn check(&self) -> CheckResult {
        if self.k == 0 {
            return Err(CheckError::new("k is 0; expected a number of steps, 1 or more"));
        }
        if !(self.alpha > 0.0 && self.alpha <= 1.0) {
            return Err(CheckError::new("alpha is ").float(self.alpha).text("; expected 0 < alpha <= 1"));
        }
        Ok(())
    }
}

impl<O: Optimizer> Config for Lookahead<O> {
    const NAME: &'static str = "Lookahead";
    const DEFAULT: Self = Self { optimizer: O::DEFAULT, k: 5, alpha: 0.5 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("optimizer", "the optimizer that takes the steps")];
    const CHECK: fn(&Self) -> CheckResult = |this| {
        (O::CHECK)(&this.optimizer).map_err(|problem| problem.of(O::NAME))?;
        if this.optimizer.is_sparse() && !this.optimizer.state_names().is_empty() {
            return Err(CheckError::new("`")
                .text(O::NAME)
                .text("` keeps state and updates only the rows of an embedding that a batch reads; the slow weights follow every row, so ")
                .text("use an optimizer that updates all rows, such as `Adam`"));
        }
        if this.optimizer.average().is_some() {
            return Err(CheckError::new("`")
                .text(O::NAME)
                .text("` averages the weights itself; use it without `Lookahead`, or another optimizer, such as `AdamW`"));
        }
        this.check()
    };
}

/// The name of the slow weights in checkpoints.
const SLOW: &str = "slow";

impl<O: Optimizer> Lookahead<O> {
    /// The number of values that the optimizer keeps for each element.
    fn own_slots(&self) -> usize {
        self.optimizer.state_names().len()
    }

    /// Returns the rule that follows the optimizer's in this step.
    fn follows(&self, step: UpdateStep) -> Option<UpdateRule> {
        let alpha = self.alpha as f32;
        let is_due = step.t.is_multiple_of(self.k.max(1));
        is_due.then_some(UpdateRule::Lookahead(update::Lookahead { alpha }))
    }
}

#[diagnostic::do_not_recommend]
impl<O: Optimizer> AnyOptimizer for Lookahead<O> {
    forwarded! { optimizer:
        fn lr() -> f64;
        fn initial(slot: usize) -> f32;
        fn penalties() -> Penalties;
        fn step_size() -> StepSize;
        fn usual_rates() -> Option<UsualRates>;
        fn decays_itself() -> bool;
        fn is_layerwise() -> bool;
        fn trust(step: UpdateStep, weights: f64, direction: f64) -> f64;
    }

    fn state_names(&self) -> &'static [&'static str] {
        followed_by_slow(self.optimizer.state_names())
    }

    fn starts_at_weights(&self, slot: usize) -> bool {
        slot == self.own_slots()
    }

    fn is_sparse(&self) -> bool {
        false
    }

    fn lowering(&self, step: UpdateStep) -> Option<RuleChain> {
        let own = AnyOptimizer::lowering(&self.optimizer, step)?;
        self.follows(step).map_or(Some(own), |rule| own.then(rule, 1))
    }

    fn measure_block(
        &self,
        step: UpdateStep,
        incoming: GradientTransform,
        weights: &[f32],
        gradients: &[f32],
        state: &mut [&mut [f32]],
    ) -> [f64; 2] {
        let (own, _) = state.split_at_mut(self.own_slots().min(state.len()));
        self.optimizer.measure_block(step, incoming, weights, gradients, own)
    }

    fn update_block(
        &self,
        step: UpdateStep,
        incoming: GradientTransform,
        weights: &mut [f32],
        gradients: &[f32],
        state: &mut [&mut [f32]],
    ) {
        let (own, slow) = state.split_at_mut(self.own_slots().min(state.len()));
        self.optimizer.update_block(step, incoming, weights, gradients, own);
        if let Some(rule) = self.follows(step) {
            rule.update_block(GradientTransform::UNCHANGED, weights, gradients, slow);
        }
    }

    with_changes!(dyn AnyOptimizer);
}

/// Returns these names and that of the slow weights. Each list is made once for the whole program.
fn followed_by_slow(own: &[&'static str]) -> &'static [&'static str] {
    static LISTS: Mutex<Vec<&'static [&'static str]>> = Mutex::new(Vec::new());
    let mut lists = LISTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let is_wanted = |list: &&&[&str]| list.split_last().is_some_and(|(_, before)| before == own);
    if let Some(list) = lists.iter().find(is_wanted) {
        return list;
    }
    let names: Vec<_> = own.iter().copied().chain([SLOW]).collect();
    let list: &'static [&'static str] = names.leak();
    lists.push(list);
    list
}

#[cfg(test)]
mod tests {
    use super::super::{Adam, RmsProp, Sgd, SparseAdam};
    use super::*;
    use crate::config::Setting;

    fn of<O: Optimizer>(optimizer: O) -> Lookahead<O> {
        Lookahead { optimizer, ..Lookahead::DEFAULT }
    }

    #[test]
    fn state_is_that_of_the_optimizer_and_the_slow_weights() {
        assert_eq!(of(Sgd::DEFAULT).state_names(), ["slow"]);
        let rms = of(RmsProp { momentum: 0.9, ..RmsProp::DEFAULT });
        assert_eq!(rms.state_names(), ["v", "b", "slow"]);
        assert_eq!(rms.state_names().as_ptr(), rms.state_names().as_ptr(), "not a new list for each call");
        assert_eq!([0, 1, 2].map(|slot| rms.starts_at_weights(slot)), [false, false, true]);
    }

    #[test]
    fn keys_and_type_of_optimizer_round_trip() {
        let adam = of(Adam { lr: 0.5, ..Adam::DEFAULT });
        let json = adam.to_json();
        assert_eq!((&json["type"], &json["optimizer"]["type"]), (&"Lookahead".into(), &"Adam".into()));
        assert_eq!(adam.with(&json).unwrap().to_json(), json);
        let mut other = json.clone();
        other["optimizer"]["type"] = "AdamW".into();
        assert!(adam.with(&other).unwrap_err().contains("`Adam`, whose type is fixed at compile time"));
        let mut wrong = json;
        wrong["optimizer"]["lr"] = (-1.0).into();
        assert!(adam.with(&wrong).unwrap_err().contains("lr is -1; expected a number above 0"));
    }

    #[test]
    fn keys_are_range_checked() {
        let said = |k, alpha| {
            Lookahead { optimizer: Sgd::DEFAULT, k, alpha }.check().map_err(|e| e.as_str().to_owned())
        };
        assert!(said(1, 1.0).is_ok());
        assert!(said(0, 0.5).unwrap_err().contains("k is 0"));
        for alpha in [0.0, -0.5, 1.5, f64::NAN] {
            assert!(said(5, alpha).unwrap_err().contains("alpha is "), "{alpha}");
        }
        let sparse = of(SparseAdam::DEFAULT).validate().unwrap_err();
        assert!(sparse.as_str().contains("`SparseAdam` keeps state"), "{}", sparse.as_str());
    }

    /// The chain and the blocks of the host have the same bits, also after steps without an update of the slow weights.
    #[test]
    fn lowering_has_the_bits_of_its_parts() {
        let optimizer = Lookahead { optimizer: Adam::DEFAULT, k: 3, alpha: 0.75 };
        let (mut a, mut b) = ([1.0_f32, -2.0], [1.0_f32, -2.0]);
        let mut states = [[[0.0; 2], [0.0; 2], a], [[0.0; 2], [0.0; 2], b]];
        for t in 1..=7 {
            let step = UpdateStep::new(t, 0.1);
            let [first, second] = &mut states;
            let mut first = first.each_mut().map(<[f32; 2]>::as_mut_slice);
            let mut second = second.each_mut().map(<[f32; 2]>::as_mut_slice);
            optimizer.update_block(step, GradientTransform::UNCHANGED, &mut a, &[0.5, 1.0], &mut first);
            let chain = optimizer.lowering(step).unwrap();
            assert_eq!(chain.iter().count(), if t % 3 == 0 { 2 } else { 1 });
            chain.update_block(GradientTransform::UNCHANGED, &mut b, &[0.5, 1.0], &mut second);
            assert_eq!((a.map(f32::to_bits), states[0]), (b.map(f32::to_bits), states[1]), "{t}");
        }
    }
}
