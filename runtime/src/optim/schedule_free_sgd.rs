//! Schedule-free stochastic gradient descent.

use trainspec_kernels::update::{self, UpdateRule};

use super::declaration::optimizer;
use super::rules::{self, common, penalties};
use super::{AveragePoint, Optimizer, Penalties, UpdateStep, UsualRates};
use crate::keys::Facts;
use crate::shape::{CheckError, CheckResult};

optimizer! {
    /// Stochastic gradient descent that averages its weights instead of lowering the learning rate.
    ///
    /// There are three points: `z` takes the steps, `x` is their average, and the gradient is taken at `y`, between them. With learning rate
    /// `eta` and gradient `g` at `y`: `d = g + weight_decay * y`; `z -= eta * d`; `x += c * (z - x)`; `y = (1 - momentum) * z + momentum * x`.
    /// The weights of the run are `y`, the state is `z`, and `x = y + (1 - 1 / momentum) * (z - y)`. Evaluations, early stopping, the best
    /// weights and the final model use `x`; a checkpoint has it as `ema.safetensors`. The [running statistics](struct@super::Swa) of batch norm
    /// are computed anew for `x` before each evaluation, since those of training belong to `y`.
    ///
    /// Each step has the weight `m^2`, where `m` is the largest learning rate so far, and `c` is its share in the sum of the weights. So the steps
    /// of a warmup count less.
    ///
    /// # Errors
    /// A schedule whose learning rate falls, since the average replaces it: use [`Constant`](struct@crate::schedule::Constant), after a
    /// [`Warmup`](struct@crate::schedule::Warmup) or not. `ema`, which would be a second average, and `constrain`, which would bound `y`, but
    /// not `x` and `z`.
    ///
    /// # Source
    /// Defazio et al. 2024, "The road less scheduled", in the form of the authors' `SGDScheduleFree`, with its `r` of 0 and `weight_lr_power` of 2.
    pub struct ScheduleFreeSgd {
        /// The learning rate, above 0; 1 by default. Larger than that of `Sgd`, often by a factor of 10.
        pub lr: f64 = 1.0,
        /// How far `y` is from `z` to `x`, `0.01 <= momentum < 1`; 0.9 by default.
        pub momentum: f64 = 0.9,
    }
    /// Weight decay, multiplied by the learning rate: adds `weight_decay * y` to the gradient, 0 or more; 0 by default.
    weight_decay = 0.0
}

impl ScheduleFreeSgd {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        rules::hold!(rules::lr(self.lr));
        rules::hold!(between(self.momentum));
        match rules::rated(self.lr, penalties!(self)) {
            Ok(facts) => Ok(facts.averaging()),
            Err(problem) => Err(problem),
        }
    }
}

const fn between(momentum: f64) -> CheckResult {
    if momentum >= 0.01 && momentum < 1.0 {
        return Ok(());
    }
    Err(CheckError::new("momentum is ").float(momentum).text(
        "; expected 0.01 <= momentum < 1, since the gradient is taken between the step and the average",
    ))
}

impl Optimizer for ScheduleFreeSgd {
    type State = [f32; 1];
    const STATE: &'static [&'static str] = &["z"];
    const DECAYS_ITSELF: bool = true;

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 1e-5, highest: 50.0, source: "Defazio et al. 2024: 0.25 to 50" })
    }

    fn starts_at_weights(&self, slot: usize) -> bool {
        slot == 0
    }

    fn average(&self) -> Option<AveragePoint> {
        Some(AveragePoint { slot: 0, share: 1.0 - 1.0 / self.momentum })
    }

    fn lowering(&self, step: UpdateStep) -> Option<UpdateRule> {
        Some(UpdateRule::ScheduleFreeSgd(update::ScheduleFreeSgd {
            lr: step.lr as f32,
            share: step.share as f32,
            pull: (step.lr * (self.momentum * (1.0 - step.share) - 1.0)) as f32,
            decay: step.weight_decay as f32,
        }))
    }

    common!();
}
