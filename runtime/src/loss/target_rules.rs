//! The rules of losses for targets.

use std::fmt::{Debug, Display, Formatter};

use crate::shape::{Gaussians, Kind, Numbers, Values};

/// The rules of a loss for targets, without its types. Every sample is checked before the first step.
pub trait TargetRules: Send + Sync {
    /// [`Loss::ignored`](crate::loss::Loss::ignored)
    fn ignored(&self) -> Option<u32>;
    /// [`Loss::accepts`](crate::loss::Loss::accepts)
    ///
    /// # Errors
    /// If the loss is not defined for the target.
    fn accepts(&self, target: Numbers<'_>) -> Result<(), BadTarget>;
    /// [`Loss::counts`](crate::loss::Loss::counts)
    fn counts(&self, target: Numbers<'_>) -> bool;
    /// What the model's output holds for a target of real values; `None` if that is not known, so that the target cannot be normalized.
    fn predicted_as(&self) -> Option<PredictedAs> {
        Some(PredictedAs::Values)
    }
}

/// What an output of a model holds for a target of real values. It determines how the output is converted to the units of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PredictedAs {
    /// The values themselves: [`Values`](crate::Values).
    Values,
    /// Their means and log-variances: [`Gaussians`](crate::Gaussians).
    Gaussians,
}

impl PredictedAs {
    /// The form of an output of the kind with this name.
    pub(crate) fn of_kind(name: &str) -> Option<Self> {
        match name {
            <Values<1> as Kind>::NAME => Some(Self::Values),
            <Gaussians<1> as Kind>::NAME => Some(Self::Gaussians),
            _ => None,
        }
    }
}

/// Ignores one target, if any, and accepts all others.
pub(crate) struct Ignoring(pub(crate) Option<u32>);

impl TargetRules for Ignoring {
    fn ignored(&self) -> Option<u32> {
        self.0
    }

    fn accepts(&self, _: Numbers<'_>) -> Result<(), BadTarget> {
        Ok(())
    }

    fn counts(&self, target: Numbers<'_>) -> bool {
        match target {
            Numbers::Float(_) => true,
            Numbers::Int(targets) => targets.iter().any(|target| Some(*target) != self.0),
        }
    }
}

/// The error for a target for which the loss is not defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadTarget {
    /// `element 1 of the target is 2`
    found: String,
    expected: String,
    /// The name of the loss.
    loss: &'static str,
}

impl BadTarget {
    /// Creates an error; `found` states what is wrong: `the sum of the target is 1.8`.
    #[must_use]
    pub fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { found: found.into(), expected: expected.into(), loss: "" }
    }

    /// Checks that each element of a target is accepted.
    ///
    /// # Errors
    /// For the first element that is not.
    pub fn unless<E: Debug>(
        target: &[E],
        is_accepted: impl Fn(&E) -> bool,
        expected: &str,
    ) -> Result<(), Self> {
        match target.iter().enumerate().find(|(_, element)| !is_accepted(element)) {
            Some((place, element)) => {
                Err(Self::new(format!("element {place} of the target is {element:?}"), expected))
            }
            None => Ok(()),
        }
    }

    /// Checks that each element is a probability.
    pub(crate) fn unless_probabilities(target: &[f32]) -> Result<(), Self> {
        Self::unless(target, |probability| (0.0..=1.0).contains(probability), "a probability, from 0 to 1")
    }

    /// Sets the name of the loss that reports the error.
    pub(crate) fn of(self, loss: &'static str) -> Self {
        Self { loss, ..self }
    }
}

impl Display for BadTarget {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { found, expected, loss } = self;
        write!(f, "{found}; `{loss}` expects {expected}")
    }
}
