//! Rules for an optimizer that averages the weights itself: what it does not go with.

use super::TrainConfig;
use crate::error::{Error, Result};
use crate::schedule::Schedule;
use crate::shape::CheckError;

/// The error for `ema` with such an optimizer.
pub(crate) const fn second_average(optimizer: &str) -> CheckError {
    CheckError::new("`")
        .text(optimizer)
        .text("` averages the weights itself, and evaluations use its average; remove the key")
}

/// The error for `constrain` with such an optimizer.
pub(crate) const fn constrained_average(optimizer: &str) -> CheckError {
    CheckError::new("`").text(optimizer).text(
        "` evaluates an average of the weights, which a constraint on the weights would not bound; remove the key, or use another optimizer, \
         such as `AdamW`",
    )
}

/// The error for a phase whose learning rate falls, with such an optimizer.
pub(crate) const fn falling_rate(optimizer: &str, phase: &str) -> CheckError {
    CheckError::new("the learning rate of `").text(phase).text("` falls, but `").text(optimizer).text(
        "` averages the weights instead; expected `Constant`, or `[Warmup { steps: … }, Constant]`, or another optimizer, such as `AdamW`",
    )
}

/// The most steps of a phase that are looked at one by one, and over its length.
const LOOKS: u64 = 1000;

impl TrainConfig {
    /// Checks that the learning rate does not fall, if the optimizer averages the weights. The steps of long phases are sampled.
    pub(super) fn check_rising(&self, schedule: &Schedule) -> Result<()> {
        if self.optimizer.average().is_none() {
            return Ok(());
        }
        let mut before = 0.0;
        for (place, span) in schedule.spans().into_iter().enumerate() {
            let (first, last) = (span.first.saturating_sub(1), span.last.saturating_sub(1));
            let stride = ((last - first.min(last)) / LOOKS).max(1);
            let near = first..last.min(first.saturating_add(LOOKS));
            let far = (0..=LOOKS).map(|look| first.saturating_add(look.saturating_mul(stride)));
            let far = far.filter(|&k| k > first.saturating_add(LOOKS) && k < last);
            for k in near.chain(far).chain([last]) {
                let rate = schedule.rate(k);
                if rate < before || span.listens {
                    let problem = falling_rate(self.optimizer.name(), span.name).as_str().to_owned();
                    return Err(Error::Setting { key: format!("schedule.{place}"), problem });
                }
                before = rate;
            }
        }
        Ok(())
    }
}
