//! The declared schedule of a run, and checks of its learning rates.

use serde_json::json;

use super::TrainConfig;
use crate::error::{Error, Result};
use crate::schedule::{Schedule, fault};
use crate::shape::CheckError;

impl Schedule {
    /// The declared schedule, for a run of this many steps, with `epoch` steps per epoch.
    ///
    /// # Errors
    /// As [`Schedule::new`]; if the optimizer's check fails at the largest learning rate; if the learning rate falls, but the optimizer
    /// averages the weights instead; or if `scale_lr` is set but nothing depends on `lr`.
    pub fn of(settings: &TrainConfig, steps: u64, epoch: u64) -> Result<Self> {
        let phases = || settings.schedule.iter().map(|phase| phase.boxed()).collect();
        let (declared, lr) = (settings.optimizer.lr(), settings.base_rate());
        let schedule = Self::new(phases(), lr, steps, epoch)?;
        schedule.check_largest(settings)?;
        settings.check_rising(&schedule)?;
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

    /// Checks the optimizer at the largest learning rate too, not only at the declared `lr`: for example,
    /// `lr * weight_decay` must be below 1.
    fn check_largest(&self, settings: &TrainConfig) -> Result<()> {
        let (lr, largest) = (settings.optimizer.lr(), self.largest_rate());
        let mut json = settings.optimizer.to_json();
        // An optimizer that has none of its own takes another optimizer.
        let mut place = "/lr".to_owned();
        while json.pointer(&place).is_none() && json.pointer(place.trim_end_matches("/lr")).is_some() {
            place = format!("/optimizer{place}");
        }
        let key = json.pointer_mut(&place).filter(|key| key.as_f64() == Some(lr) && largest > lr);
        let Some(key) = key else { return Ok(()) };
        *key = json!(largest);
        let judged = settings.optimizer.with(&json);
        judged
            .map(|_| ())
            .map_err(|problem| fault(at_largest(largest, lr, CheckError::new(&problem)).as_str().to_owned()))
    }
}

/// The error for `scale_lr` with a phase of this name, whose learning rates do not depend on it.
pub(crate) const fn scaled_in_vain(phase: &str) -> CheckError {
    CheckError::new("`")
        .text(phase)
        .text("` has its own learning rates, which do not depend on `lr`; scale those and remove `scale_lr`")
}

/// The error for an optimizer whose check passes for `lr`, but not for the largest learning rate of the run.
pub(crate) const fn at_largest(largest: f64, lr: f64, problem: CheckError) -> CheckError {
    CheckError::new("the largest learning rate is ")
        .float(largest)
        .text(", but `lr` is ")
        .float(lr)
        .text("; at that learning rate: ")
        .text(problem.as_str())
}
