//! The rules of a spec's own keys, in const evaluation.

use crate::loss::TargetKind;
use crate::model::Model;
use crate::shape::{CheckError, CheckResult, Kind, contains, same_text};
use crate::spec::{NOT_GIVEN, Spec};

/// A verdict for each key of a spec.
#[derive(Clone, Copy)]
pub struct Rules {
    verdicts: [(&'static str, CheckResult); 6],
}

impl Rules {
    /// The verdict on one key that is given.
    ///
    /// # Errors
    /// If its rule does not hold.
    pub const fn of(&self, key: &str) -> CheckResult {
        // The rule of the loss is about the suggested one; one that is given is judged by its type.
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

    /// The first verdict against the default of a key that is not given.
    ///
    /// # Errors
    /// That verdict.
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

    /// The first rule that does not hold.
    ///
    /// # Errors
    /// That rule.
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

    /// The rules over the values of the keys; `None` is a key that is not given.
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
                "steps: both `epochs` and `steps` are given; a run has one length, remove one",
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
    /// The rules of the spec's own keys. Those of its optimizer, loss and so on stand with their types.
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

/// What a log has beside the metrics.
pub(crate) const RESERVED: [&str; 2] = ["loss", "samples"];

/// What is said of a metric whose name something else has.
pub(crate) const fn called_alike(name: &str) -> CheckError {
    CheckError::new("two numbers of a log would be called `").text(name).text("`; remove one")
}

/// Whether the loss that the target suggests is one for what the model gives.
const fn suggested_loss<Output: Kind, Target: TargetKind>() -> CheckResult {
    if let Some((name, shape)) = Target::SUGGESTED_FOR
        && same_text(name, Output::NAME)
        && shape.same(Output::SHAPE)
    {
        return Ok(());
    }
    // A model that gives a class is refused for that.
    if Output::SHAPE.vocabulary().is_some() {
        return Ok(());
    }
    Err(CheckError::new("loss: there is no default for a model that gives `")
        .text(Output::NAME)
        .text("` ")
        .shape(Output::SHAPE)
        .text(" and data that give `")
        .text(Target::NAME)
        .text("`; change one of them, or add `loss: …`"))
}

/// A length, if it is given.
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
