//! Sharpness-aware minimization: another optimizer with the gradient at perturbed weights.

use serde::{Deserialize, Serialize};

use super::forwarded::forwarded;
use super::with_type;
use super::{
    AnyOptimizer, AveragePoint, GradientTransform, ModelRule, ParameterConfig, Penalties, RuleChain,
    StepSize, UpdateStep, UsualRates,
};
use crate::config::{Config, with_changes};
use crate::layer::GraphParameter;
use crate::shape::{CheckError, CheckResult};

/// Sharpness-aware minimization (SAM): another optimizer takes the steps, with the gradient at the weights where the loss is about the
/// largest within a distance of `rho`.
///
/// Each step has two passes over the micro-batches of its window. The first gives the gradient `g` of the window, over all parameters
/// that are trained. With `e = rho * g / |g|`, the second gives the gradient at `w + e`, which replaces the first. Then the weights are `w` again,
/// and the gradient is clipped, gets noise and goes to the optimizer as usual. So a step takes about twice the time.
///
/// Both passes use the same samples, mixes and dropout masks. The loss and the metrics that are reported are those of the first pass, and so are the
/// running statistics; the reported norm is that of the second gradient. Penalties are not part of `g`. A loss scale cancels in `e`. If the gradient
/// of the first pass is 0 or not finite, there is no second pass. A copy of the weights is kept for a step.
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
///         optimizer: Sam { optimizer: Sgd { lr: 0.1, momentum: 0.9 }, rho: 0.05 },
///     }
/// }
/// # assert!(Digits::experiment().check().is_ok());
/// ```
///
/// # Source
/// Foret et al. 2021, "Sharpness-aware minimization for efficiently improving generalization", with `p` = 2.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(serialize = "O: Config", deserialize = "O: Config"))]
pub struct Sam<O> {
    /// The optimizer that takes the steps; required.
    #[serde(with = "with_type")]
    pub optimizer: O,
    /// How far the weights are moved, above 0; 0.05 by default.
    pub rho: f64,
}

impl<O> Sam<O> {
    /// Checks the range of its own key.
    pub const fn check(&self) -> CheckResult {
        if self.rho > 0.0 && (self.rho as f32) > 0.0 && (self.rho as f32).is_finite() {
            return Ok(());
        }
        Err(CheckError::new("rho is ").float(self.rho).text("; expected a distance above 0, such as 0.05"))
    }
}

impl<O: AnyOptimizer + Config> Config for Sam<O> {
    const NAME: &'static str = "Sam";
    const DEFAULT: Self = Self { optimizer: O::DEFAULT, rho: 0.05 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("optimizer", "the optimizer that takes the steps")];
    const CHECK: fn(&Self) -> CheckResult = |this| {
        (O::CHECK)(&this.optimizer).map_err(|problem| problem.of(O::NAME))?;
        if this.optimizer.perturbation().is_some() {
            return Err(CheckError::new("`optimizer` is a `Sam` itself; use one of them"));
        }
        this.check()
    };
}

/// All but the gradient is the optimizer's.
#[diagnostic::do_not_recommend]
impl<O: AnyOptimizer + Config> AnyOptimizer for Sam<O> {
    forwarded! { optimizer:
        fn lr() -> f64;
        fn state_names() -> &'static [&'static str];
        fn initial(slot: usize) -> f32;
        fn starts_at_weights(slot: usize) -> bool;
        fn average() -> Option<AveragePoint>;
        fn is_sparse() -> bool;
        fn penalties() -> Penalties;
        fn treatment(parameter: &GraphParameter) -> ParameterConfig;
        fn step_size() -> StepSize;
        fn usual_rates() -> Option<UsualRates>;
        fn decays_itself() -> bool;
        fn is_layerwise() -> bool;
        fn trust(step: UpdateStep, weights: f64, direction: f64) -> f64;
        fn has_one_rate() -> bool;
        fn check_model(parameters: &[GraphParameter]) -> Result<(), String>;
        fn model_rule() -> Option<&dyn ModelRule>;
        fn lowering(step: UpdateStep) -> Option<RuleChain>;
        fn measure_block(
            step: UpdateStep,
            incoming: GradientTransform,
            weights: &[f32],
            gradients: &[f32],
            state: &mut [&mut [f32]],
        ) -> [f64; 2];
        fn update_block(
            step: UpdateStep,
            incoming: GradientTransform,
            weights: &mut [f32],
            gradients: &[f32],
            state: &mut [&mut [f32]],
        );
    }

    fn perturbation(&self) -> Option<f64> {
        Some(self.rho)
    }

    with_changes!(dyn AnyOptimizer);
}

#[cfg(test)]
mod tests {
    use super::super::{AdamW, Lookahead, ScheduleFreeSgd, Sgd};
    use super::*;
    use crate::config::Setting;

    #[test]
    fn keys_are_range_checked() {
        let said = |rho| Sam { optimizer: Sgd::DEFAULT, rho }.validate().map_err(|e| e.as_str().to_owned());
        assert!(said(0.05).is_ok());
        for rho in [0.0, -0.1, 1e-50, f64::NAN, f64::INFINITY] {
            assert!(said(rho).unwrap_err().starts_with("Sam: rho is "), "{rho}");
        }
        let inner = Sam { optimizer: Sgd { lr: -1.0, ..Sgd::DEFAULT }, rho: 0.05 }.validate().unwrap_err();
        assert!(inner.as_str().contains("Sgd: lr is -1"), "{}", inner.as_str());
        let twice = Sam { optimizer: Sam { optimizer: Sgd::DEFAULT, rho: 0.05 }, rho: 0.05 };
        assert!(twice.validate().unwrap_err().as_str().contains("is a `Sam` itself"));
    }

    #[test]
    fn state_is_that_of_the_optimizer() {
        let sam = Sam { optimizer: Lookahead { optimizer: AdamW::DEFAULT, k: 5, alpha: 0.5 }, rho: 0.1 };
        assert_eq!(sam.state_names(), ["m", "v", "slow"]);
        assert_eq!([1, 2].map(|slot| sam.starts_at_weights(slot)), [false, true]);
        assert!(Sam { optimizer: ScheduleFreeSgd::DEFAULT, rho: 0.1 }.average().is_some());
        let json = sam.to_json();
        assert_eq!(sam.with(&json).unwrap().to_json(), json);
        assert_eq!(json["optimizer"]["optimizer"]["type"], "AdamW");
    }
}
