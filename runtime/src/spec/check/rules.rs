//! Checks a spec's own keys, in const evaluation.

use crate::loss::TargetKind;
use crate::model::Model;
use crate::shape::{CheckError, CheckResult, Kind, contains, same_text};
use crate::spec::{NOT_GIVEN, Spec};

/// The check result of each key of a spec.
#[derive(Clone, Copy)]
pub struct Rules {
    verdicts: [(&'static str, CheckResult); 6],
}

impl Rules {
    /// The result for one key that is set.
    ///
    /// # Errors
    /// If its check fails.
    pub const fn of(&self, key: &str) -> CheckResult {
        // The rule of the loss is for the suggested one; an explicit loss is checked by its type.
        if same_text(key, "loss") {
            return Ok(());
        }
        let mut i = 0;
        while i < self.verdicts.len() {
            let (name, verdict) = self.verdicts[i];
            if same_text(name, key) {
                return verdict;
            }
            i += 1;
        }
        Ok(())
    }

    /// The first error in the default of a key that is not set.
    ///
    /// # Errors
    /// That error.
    pub const fn of_missing(&self, given: &[&str]) -> CheckResult {
        let mut i = 0;
        while i < self.verdicts.len() {
            let (name, verdict) = self.verdicts[i];
            if verdict.is_err() && !contains(given, name) {
                return verdict;
            }
            i += 1;
        }
        Ok(())
    }

    /// The first failed check.
    ///
    /// # Errors
    /// The error of that check.
    pub const fn all(&self) -> CheckResult {
        let mut i = 0;
        while i < self.verdicts.len() {
            if self.verdicts[i].1.is_err() {
                return self.verdicts[i].1;
            }
            i += 1;
        }
        Ok(())
    }

    /// Checks the values of the keys; `None` is a key that is not set.
    pub(crate) const fn over(
        batch: Option<usize>,
        accumulate: Option<usize>,
        epochs: Option<u64>,
        steps: Option<u64>,
        suggested_loss: CheckResult,
        init: CheckResult,
    ) -> Self {
        let duration = match (epochs, steps) {
            (Some(_), Some(_)) => Err(CheckError::new(
                "steps: both `epochs` and `steps` are set; a run has one length; remove one",
            )),
            (_, steps) => at_least_one("steps", steps, "optimizer steps of the run"),
        };
        Self {
            verdicts: [
                ("batch", at_least_one("batch", wide(batch), "samples in a micro-batch")),
                (
                    "accumulate",
                    at_least_one("accumulate", wide(accumulate), "micro-batches in an optimizer step"),
                ),
                ("epochs", at_least_one("epochs", epochs, "passes over the training data")),
                ("steps", duration),
                ("loss", suggested_loss),
                ("init", init),
            ],
        }
    }
}

impl<M: Model, T: TargetKind> Spec<M, T> {
    /// Checks the spec's own keys. The checks of its optimizer, loss and so on are in their types.
    pub const fn rules(&self) -> Rules {
        Rules::over(
            Some(*self.batch),
            Some(*self.accumulate),
            given(*self.epochs),
            given(*self.steps),
            suggested_loss::<M::Output, T>(),
            self.init.check(),
        )
    }
}

/// The names of a log entry that metrics cannot use.
pub(crate) const RESERVED: [&str; 2] = ["loss", "samples"];

/// The error for a metric with the name of another logged value.
pub(crate) const fn called_alike(name: &str) -> CheckError {
    CheckError::new("two logged values would be named `").text(name).text("`; remove one")
}

/// Checks that the loss suggested by the target accepts the model's output.
const fn suggested_loss<Output: Kind, Target: TargetKind>() -> CheckResult {
    if let Some((name, shape)) = Target::SUGGESTED_FOR
        && same_text(name, Output::NAME)
        && shape.same(Output::SHAPE)
    {
        return Ok(());
    }
    // A model that returns a class is rejected elsewhere.
    if Output::SHAPE.vocabulary().is_some() {
        return Ok(());
    }
    Err(CheckError::new("loss: there is no default for a model that returns `")
        .text(Output::NAME)
        .text("` ")
        .shape(Output::SHAPE)
        .text(" and data with targets `")
        .text(Target::NAME)
        .text("`; change one of them, or add `loss: …`"))
}

/// A length, if it is set.
pub(crate) const fn given(length: u64) -> Option<u64> {
    if length == NOT_GIVEN { None } else { Some(length) }
}

const fn wide(key: Option<usize>) -> Option<u64> {
    match key {
        Some(value) => Some(value as u64),
        None => None,
    }
}

const fn at_least_one(key: &str, value: Option<u64>, meaning: &str) -> CheckResult {
    match value {
        Some(0) => Err(CheckError::new(key).text(" is 0; expected at least 1, the number of ").text(meaning)),
        _ => Ok(()),
    }
}
