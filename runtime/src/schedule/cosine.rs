//! Cosine annealing.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::{Clock, Interval, Phase, above_floor, check_floor, larger_end};
use crate::config::Config;
use crate::keys::Facts;
use crate::keys::{lasting, length};
use crate::shape::CheckResult;

/// Anneals the learning rate along half a cosine: `floor + (eta - floor) * (1 + cos(pi * j / (W - 1))) / 2` at step `j` of `W`.
///
/// The first step has the full learning rate, and the last one has `floor`. After the end it stays at `floor`.
///
/// # Source
/// Loshchilov and Hutter 2017, without restarts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosine {
    /// The final learning rate, 0 or more, and at most the initial one; 0 by default.
    pub floor: f64,
    /// Which step has the learning rate `floor`; the last by default.
    pub end: CosineEnd,
    /// The length of the phase in steps; all remaining steps by default.
    pub steps: u64,
    /// The length of the phase in epochs, as an alternative to `steps`.
    pub epochs: u64,
}

/// Selects where a cosine ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CosineEnd {
    /// The last step has the learning rate `floor`.
    Reach,
    /// The step after the last one would have it, as in PyTorch's `CosineAnnealingLR`.
    Torch,
}

/// [`Cosine`](struct@Cosine) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Cosine: Cosine = Cosine::DEFAULT;

impl Cosine {
    /// Checks the range of the floor.
    pub const fn check(&self) -> CheckResult<Facts> {
        if let Err(problem) = check_floor("floor", self.floor) {
            return Err(problem);
        }
        match lasting(self.steps, self.epochs) {
            Ok(known) => Ok(known.floor(self.floor)),
            problem => problem,
        }
    }
}

impl Config for Cosine {
    const NAME: &'static str = "Cosine";
    const DEFAULT: Self = Self { floor: 0.0, end: CosineEnd::Reach, steps: 0, epochs: 0 };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Phase for Cosine {
    fn length(&self) -> Option<Interval> {
        length(self.steps, self.epochs)
    }

    fn rate(&self, j: u64, eta: f64, clock: Clock<'_>) -> f64 {
        // After a phase that depends on evaluations the learning rate may already be below the floor; it never rises.
        let floor = self.floor.min(eta);
        let end = match self.end {
            CosineEnd::Reach => clock.steps.saturating_sub(1),
            CosineEnd::Torch => clock.steps,
        };
        if j >= end && end > 0 {
            return floor;
        }
        floor + (eta - floor) * (1.0 + (PI * j as f64 / end.max(1) as f64).cos()) / 2.0
    }

    fn check_start(&self, eta: f64, _: Clock<'_>) -> CheckResult {
        above_floor(eta, self.floor)
    }

    fn largest(&self, eta: f64, clock: Clock<'_>) -> f64 {
        larger_end(self, eta, clock)
    }
}
