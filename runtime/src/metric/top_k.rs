//! Top-k accuracy.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Outcomes, Share, of_logits};
use crate::config::Config;
use crate::keys::{Facts, Label};
use crate::shape::{CheckError, CheckResult, Class, Logits, TokenLogits, Tokens};

/// Computes the share of samples (of positions, for tokens) whose target class is among those with the `k` largest logits.
///
/// Of equal logits the first counts as the larger. The name in logs contains `k`: `top_5_accuracy`. With `k` classes or fewer
/// the value would always be 1, which is an error.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopK {
    /// The number of classes to consider, at least 1 and less than the number of classes; 5 by default.
    pub k: usize,
}

/// [`TopK`](struct@TopK) with every key at its default.
#[allow(non_upper_case_globals)]
pub const TopK: TopK = TopK::DEFAULT;

impl TopK {
    /// Checks that `k` is at least 1.
    pub const fn check(&self) -> CheckResult<Facts> {
        if self.k == 0 {
            return Err(CheckError::new("k is 0; expected at least 1"));
        }
        Ok(Facts::NOTHING.called(self.called()).more_classes_than("k", self.k))
    }

    const fn called(self) -> Label {
        Label::new("top_").number(self.k).text("_accuracy")
    }
}

impl Config for TopK {
    const NAME: &'static str = "TopK";
    const DEFAULT: Self = Self { k: 5 };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

/// Returns whether class `target` is among the `k` with the largest logits.
fn is_among(logits: &[f32], target: u32, k: usize) -> bool {
    let place = target as usize;
    let Some((before, [logit, after @ ..])) = logits.split_at_checked(place) else {
        return false;
    };
    // A prediction with a NaN logit is never correct.
    if logits.iter().any(|logit| logit.is_nan()) {
        return false;
    }
    let larger = before.iter().filter(|other| *other >= logit).count()
        + after.iter().filter(|other| *other > logit).count();
    larger < k
}

of_logits! { TopK, Share, "", {
    fn label(&self) -> Cow<'static, str> {
        self.called().as_str().to_owned().into()
    }

    fn update(&self, share: &mut Share, outcomes: &Outcomes<'_, u32>) {
        for (logits, target) in outcomes.rows() {
            share.add(is_among(logits, target, self.k));
        }
    }
} }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::AnyMetric;

    #[test]
    fn tied_logits_rank_by_class_index() {
        let logits = [1.0, 3.0, 3.0, 2.0];
        let among = |target, k| is_among(&logits, target, k);
        assert_eq!([1, 2, 3, 0].map(|class| (1..=4).find(|&k| among(class, k)).unwrap()), [1, 2, 3, 4]);
        assert!(!is_among(&logits, 4, 4) && !is_among(&[f32::NAN, 0.0], 0, 2));
        assert!(!is_among(&[f32::NAN, 0.0], 1, 2));
    }

    #[test]
    fn k_must_be_below_class_count() {
        let metric: &dyn AnyMetric<Logits<5>, Class<5>> = &TopK;
        assert_eq!(
            metric.fits().unwrap_err().as_str(),
            "TopK: k is 5; expected less than the 5 classes, or every prediction is correct"
        );
        let metric: &dyn AnyMetric<Logits<6>, Class<6>> = &TopK;
        assert!(metric.fits().is_ok());
        assert_eq!(metric.label(), "top_5_accuracy");
    }
}
