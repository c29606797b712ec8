//! Adam with Nesterov momentum.

use trainspec_kernels::update::{self, UpdateRule};

use super::declaration::optimizer;
use super::math::correction;
use super::rules::{self, common, hold, penalties};
use super::{Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::CheckResult;

optimizer! {
    /// NAdam: Adam with Nesterov momentum and a momentum schedule that rises over the first steps.
    ///
    /// With `mu_t = b1 * (1 - 0.96^(t * momentum_decay) / 2)` and its product `M_t = mu_1 * … * mu_t`:
    /// `m = b1*m + (1 - b1)*g`; `v = b2*v + (1 - b2)*g^2`; `d = sqrt(v / (1 - b2^t)) + eps`;
    /// `w -= eta * (1 - mu_t) / (1 - M_t) * g / d`; `w -= eta * mu_{t+1} / (1 - M_{t+1}) * m / d`.
    ///
    /// For PyTorch's `decoupled_weight_decay`, use `weight_decay` instead of `l2`.
    ///
    /// # Source
    /// Dozat 2016, in PyTorch's form.
    pub struct NAdam {
        /// The learning rate, above 0; 2e-3 by default.
        pub lr: f64 = 2e-3,
        /// The decay rates of the moments, each `0 <= beta < 1`; (0.9, 0.999) by default.
        pub betas: (f64, f64) = (0.9, 0.999),
        /// Added to the denominator for numerical stability, above 0; 1e-8 by default.
        pub eps: f64 = 1e-8,
        /// How fast the momentum rises, 0 or more; 4e-3 by default. With 0 the momentum is half of the first beta.
        pub momentum_decay: f64 = 4e-3,
    }
    l2
}

impl NAdam {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        hold!(rules::lr(self.lr));
        hold!(rules::betas(self.betas));
        hold!(rules::eps(self.eps));
        hold!(rules::not_negative("momentum_decay", self.momentum_decay));
        rules::rated(self.lr, penalties!(self))
    }
}

impl Optimizer for NAdam {
    type State = [f32; 2];
    const STATE: &'static [&'static str] = &["m", "v"];

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: false }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 2e-6, highest: 2e-2, source: "PyTorch: 2e-3" })
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        let (b1, b2) = self.betas;
        let mu = |t: u64| b1 * (1.0 - 0.5 * 0.96_f64.powf(t as f64 * self.momentum_decay));
        let product = product(b1, self.momentum_decay, step.t);
        let (now, next) = (mu(step.t), mu(step.t + 1));
        Some(UpdateRule::NAdam(update::NAdam {
            of_gradient: (-step.lr * (1.0 - now) / (1.0 - product)) as f32,
            of_momentum: (-step.lr * next / (1.0 - product * next)) as f32,
            correction: correction(b2, step.t) as f32,
            eps: self.eps as f32,
            b1_rest: (1.0 - b1) as f32,
            b2: b2 as f32,
            b2_rest: (1.0 - b2) as f32,
        }))
    }

    common!();
}

/// `mu_1 * … * mu_t` for `mu_s = beta * (1 - q^s / 2)` with `q = 0.96^decay`, as a function of the step only. It needs no
/// state, and its cost does not grow with `t`.
///
/// Its logarithm is `t ln(beta) - sum over k of 2^-k / k * (q^k + q^2k + … + q^tk)`, by the series of `ln(1 - x)`. The
/// error with 64 terms is below `t * 2^-64`.
fn product(beta: f64, decay: f64, t: u64) -> f64 {
    let (t, ln_q) = (t as f64, decay * 0.96_f64.ln());
    let mut logarithm = t * beta.ln();
    let mut half = 1.0;
    for k in 1..=64_u32 {
        let k = f64::from(k);
        half *= 0.5;
        let powers =
            if ln_q == 0.0 { t } else { (k * ln_q).exp() * (k * ln_q * t).exp_m1() / (k * ln_q).exp_m1() };
        logarithm -= half / k * powers;
    }
    logarithm.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each factor and product rounds once, the series about a hundred times.
    #[test]
    fn momentum_product_matches_loop() {
        for (beta, decay) in [(0.9, 4e-3), (0.99, 0.0), (0.5, 3.0), (0.999, 1e-4)] {
            let mut expected = 1.0;
            for t in 1..=2000_u64 {
                expected *= beta * (1.0 - 0.5 * 0.96_f64.powf(t as f64 * decay));
                let found = product(beta, decay, t);
                assert!(
                    (found - expected).abs() <= 1e-11 * expected + 1e-300,
                    "{t}: {found}, expected {expected}"
                );
            }
        }
        assert_eq!(product(0.0, 4e-3, 1).to_bits(), 0.0_f64.to_bits());
    }
}
