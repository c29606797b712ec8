//! The schedule of a run as it is declared, and what its rates must be good for.

use serde_json::json;

use super::TrainConfig;
use crate::error::{Error, Result};
use crate::schedule::{Schedule, fault};
use crate::shape::CheckError;

impl Schedule {
    /// The schedule that the settings declare, for a run of so many steps, of which an epoch has `epoch`.
    ///
    /// # Errors
    /// As [`Schedule::new`]; if the optimizer's rules do not hold at the largest rate; or if `scale_lr` is given
    /// but nothing depends on `lr`.
    pub fn of(settings: &TrainConfig, steps: u64, epoch: u64) -> Result<Self> {
        let phases = || settings.schedule.iter().map(|phase| phase.boxed()).collect();
        let (declared, lr) = (settings.optimizer.lr(), settings.base_rate());
        let schedule = Self::new(phases(), lr, steps, epoch)?;
        schedule.check_largest(settings)?;
        if lr.to_bits() != declared.to_bits()
            && let (Some(first), Ok(unscaled)) =
                (settings.schedule.first(), Self::new(phases(), declared, steps, epoch))
            && unscaled.rate(0).to_bits() == schedule.rate(0).to_bits()
        {
            let problem = scaled_in_vain(first.name()).as_str().to_owned();
            return Err(Error::Setting { key: "scale_lr".to_owned(), problem });
        }
        Ok(schedule)
    }

    /// The optimizer judges its keys for the declared `lr`; what it says of a rate must hold for the largest as
    /// well, such as that `lr * weight_decay` is below 1.
    fn check_largest(&self, settings: &TrainConfig) -> Result<()> {
        let (lr, largest) = (settings.optimizer.lr(), self.largest_rate());
        let mut json = settings.optimizer.to_json();
        let key = json.get_mut("lr").filter(|key| key.as_f64() == Some(lr) && largest > lr);
        let Some(key) = key else { return Ok(()) };
        *key = json!(largest);
        let judged = settings.optimizer.with(&json);
        judged
            .map(|_| ())
            .map_err(|problem| fault(at_largest(largest, lr, CheckError::new(&problem)).as_str().to_owned()))
    }
}

/// What is said of `scale_lr` before a phase of this name, whose rates do not depend on it.
pub(crate) const fn scaled_in_vain(phase: &str) -> CheckError {
    CheckError::new("`")
        .text(phase)
        .text("` has rates of its own, which do not depend on `lr`; scale those and remove `scale_lr`")
}

/// What is said of an optimizer whose rules hold for `lr`, but not for the largest rate of the run.
pub(crate) const fn at_largest(largest: f64, lr: f64, problem: CheckError) -> CheckError {
    CheckError::new("the largest rate is ")
        .float(largest)
        .text(", while `lr` is ")
        .float(lr)
        .text("; with that rate: ")
        .text(problem.as_str())
}
