//! Recall.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::class_counts::{Class as Counts, averaged};
use super::{Average, ClassCounts, Outcomes, of_classes};
use crate::config::Config;
use crate::shape::{CheckResult, Class, Logits, TokenLogits, Tokens};

averaged! {
    /// Computes the share of samples of a class that are predicted as it, `right / actual`, averaged over the classes.
    /// The recall of a class that is predicted but does not occur is 0.
    ///
    /// The predicted class is the one with the largest logit, the first of equal logits. With one logit, class 1 or the label is
    /// predicted if the logit is above 0; a target above 0.5 counts as the label. The name in logs is
    /// `recall_macro`, `recall_micro`, `recall_weighted` or, for class 1 of two, `recall`. The conventions are those of
    /// scikit-learn with `zero_division=0`. Without samples the value is NaN.
    Recall, Counts::recall, ["recall", "recall_macro", "recall_micro", "recall_weighted"]
}
