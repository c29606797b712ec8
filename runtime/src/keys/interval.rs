//! Lengths and intervals of a run.

use serde::{Deserialize, Serialize};

use super::Facts;
use crate::shape::{CheckError, CheckResult};

/// A number of optimizer steps or of epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Interval {
    /// Optimizer steps.
    Steps(u64),
    /// Passes over the training data.
    Epochs(u64),
}

impl Interval {
    /// The interval in steps, for epochs of `epoch` steps.
    #[must_use]
    pub fn in_steps(self, epoch: u64) -> u64 {
        match self {
            Self::Steps(steps) => steps,
            Self::Epochs(epochs) => epochs.saturating_mul(epoch),
        }
    }

    /// Checks that an interval called `key` is at least one.
    ///
    /// # Errors
    /// If it is zero.
    pub const fn check(self, key: &str) -> CheckResult {
        match self {
            Self::Steps(0) => Err(CheckError::new(key).text(" is Steps(0); expected at least Steps(1)")),
            Self::Epochs(0) => Err(CheckError::new(key).text(" is Epochs(0); expected at least Epochs(1)")),
            _ => Ok(()),
        }
    }
}

/// A phase's length from its two keys; 0 means unset.
pub(crate) const fn length(steps: u64, epochs: u64) -> Option<Interval> {
    match (steps, epochs) {
        (0, 0) => None,
        (steps, 0) => Some(Interval::Steps(steps)),
        (_, epochs) => Some(Interval::Epochs(epochs)),
    }
}

/// Checks that a phase has its length in steps or in epochs, not in both, and returns the length.
pub(crate) const fn lasting(steps: u64, epochs: u64) -> CheckResult<Facts> {
    if steps > 0 && epochs > 0 {
        return Err(CheckError::new("both `steps` and `epochs` are set; expected one of them"));
    }
    Ok(Facts::NOTHING.lasting(length(steps, epochs)))
}
