//! When to save checkpoints.

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::keys::Interval;
use crate::shape::{CheckError, CheckResult};

/// Saves checkpoints during a run.
///
/// The run pauses while the state is copied in memory; a background thread writes the copy. There is only one such thread: if the
/// next checkpoint is due before the last one is on disk, the run waits for it. If writing fails, the run stops with that error, at
/// the next step or at its end. A run that is [interrupted](crate::interrupt::Interrupt) saves its state even without this key.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The interval between checkpoints, in steps or epochs; `Epochs(1)` by default.
    pub every: Interval,
    /// How many of the newest checkpoints are kept, at least 1; 3 by default. The best one by `early_stop` is kept in addition.
    pub keep: usize,
}

impl Checkpoint {
    /// No checkpoints are saved during the run.
    pub const NEVER: Self = Self { every: Interval::Steps(u64::MAX), ..Self::DEFAULT };

    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult {
        if let Err(problem) = self.every.check("every") {
            return Err(problem);
        }
        if self.keep == 0 {
            return Err(CheckError::new("keep is 0; expected at least 1, or leave `checkpoint` out"));
        }
        Ok(())
    }
}

impl Config for Checkpoint {
    const NAME: &'static str = "Checkpoint";
    const DEFAULT: Self = Self { every: Interval::Epochs(1), keep: 3 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}
