//! Checks a spec's own keys, in const evaluation.

use crate::loss::TargetKinds;
use crate::model::Model;
use crate::shape::{CheckError, CheckResult, Kinds, contains, same_text};
use crate::spec::{NOT_GIVEN, Spec};

/// The check result of each key of a spec.
#[derive(Clone, Copy)]
pub struct Rules {
    verdicts: [(&'static str, CheckResult); 7],
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
        loss_weights: CheckResult,
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
                ("loss_weights", loss_weights),
            ],
        }
    }
}

impl<M: Model, T: TargetKinds> Spec<M, T> {
    /// Checks the spec's own keys. The checks of its optimizer, loss and so on are in their types.
    pub const fn rules(&self) -> Rules {
        Rules::over(
            Some(*self.batch),
            Some(*self.accumulate),
            given(*self.epochs),
            given(*self.steps),
            suggested_losses::<M::Output, T>(),
            self.init.check(),
            declared_weights(self.loss_weights, <M::Output as Kinds>::NAMES.len()),
        )
    }
}

/// The names of a log entry that metrics cannot use.
pub(crate) const RESERVED: [&str; 2] = ["loss", "samples"];

/// The error for a metric with the name of another logged value.
pub(crate) const fn called_alike(name: &str) -> CheckError {
    CheckError::new("two logged values would be named `").text(name).text("`; remove one")
}

/// Checks that the losses suggested by the targets accept the model's outputs.
const fn suggested_losses<Outputs: Kinds, Targets: TargetKinds>() -> CheckResult {
    let (outputs, targets) = (Outputs::NAMES, Targets::NAMES);
    if outputs.len() != targets.len() {
        return Err(counts(CheckError::new("loss: "), outputs.len(), targets.len()));
    }
    let mut i = 0;
    while i < outputs.len() {
        let suggested = match Targets::SUGGESTED_FOR[i] {
            Some((name, shape)) => same_text(name, outputs[i]) && shape.same(Outputs::SHAPES[i]),
            None => false,
        };
        // A model that returns a class is rejected elsewhere.
        if !suggested && Outputs::SHAPES[i].vocabulary().is_none() {
            return Err(CheckError::new("loss: there is no default for a model that returns `")
                .text(outputs[i])
                .text("` ")
                .shape(Outputs::SHAPES[i])
                .text(" and data with targets `")
                .text(targets[i])
                .text("`; change one of them, or add `loss: …`"));
        }
        i += 1;
    }
    Ok(())
}

/// The error for data with another number of targets than the model has outputs.
pub(super) const fn counts(problem: CheckError, outputs: usize, targets: usize) -> CheckError {
    problem
        .text("the model has ")
        .number(outputs)
        .text(if outputs == 1 { " output, but the data have " } else { " outputs, but the data have " })
        .number(targets)
        .text(if targets == 1 { " target" } else { " targets" })
        .text("; expected one for each output")
}

/// Checks weights that are set.
const fn declared_weights(weights: &[&f64], outputs: usize) -> CheckResult {
    if weights.is_empty() {
        return Ok(());
    }
    if outputs == 1 {
        return Err(CheckError::new(
            "loss_weights: the model has one output, whose loss needs no weight; remove the key",
        ));
    }
    check_weights(weights, outputs)
}

/// Checks that there is a weight for each output, that all are numbers of at least 0, and that one is above 0.
pub(crate) const fn check_weights(weights: &[&f64], outputs: usize) -> CheckResult {
    let problem = CheckError::new("loss_weights");
    if weights.len() != outputs {
        return Err(problem
            .text(" has ")
            .number(weights.len())
            .text(if weights.len() == 1 {
                " number, but the model has "
            } else {
                " numbers, but the model has "
            })
            .number(outputs)
            .text(" outputs; expected one for each"));
    }
    let (mut i, mut counts) = (0, false);
    while i < weights.len() {
        let weight = *weights[i];
        if !(weight >= 0.0 && weight <= f32::MAX as f64) {
            return Err(problem.text(" has ").float(weight).text("; expected a finite number, at least 0"));
        }
        counts = counts || weight as f32 > 0.0;
        i += 1;
    }
    if counts { Ok(()) } else { Err(problem.text(" are all 0; expected one above 0")) }
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
