//! Intersection over union.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::class_counts::{Class as Counts, averaged};
use super::{Average, ClassCounts, Outcomes, of_classes};
use crate::config::Config;
use crate::shape::{CheckResult, Class, Logits, TokenLogits, Tokens};

averaged! {
    /// Computes the intersection over the union of each class, `right / (predicted + actual - right)`, averaged over the classes: the
    /// Jaccard index.
    ///
    /// The counts are those over all samples, positions and pixels, not a mean over samples. The predicted class is the one with the
    /// largest logit, the first of equal logits. With one logit, class 1 or the label is predicted if the logit is above 0; a target
    /// above 0.5 counts as the label. The name in logs is `iou_macro`, `iou_micro`, `iou_weighted` or, for class 1 of two, `iou`. The
    /// conventions are those of scikit-learn's `jaccard_score` with `zero_division=0`. Without samples the value is NaN.
    Iou, Counts::iou, ["iou", "iou_macro", "iou_micro", "iou_weighted"]
}
