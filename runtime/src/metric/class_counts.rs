//! The counts from which precision, recall and F1 are computed.

use serde::{Deserialize, Serialize};

use super::accuracy::predicted_class;
use super::{Outcomes, State};
use crate::keys::{Facts, Label};

/// Selects how the values of the classes are averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Average {
    /// Averages over the classes with equal weights. A class that is neither among the targets nor predicted is left out; for
    /// `Labels<N>` every label counts, and one that occurs nowhere has the value 0.
    Macro,
    /// Sums the counts over the classes first, so every sample counts the same. If each sample has one class, precision, recall
    /// and F1 then equal the accuracy, unless a sample has no predicted class.
    Micro,
    /// Averages over the classes, weighted by the samples of each class.
    Weighted,
    /// Uses the value of class 1 only, the positive class of two; with one label, the value of that label.
    Binary,
}

impl Average {
    /// Returns the requirement of two classes of [`Average::Binary`], and the name.
    pub(super) const fn known(self, labels: [&'static str; 4]) -> Facts {
        let known = Facts::NOTHING.called(Label::new(self.label(labels)));
        if matches!(self, Self::Binary) { known.two_classes("average is Binary") } else { known }
    }

    /// Returns a metric's name in logs with this average, as in scikit-learn.
    pub(super) const fn label(self, names: [&'static str; 4]) -> &'static str {
        let [binary, of_macro, micro, weighted] = names;
        match self {
            Self::Macro => of_macro,
            Self::Micro => micro,
            Self::Weighted => weighted,
            Self::Binary => binary,
        }
    }
}

/// Counts how often each class occurred, was predicted, and was predicted correctly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassCounts {
    /// The counts by class; empty before the first sample.
    classes: Vec<Class>,
}

/// The counts of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Class {
    /// Samples of the class that were predicted as it.
    pub(super) right: u64,
    /// Samples that were predicted as the class.
    pub(super) predicted: u64,
    /// Samples of the class.
    pub(super) actual: u64,
}

impl Class {
    /// Returns the precision; 0 for a class that was never predicted.
    pub(super) fn precision(self) -> f64 {
        share(self.right, self.predicted)
    }

    /// Returns the recall; 0 for a class that does not occur.
    pub(super) fn recall(self) -> f64 {
        share(self.right, self.actual)
    }

    /// Returns `2 * right / (predicted + actual)`, the harmonic mean of precision and recall.
    pub(super) fn f1(self) -> f64 {
        share(2 * self.right, self.predicted + self.actual)
    }

    /// Returns the intersection over the union.
    pub(super) fn iou(self) -> f64 {
        share(self.right, self.predicted + self.actual - self.right)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl ClassCounts {
    pub(super) fn update(&mut self, outcomes: &Outcomes<'_, u32>) {
        self.grow(outcomes.classes());
        for (logits, target) in outcomes.rows() {
            let predicted = predicted_class(logits);
            if let Some(class) = self.classes.get_mut(target as usize) {
                class.actual += 1;
                class.right += u64::from(predicted == Some(target));
            }
            if let Some(class) = predicted.and_then(|class| self.classes.get_mut(class as usize)) {
                class.predicted += 1;
            }
        }
    }

    /// Returns the counts of each class.
    pub(super) fn classes(&self) -> &[Class] {
        &self.classes
    }

    fn grow(&mut self, classes: usize) {
        if self.classes.len() < classes {
            self.classes.resize(classes, Class::default());
        }
    }

    /// Returns the average of `value` over the classes; NaN without samples.
    pub(super) fn average(&self, average: Average, value: fn(Class) -> f64) -> f64 {
        let total = self.classes.iter().fold(Class::default(), |sum, class| Class {
            right: sum.right + class.right,
            predicted: sum.predicted + class.predicted,
            actual: sum.actual + class.actual,
        });
        if total.actual + total.predicted == 0 {
            return f64::NAN;
        }
        match average {
            Average::Micro => value(total),
            Average::Binary => self.classes.get(1).map_or(0.0, |&class| value(class)),
            Average::Weighted => {
                let sum: f64 = self.classes.iter().map(|&class| class.actual as f64 * value(class)).sum();
                sum / total.actual as f64
            }
            Average::Macro => {
                let present = || self.classes.iter().filter(|class| class.predicted + class.actual > 0);
                present().map(|&class| value(class)).sum::<f64>() / present().count() as f64
            }
        }
    }
}

impl State for ClassCounts {
    fn merge(&mut self, other: &Self) {
        self.grow(other.classes.len());
        for (class, other) in self.classes.iter_mut().zip(&other.classes) {
            class.right += other.right;
            class.predicted += other.predicted;
            class.actual += other.actual;
        }
    }

    /// Returns the accuracy.
    fn value(&self) -> f64 {
        self.average(Average::Micro, Class::recall)
    }

    fn clear(&mut self) {
        self.classes.fill(Class::default());
    }
}

/// Defines a metric of [`ClassCounts`] with the key `average`.
macro_rules! averaged {
    ($(#[$docs:meta])* $name:ident, $value:path, $labels:expr) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// How the values of the classes are averaged; [`Average::Macro`] by default.
            pub average: Average,
        }

        #[doc = concat!("[`", stringify!($name), "`](struct@", stringify!($name), ") with every key at its default.")]
        #[allow(non_upper_case_globals)]
        pub const $name: $name = $name::DEFAULT;

        impl $name {
            /// Accepts every value; the number of classes is checked later.
            pub const fn check(&self) -> CheckResult<$crate::keys::Facts> {
                Ok(self.average.known($labels))
            }
        }

        impl Config for $name {
            const NAME: &'static str = stringify!($name);
            const DEFAULT: Self = Self { average: Average::Macro };
            const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
        }

        of_classes! { $name, ClassCounts, "", {
            fn label(&self) -> Cow<'static, str> {
                self.average.label($labels).into()
            }

            fn update(&self, counts: &mut ClassCounts, outcomes: &Outcomes<'_, u32>) {
                counts.update(outcomes);
            }

            fn value(&self, counts: &ClassCounts) -> f64 {
                counts.average(self.average, $value)
            }
        } }

        impl<const N: usize> $crate::metric::Metric<Logits<N>, $crate::shape::Labels<N>> for $name {
            type State = $crate::metric::LabelCounts;
            const LABEL: &'static str = "";
            const DIRECTION: $crate::metric::Direction = $crate::metric::Direction::Higher;
            const DEFINED_BY_TARGETS: bool = true;

            fn label(&self) -> Cow<'static, str> {
                self.average.label($labels).into()
            }

            fn fits(&self) -> CheckResult {
                self.check()?.fits(N, "labels")
            }

            fn update(&self, counts: &mut $crate::metric::LabelCounts, outcomes: &Outcomes<'_, f32>) {
                counts.update(outcomes);
            }

            fn value(&self, counts: &$crate::metric::LabelCounts) -> f64 {
                counts.average(self.average, $value)
            }
        }
    };
}
pub(super) use averaged;
