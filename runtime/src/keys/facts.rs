//! Static facts about a configuration, for cross-key rules.

use crate::keys::Interval;
use crate::keys::Monitor;
use crate::keys::Penalties;
use crate::keys::Takes;
use crate::shape::{CheckError, CheckResult, same_text};

/// Static facts that a `check` without errors reports to the rest of a spec.
///
/// A configuration's `check` only sees its own keys. Rules across keys of one `train!`, such as that all phases together fit
/// into the run, need facts about each value; `train!` holds constants of any type, on which the compiler can only call
/// `check`. So `check` may return `CheckResult<Facts>` instead of [`CheckResult`], built from [`Facts::NOTHING`], and an error
/// between keys is then a compile error. Facts that are not reported are never guessed: with a plain `CheckResult` the same error
/// is reported when the program starts.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use trainspec::schedule::{Clock, Interval, Phase};
/// use trainspec::{Config, Facts, CheckError, CheckResult};
///
/// /// Holds the learning rate for some steps.
/// #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
/// pub struct Rest {
///     pub steps: u64,
/// }
///
/// impl Rest {
///     pub const fn check(&self) -> CheckResult<Facts> {
///         if self.steps == 0 {
///             return Err(CheckError::new("steps is 0; expected at least 1"));
///         }
///         Ok(Facts::NOTHING.lasting(Some(Interval::Steps(self.steps))).times(1.0))
///     }
/// }
///
/// impl Config for Rest {
///     const NAME: &'static str = "Rest";
///     const DEFAULT: Self = Self { steps: 0 };
///     const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
/// }
///
/// impl Phase for Rest {
///     fn length(&self) -> Option<Interval> {
///         Some(Interval::Steps(self.steps))
///     }
///     fn rate(&self, _: u64, eta: f64, _: Clock<'_>) -> f64 {
///         eta
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// [`Config::NAME`](crate::Config::NAME); empty if not known.
    pub(crate) name: &'static str,
    pub(crate) length: Length,
    pub(crate) floor: Option<f64>,
    pub(crate) times: Option<f64>,
    pub(crate) peak: Option<f64>,
    pub(crate) watched: Option<Monitor>,
    pub(crate) rate: Option<(f64, Penalties)>,
    pub(crate) averages: bool,
    pub(crate) scaling: Option<Scaling>,
    pub(crate) scales_loss: bool,
    pub(crate) label: Option<Label>,
    /// The index of the output that a metric compares.
    pub(crate) output: usize,
    pub(crate) is_table: bool,
    pub(crate) classes: Classes,
    /// The inputs that an augmentation can change.
    pub(crate) takes: Option<Takes>,
    /// The index of its list in a tuple of lists.
    pub(crate) list: Option<usize>,
}

/// How long a phase is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    Unknown,
    /// All remaining steps.
    Rest,
    Of(Interval),
}

/// How `lr` is scaled to the samples of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scaling {
    /// Linearly, relative to this number of samples.
    Linear(u64),
    /// In another way, but unscaled at this number of samples.
    Other(u64),
}

