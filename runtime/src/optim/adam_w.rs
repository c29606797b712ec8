//! Adam with decoupled weight decay.

use trainspec_kernels::update::UpdateRule;

use super::declaration::optimizer;
use super::moments::adam;
use super::rules::{self, common, penalties};
use super::{Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::CheckResult;

optimizer! {
    /// Adam with decoupled weight decay.
    ///
    /// At step `t`, with learning rate `eta` and gradient `g`:
    /// `w *= 1 - eta * weight_decay`; `m = b1*m + (1 - b1)*g`; `v = b2*v + (1 - b2)*g^2`;
    /// `w -= eta * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)`.
    ///
    /// With `amsgrad` (Reddi et al. 2018), `u = max(u, v)` over the raw second moments replaces `v` in the last line, and
    /// the correction `1 - b2^t` is that of the current step. This is PyTorch's form; the paper has no bias correction, and a
    /// maximum of corrected moments would be a different method.
    ///
    /// # Source
    /// Loshchilov and Hutter 2019; epsilon outside the corrected root, as in PyTorch.
    pub struct AdamW {
        /// The learning rate, above 0; 1e-3 by default.
        pub lr: f64 = 1e-3,
        /// The decay rates of the moments, each `0 <= beta < 1`; (0.9, 0.999) by default.
        pub betas: (f64, f64) = (0.9, 0.999),
        /// Added to the denominator for numerical stability, above 0; 1e-8 by default.
        pub eps: f64 = 1e-8,
        /// Divides by the largest second moment so far instead of the current one. Adds one state value per element. False
        /// by default.
        pub amsgrad: bool = false,
    }
    /// Decoupled weight decay, multiplied by the learning rate, 0 or more; 0.01 by default.
    weight_decay = 0.01
}

impl AdamW {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        rules::moments(self.lr, self.betas, self.eps, penalties!(self))
    }
}

impl Optimizer for AdamW {
    type State = [f32; 3];
    const STATE: &'static [&'static str] = &["m", "v", "v_max"];

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: false }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-6, highest: 1e-2, source: "PyTorch: 1e-3" })
    }

    fn state_names(&self) -> &'static [&'static str] {
        &Self::STATE[..if self.amsgrad { 3 } else { 2 }]
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        Some(adam(self.betas, self.eps, step))
    }

    common!();
}

#[cfg(test)]
mod tests {
    use super::super::element::Element;
    use super::*;
    use crate::config::Config;
    use crate::layer::Role;

    /// Computes the formulas of the paper in f64, starting from weight 1.
    fn exact(adam: AdamW, gradients: &[f32], lr: impl Fn(u64) -> f64) -> f64 {
        let (mut w, mut m, mut v) = (1.0, 0.0, 0.0);
        let (b1, b2) = adam.betas;
        for (t, &g) in (1..).zip(gradients) {
            let g = f64::from(g);
            w *= 1.0 - lr(t) * adam.weight_decay;
            m = b1 * m + (1.0 - b1) * g;
            v = b2 * v + (1.0 - b2) * g * g;
            let (m, v) = (m / (1.0 - b1.powf(t as f64)), v / (1.0 - b2.powf(t as f64)));
            w -= lr(t) * m / (v.sqrt() + adam.eps);
        }
        w
    }

    /// Each step rounds the weight (at most 1 here) and an update of at most about 3 learning rates a few times; twenty steps
    /// with eight roundings of values up to 1 stay below the tolerance.
    /// The test fails with epsilon inside the correction, a correction off by one step, decay after the update,
    /// and the other end of the `lerp`.
    const TOLERANCE: f64 = 20.0 * 8.0 * 0.5 * f32::EPSILON as f64;

    #[test]
    fn twenty_steps_match_the_paper() {
        let gradients: Vec<f32> = (0..20_u8)
            .map(|t| match t % 5 {
                0 => 1e-9,
                1 => 0.0,
                2 => 3.0,
                3 => -0.25,
                _ => 1e4,
            })
            .collect();
        // The learning rate falls in the middle.
        let lr = |t: u64| if t <= 10 { 0.01 } else { 0.001 };
        for adam in [
            AdamW { weight_decay: 0.1, ..AdamW::DEFAULT },
            AdamW { betas: (0.4, 0.9), eps: 0.1, ..AdamW::DEFAULT },
        ] {
            for count in 1..=gradients.len() {
                let mut element = Element::new(&adam, Role::Matrix, 1.0);
                let mut w = 1.0;
                for (t, &g) in (1..).zip(&gradients[..count]) {
                    w = element.step(lr(t), g);
                }
                let expected = exact(adam, &gradients[..count], lr);
                assert!(
                    (f64::from(w) - expected).abs() < TOLERANCE,
                    "{count} steps: {w}, expected {expected}"
                );
            }
        }
    }

    /// With one gradient the bias corrections cancel: the step is the learning rate times `g / (|g| + eps)`.
    #[test]
    fn epsilon_is_added_after_square_root() {
        let adam = AdamW { eps: 1.0, weight_decay: 0.0, ..AdamW::DEFAULT };
        let w = Element::new(&adam, Role::Matrix, 0.0).step(0.5, 1.0);
        assert!((w + 0.25).abs() < 4.0 * f32::EPSILON, "{w}");
    }
}
