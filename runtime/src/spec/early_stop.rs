//! Early stopping.

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::keys::Monitor;
use crate::shape::{CheckError, CheckResult};

/// Stops a run when it no longer improves on the validation data.
///
/// The run stops at the `patience`-th consecutive evaluation that does not improve on the best one by more than
/// `min_delta`. The metric determines whether more or less is better. A monitored value that is not a
/// number stops the run with an error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStop {
    /// The monitored value; the validation loss by default.
    pub monitor: Monitor,
    /// The number of evaluations without improvement after which the run stops, at least 1; 5 by default.
    pub patience: u64,
    /// The minimum improvement, in units of the monitored value, 0 or more; 0 by default.
    pub min_delta: f64,
    /// Whether to restore the weights of the best evaluation at the end; true by default.
    pub restore_best: bool,
}

/// [`EarlyStop`](struct@EarlyStop) with every key at its default.
#[allow(non_upper_case_globals)]
pub const EarlyStop: EarlyStop = EarlyStop::DEFAULT;

impl EarlyStop {
    /// No early stopping: the run takes all its steps.
    pub const NEVER: Self = Self { patience: u64::MAX, ..Self::DEFAULT };

    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult {
        if self.patience == 0 {
            return Err(CheckError::new("patience is 0; expected at least 1 evaluation"));
        }
        if !(self.min_delta >= 0.0 && self.min_delta.is_finite()) {
            return Err(CheckError::new("min_delta is ").float(self.min_delta).text("; expected 0 or more"));
        }
        Ok(())
    }
}

impl Config for EarlyStop {
    const NAME: &'static str = "EarlyStop";
    const DEFAULT: Self = Self { monitor: Monitor::ValLoss, patience: 5, min_delta: 0.0, restore_best: true };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}
