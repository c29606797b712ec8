//! Schedule-free `AdamW`.

use trainspec_kernels::update::{self, UpdateRule};

use super::declaration::optimizer;
use super::math::correction;
use super::rules::{self, common, penalties};
use super::{AveragePoint, Optimizer, Penalties, StepSize, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::{CheckError, CheckResult};

optimizer! {
    /// `AdamW` that averages its weights instead of lowering the learning rate.
    ///
    /// As [`ScheduleFreeSgd`](struct@super::ScheduleFreeSgd), with `b1` as its `momentum` and the direction
    /// `v = b2*v + (1 - b2)*g^2`; `d = g / (sqrt(v / (1 - b2^t)) + eps) + weight_decay * y`. There is no first moment.
    /// The weights of the run are `y`, and the state is `z` and `v`. Evaluations and the final model use the average,
    /// `x = y + (1 - 1 / b1) * (z - y)`.
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
    ///         optimizer: ScheduleFreeAdamW { lr: 5e-3 },
    ///         schedule: [Warmup { steps: 10 }, Constant],
    ///     }
    /// }
    /// # assert!(Digits::experiment().check().is_ok());
    /// ```
    ///
    /// # Errors
    /// As [`ScheduleFreeSgd`](struct@super::ScheduleFreeSgd): a schedule whose learning rate falls, `ema` and `constrain`.
    ///
    /// # Source
    /// Defazio et al. 2024, "The road less scheduled", in the form of the authors' `AdamWScheduleFree`, with its `r` of 0 and `weight_lr_power` of 2.
    pub struct ScheduleFreeAdamW {
        /// The learning rate, above 0; 2.5e-3 by default.
        pub lr: f64 = 2.5e-3,
        /// How far `y` is from `z` to `x`, `0.01 <= b1 < 1`, and the decay rate of the second moment, `0 <= b2 < 1`; (0.9, 0.999) by default.
        pub betas: (f64, f64) = (0.9, 0.999),
        /// Added to the denominator for numerical stability, above 0; 1e-8 by default.
        pub eps: f64 = 1e-8,
    }
    /// Weight decay, multiplied by the learning rate: adds `weight_decay * y` to the direction, 0 or more; 0 by default.
    weight_decay = 0.0
}

impl ScheduleFreeAdamW {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        if self.betas.0 >= 0.0 && self.betas.0 < 0.01 {
            return Err(CheckError::new("the first of betas is ").float(self.betas.0).text(
                "; expected 0.01 <= b1 < 1, since the gradient is taken between the step and the average",
            ));
        }
        match rules::moments(self.lr, self.betas, self.eps, penalties!(self)) {
            Ok(facts) => Ok(facts.averaging()),
            Err(problem) => Err(problem),
        }
    }
}

impl Optimizer for ScheduleFreeAdamW {
    type State = [f32; 2];
    const STATE: &'static [&'static str] = &["z", "v"];
    const DECAYS_ITSELF: bool = true;

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: false }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-5, highest: 5e-2, source: "Defazio et al. 2024: 2.5e-3" })
    }

    fn starts_at_weights(&self, slot: usize) -> bool {
        slot == 0
    }

    fn average(&self) -> Option<AveragePoint> {
        Some(AveragePoint { slot: 0, share: 1.0 - 1.0 / self.betas.0 })
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        let (b1, b2) = self.betas;
        Some(UpdateRule::ScheduleFreeAdamW(update::ScheduleFreeAdamW {
            lr: step.lr as f32,
            share: step.share as f32,
            pull: (step.lr * (b1 * (1.0 - step.share) - 1.0)) as f32,
            decay: step.weight_decay as f32,
            correction: correction(b2, step.t) as f32,
            eps: self.eps as f32,
            b2: b2 as f32,
            b2_rest: (1.0 - b2) as f32,
        }))
    }

    common!();
}