/// A rule between a key and the number of classes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Classes {
    Any,
    /// The key, and the number that the number of classes must exceed.
    MoreThan(&'static str, usize),
    /// The key, and how many values it has.
    OneForEach(&'static str, usize),
    /// The key with its value.
    Two(&'static str),
}

impl Facts {
    /// No facts: only that the configuration itself is valid.
    pub const NOTHING: Self = Self {
        name: "",
        length: Length::Unknown,
        floor: None,
        times: None,
        peak: None,
        watched: None,
        rate: None,
        averages: false,
        scaling: None,
        scales_loss: false,
        label: None,
        output: 0,
        is_table: false,
        classes: Classes::Any,
        takes: None,
        list: None,
    };

    /// A phase has this length; `None` is all remaining steps.
    #[must_use]
    pub const fn lasting(self, length: Option<Interval>) -> Self {
        let length = match length {
            None => Length::Rest,
            Some(length) => Length::Of(length),
        };
        Self { length, ..self }
    }

    /// A phase starts at the learning rate of the phase before, or at `lr`, which must be at least this floor.
    #[must_use]
    pub const fn floor(self, floor: f64) -> Self {
        Self { floor: Some(floor), ..self }
    }

    /// A phase ends at the learning rate of the phase before, or at `lr`, times this factor.
    #[must_use]
    pub const fn times(self, factor: f64) -> Self {
        Self { times: Some(factor), ..self }
    }

    /// A phase has its own learning rates, independent of the one before it; this is the largest.
    #[must_use]
    pub const fn peak(self, rate: f64) -> Self {
        Self { peak: Some(rate), ..self }
    }

    /// A phase monitors this value of the evaluations.
    #[must_use]
    pub const fn watching(self, monitor: Monitor) -> Self {
        Self { watched: Some(monitor), ..self }
    }

    /// An optimizer has this `lr`, and penalties that must be valid for the largest learning rate of the run.
    #[must_use]
    pub const fn rate(self, lr: f64, penalties: Penalties) -> Self {
        Self { rate: Some((lr, penalties)), ..self }
    }

    /// An optimizer averages the weights itself, instead of letting the learning rate fall.
    #[must_use]
    pub const fn averaging(self) -> Self {
        Self { averages: true, ..self }
    }

    /// A `scale_lr` leaves `lr` unchanged for steps of `base_batch` samples; with `linear` it scales proportionally.
    #[must_use]
    pub const fn scaling(self, base_batch: u64, linear: bool) -> Self {
        let scaling = if linear { Scaling::Linear(base_batch) } else { Scaling::Other(base_batch) };
        Self { scaling: Some(scaling), ..self }
    }

    /// A precision scales the loss, and skips steps whose gradients are not finite.
    #[must_use]
    pub const fn scaling_loss(self) -> Self {
        Self { scales_loss: true, ..self }
    }

    /// A metric has this name in logs.
    #[must_use]
    pub const fn called(self, label: Label) -> Self {
        Self { label: Some(label), ..self }
    }

    /// The number of classes must exceed the `number` of this key.
    #[must_use]
    pub const fn more_classes_than(self, key: &'static str, number: usize) -> Self {
        Self { classes: Classes::MoreThan(key, number), ..self }
    }

    /// This key has `count` values: none, or one for each class.
    #[must_use]
    pub const fn one_for_each_class(self, key: &'static str, count: usize) -> Self {
        Self { classes: Classes::OneForEach(key, count), ..self }
    }

    /// There must be two classes, or one label; `key` states why, such as `average is Binary`.
    #[must_use]
    pub const fn two_classes(self, key: &'static str) -> Self {
        Self { classes: Classes::Two(key), ..self }
    }

    /// Checks a key against the number of classes, which are called `what`: `classes`, `tokens`.
    ///
    /// # Errors
    /// If there are too few, or not as many as the key has values.
    pub const fn fits(&self, classes: usize, what: &str) -> CheckResult {
        match self.classes {
            Classes::MoreThan(key, number) if number >= classes => Err(CheckError::new(key)
                .text(" is ")
                .number(number)
                .text("; expected less than the ")
                .number(classes)
                .text(" ")
                .text(what)
                .text(", or every prediction is correct")),
            Classes::OneForEach(key, count) if count != 0 && count != classes => Err(CheckError::new(key)
                .text(" has ")
                .number(count)
                .text(" values, but there are ")
                .number(classes)
                .text(" ")
                .text(what)
                .text("; expected one for each")),
            Classes::Two(key) if same_text(what, "labels") && classes != 1 => Err(CheckError::new(key)
                .text(", but there are ")
                .number(classes)
                .text(" labels; expected `Average::Macro`, `Average::Micro` or `Average::Weighted`, or a model of 1 label")),
            // One logit distinguishes two classes.
            Classes::Two(_) if classes == 1 && (same_text(what, "labels") || same_text(what, "logits")) => {
                Ok(())
            }
            Classes::Two(key) if classes != 2 => Err(CheckError::new(key)
                .text(", but there are ")
                .number(classes)
                .text(" ")
                .text(what)
                .text("; expected `Average::Macro`, `Average::Micro` or `Average::Weighted`, or a model of 2 classes")),
            _ => Ok(()),
        }
    }
}

/// A metric's name in logs, as a constant: `Label::new("top_").number(5).text("_accuracy")`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Label(CheckError);

impl Label {
    /// Starts a name.
    #[must_use]
    pub const fn new(text: &str) -> Self {
        Self(CheckError::new(text))
    }

    /// Appends text.
    #[must_use]
    pub const fn text(self, text: &str) -> Self {
        Self(self.0.text(text))
    }

    /// Appends an integer.
    #[must_use]
    pub const fn number(self, number: usize) -> Self {
        Self(self.0.number(number))
    }

    /// The name.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_count_is_checked() {
        let said =
            |known: Facts, classes| known.fits(classes, "classes").map_err(|problem| problem.to_string());
        assert_eq!(said(Facts::NOTHING, 1), Ok(()));
        assert_eq!(said(Facts::NOTHING.one_for_each_class("weights", 0), 3), Ok(()));
        assert_eq!(said(Facts::NOTHING.one_for_each_class("weights", 3), 3), Ok(()));
        assert_eq!(
            said(Facts::NOTHING.one_for_each_class("weights", 2), 3),
            Err("weights has 2 values, but there are 3 classes; expected one for each".to_owned())
        );
        assert_eq!(said(Facts::NOTHING.more_classes_than("k", 2), 3), Ok(()));
        assert!(said(Facts::NOTHING.more_classes_than("k", 3), 3).is_err());
        assert_eq!(said(Facts::NOTHING.two_classes("average is Binary"), 2), Ok(()));
        assert!(said(Facts::NOTHING.two_classes("average is Binary"), 3).is_err());
        let binary = Facts::NOTHING.two_classes("average is Binary");
        assert!(binary.fits(1, "logits").is_ok() && binary.fits(1, "labels").is_ok());
        assert!(binary.fits(1, "classes").is_err() && binary.fits(2, "labels").is_err());
    }

    #[test]
    fn label_contains_numbers() {
        assert_eq!(Label::new("top_").number(5).text("_accuracy").as_str(), "top_5_accuracy");
    }
}
