//! Precision.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::class_counts::{Class as Counts, averaged};
use super::{Average, ClassCounts, Outcomes, of_classes};
use crate::config::Config;
use crate::shape::{CheckResult, Class, Logits, TokenLogits, Tokens};

averaged! {
    /// Computes the share of correct samples among those predicted as a class, `right / predicted`, averaged over the classes.
    /// The precision of a class that is never predicted is 0.
    ///
    /// The predicted class is the one with the largest logit, the first of equal logits. With one logit, class 1 or the label is
    /// predicted if the logit is above 0; a target above 0.5 counts as the label. The name in logs is
    /// `precision_macro`, `precision_micro`, `precision_weighted` or, for class 1 of two, `precision`. The conventions are
    /// those of scikit-learn with `zero_division=0`. Without samples the value is NaN.
    Precision, Counts::precision, ["precision", "precision_macro", "precision_micro", "precision_weighted"]
}
