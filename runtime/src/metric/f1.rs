//! F1.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::class_counts::{Class as Counts, averaged};
use super::{Average, ClassCounts, Outcomes, of_classes};
use crate::config::Config;
use crate::shape::{CheckResult, Class, Logits, TokenLogits, Tokens};

averaged! {
    /// The harmonic mean of precision and recall of a class, `2 * right / (predicted + actual)`, averaged over the classes.
    /// (Not the harmonic mean of averages.)
    ///
    /// A sample is predicted to be of the class with its largest logit; of equal logits the first. With one logit it is class 1, or
    /// the label, where the logit is above 0; a target above 0.5 is the label. In logs it is
    /// `f1_macro`, `f1_micro`, `f1_weighted` or, of class 1 of two, `f1`. The conventions are those of
    /// scikit-learn with `zero_division=0`. Over no samples it is NaN.
    F1, Counts::f1, ["f1", "f1_macro", "f1_micro", "f1_weighted"]
}
