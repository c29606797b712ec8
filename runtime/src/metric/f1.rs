//! F1.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::class_counts::{Class as Counts, averaged};
use super::{Average, ClassCounts, Outcomes, of_classes};
use crate::config::Config;
use crate::shape::{CheckResult, Class, Logits, TokenLogits, Tokens};

averaged! {
    /// Computes the harmonic mean of precision and recall of each class, `2 * right / (predicted + actual)`, averaged over the
    /// classes (not the harmonic mean of the averages).
    ///
    /// The predicted class is the one with the largest logit, the first of equal logits. With one logit, class 1 or the label is
    /// predicted if the logit is above 0; a target above 0.5 counts as the label. The name in logs is
    /// `f1_macro`, `f1_micro`, `f1_weighted` or, for class 1 of two, `f1`. The conventions are those of
    /// scikit-learn with `zero_division=0`. Without samples the value is NaN.
    F1, Counts::f1, ["f1", "f1_macro", "f1_micro", "f1_weighted"]
}
