//! When to save.

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::keys::Interval;
use crate::shape::{CheckError, CheckResult};

/// Saves the state of a run while it goes on.
///
/// The run waits while the state is copied in memory; a thread writes the copy. There is never a second one: if the next is due
/// before the last is on the disk, the run waits for that. If it cannot be written, the run ends with that error, at the
/// next step or at its end. A run that is [interrupted](crate::interrupt::Interrupt) saves its state without this key, too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// After how many steps or epochs; `Epochs(1)` by default.
    pub every: Interval,
    /// How many of the newest stay, at least 1; 3 by default. The best by `early_stop` stays besides.
    pub keep: usize,
}

impl Checkpoint {
    /// Nothing is saved while the run goes on.
    pub const NEVER: Self = Self { every: Interval::Steps(u64::MAX), ..Self::DEFAULT };

    /// The ranges of the keys.
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
