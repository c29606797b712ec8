//! Precision.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::class_counts::{Class as Counts, averaged};
use super::{Average, ClassCounts, Outcomes, of_classes};
use crate::config::Config;
use crate::shape::{CheckResult, Class, Logits, TokenLogits, Tokens};

averaged! {
    /// Of the samples that are predicted to be of a class, the share that is: `right / predicted`, averaged over the
    /// classes. That of a class which is never predicted is 0.
    ///
    /// A sample is predicted to be of the class with its largest logit; of equal logits the first. With one logit it is class 1, or
    /// the label, where the logit is above 0; a target above 0.5 is the label. In logs it is
    /// `precision_macro`, `precision_micro`, `precision_weighted` or, of class 1 of two, `precision`. The conventions are those of
    /// scikit-learn with `zero_division=0`. Over no samples it is NaN.
    Precision, Counts::precision, ["precision", "precision_macro", "precision_micro", "precision_weighted"]
}
