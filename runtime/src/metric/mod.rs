//! Metrics: what is reported of a model beside its loss.
//!
//! | metric | label | model gives | data give | better |
//! | --- | --- | --- | --- | --- |
//! | [`Accuracy`](struct@Accuracy) | `accuracy` | `Logits`, `TokenLogits` | `Class`, `Labels`, `Tokens` | higher |
//! | [`TopK`](struct@TopK) | `top_5_accuracy` | `Logits`, `TokenLogits` | `Class`, `Tokens` | higher |
//! | [`Precision`](struct@Precision) | `precision_macro` | `Logits`, `TokenLogits` | `Class`, `Labels`, `Tokens` | higher |
//! | [`Recall`](struct@Recall) | `recall_macro` | `Logits`, `TokenLogits` | `Class`, `Labels`, `Tokens` | higher |
//! | [`F1`](struct@F1) | `f1_macro` | `Logits`, `TokenLogits` | `Class`, `Labels`, `Tokens` | higher |
//! | [`ConfusionMatrix`](struct@ConfusionMatrix) | `confusion_matrix` | `Logits` | `Class` | a table |
//! | [`Auroc`](struct@Auroc) | `auroc` | `Logits` | `Class`, `Labels` | higher |
//! | [`Perplexity`](struct@Perplexity) | `perplexity` | `TokenLogits` | `Tokens` | lower |
//! | [`R2`](struct@R2) | `r2` | `Values` | `Values` | higher |
//! | [`MeanAbsoluteError`](struct@crate::loss::MeanAbsoluteError) | `mean_absolute_error` | `Values` | `Values` | lower |
//! | [`MeanSquaredError`](struct@crate::loss::MeanSquaredError) | `mean_squared_error` | `Values` | `Values` | lower |
//! | [`RootMeanSquaredError`](struct@RootMeanSquaredError) | `root_mean_squared_error` | `Values` | `Values` | lower |
//!
//! Each is measured on the training samples on their way through an epoch, on the validation and on the test samples.
//! It goes over the samples once and gathers a [`State`], from which its value is made at the end: so batches of
//! unequal size count for what they hold, and what no mean of batches is (an F1, an area, a root) is right as well. A
//! value that is not defined is NaN, which shows as `-`, and as `null` in JSON.
//!
//! With `Logits<1>` for `Class<2>`, and for each of `Labels<N>`, the threshold is a logit of 0, which is a probability of 0.5.
//!
//! # Predictions that are NaN
//! One rule: NaN among the numbers of a prediction is no answer. Metrics that count answers (`Accuracy`, `TopK`, `Precision`,
//! `Recall`, `F1`, `ConfusionMatrix`) predict no class for it, so it is never right; metrics that compute with the numbers (`Auroc`,
//! `Perplexity`, `R2` and the errors) are NaN.
//!
//! # Labels that are ignored
//! Labels that the loss [ignores](crate::loss::Loss::ignored) are left out, as they are of the loss.
//!
//! # A metric of your own
//! A mean over samples needs one function:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use trainspec::metric::{Direction, Mean, Metric, Outcomes};
//! use trainspec::{Config, Values, CheckResult};
//!
//! /// How far off the worst value of a sample is, averaged over the samples.
//! #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
//! pub struct WorstValue {}
//!
//! impl WorstValue {
//!     pub const fn check(&self) -> CheckResult {
//!         Ok(())
//!     }
//! }
//!
//! impl Config for WorstValue {
//!     const NAME: &'static str = "WorstValue";
//!     const DEFAULT: Self = Self {};
//!     const CHECK: fn(&Self) -> CheckResult = Self::check;
//! }
//!
//! impl<const N: usize> Metric<Values<N>, Values<N>> for WorstValue {
//!     type State = Mean;
//!     const LABEL: &'static str = "worst_value";
//!     const DIRECTION: Direction = Direction::Lower;
//!
//!     fn update(&self, mean: &mut Mean, outcomes: &Outcomes<'_, f32>) {
//!         for (prediction, target) in outcomes.samples() {
//!             let distances = prediction.iter().zip(target).map(|(p, t)| (p - t).abs());
//!             // `f32::max` would pass over NaN.
//!             let worst = distances.fold(0.0, |worst: f32, d| if d > worst || d.is_nan() { d } else { worst });
//!             mean.add(f64::from(worst));
//!         }
//!     }
//! }
//! ```
//!
//! With a [`State`] of its own a metric gathers whatever it needs.
//!
//! In `train!` it is written `WorstValue {}`. A bare name, as `Accuracy` has, is a constant of the same name beside the type:
//!
//! ```
//! # use serde::{Deserialize, Serialize};
//! # use trainspec::metric::{Direction, Mean, Metric, Outcomes};
//! # use trainspec::{Config, CheckResult};
//! use trainspec::data::InMemory;
//! use trainspec::prelude::*;
//!
//! # #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
//! # pub struct WorstValue {}
//! # impl WorstValue {
//! #     pub const fn check(&self) -> CheckResult {
//! #         Ok(())
//! #     }
//! # }
//! # impl Config for WorstValue {
//! #     const NAME: &'static str = "WorstValue";
//! #     const DEFAULT: Self = Self {};
//! #     const CHECK: fn(&Self) -> CheckResult = Self::check;
//! # }
//! # impl<const N: usize> Metric<Values<N>, Values<N>> for WorstValue {
//! #     type State = Mean;
//! #     const LABEL: &'static str = "worst_value";
//! #     const DIRECTION: Direction = Direction::Lower;
//! #     fn update(&self, _: &mut Mean, _: &Outcomes<'_, f32>) {}
//! # }
//! /// [`WorstValue`](struct@WorstValue) with every key at its default.
//! #[allow(non_upper_case_globals)]
//! pub const WorstValue: WorstValue = WorstValue::DEFAULT;
//!
//! #[model]
//! fn Line(x: Features<1>) -> Values<1> {
//!     x.linear(out = 1)
//! }
//!
//! train! {
//!     Fit {
//!         model: Line,
//!         data: InMemory::<Features<1>, Values<1>>::new(vec![0.0; 20], vec![0.0; 20]),
//!         metrics: [WorstValue],
//!     }
//! }
//! # assert_eq!(Fit::experiment().settings()?.metrics.len(), 1);
//! # Ok::<(), trainspec::Error>(())
//! ```

mod accumulator;
mod accuracy;
mod auroc;
mod class_counts;
mod confusion_matrix;
mod f1;
mod label_counts;
mod label_scores;
mod mean_absolute_error;
mod mean_squared_error;
mod outcomes;
mod perplexity;
mod precision;
mod r2;
mod recall;
mod root_mean_squared_error;
mod state;
mod top_k;

pub use accumulator::Accumulator;
pub use accuracy::Accuracy;
pub use auroc::{Auroc, Scores};
pub use class_counts::{Average, ClassCounts};
pub use confusion_matrix::{Confusion, ConfusionMatrix};
pub use f1::F1;
pub use label_counts::LabelCounts;
pub use label_scores::LabelScores;
pub use outcomes::Outcomes;
pub use perplexity::{NegativeLogLikelihood, Perplexity};
pub use precision::Precision;
pub use r2::{R2, Residuals};
pub use recall::Recall;
pub use root_mean_squared_error::{RootMeanSquaredError, SquaredDistance};
pub use state::{Mean, Share, State, number};
pub use top_k::TopK;

use std::borrow::Cow;

use crate::config::{Config, Setting, with_changes};
use crate::shape::{CheckResult, Kind};

/// Which way a metric improves. It belongs to the metric's type, never to its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Larger is better.
    Higher,
    /// Smaller is better.
    Lower,
}

/// A metric of a model that gives `Output` on data that give `Target`.
pub trait Metric<Output: Kind, Target: Kind>: Config {
    /// What it gathers: [`Mean`] and [`Share`] are there for the simple ones.
    type State: State + Sync;
    /// The metric's name in logs: `accuracy`. Empty if it depends on the keys; then [`Metric::label`] tells it, and
    /// [`Facts::called`](crate::Facts::called) to the compiler.
    const LABEL: &'static str;
    /// Whether it is a [table](Metric::table), which nothing can watch; false by default.
    const IS_TABLE: bool = false;
    /// Which way it improves.
    const DIRECTION: Direction;
    /// Whether the targets alone decide if the metric is defined on some samples, as those of one class leave
    /// [`Auroc`](struct@Auroc) without a pair, whatever the predictions, as long as these are numbers. A run that monitors such a
    /// metric is refused before its first step if its validation samples leave it undefined. False by default.
    const DEFINED_BY_TARGETS: bool = false;

    /// The name in logs where it depends on the keys: `top_3_accuracy`. [`Metric::LABEL`] by default.
    fn label(&self) -> Cow<'static, str> {
        Self::LABEL.into()
    }

    /// The rule of these keys with these kinds, such as `k` with the number of classes; told when the program starts.
    ///
    /// # Errors
    /// If the rule does not hold.
    fn fits(&self) -> CheckResult {
        Ok(())
    }

    /// Takes in a batch. Samples are to count one by one, so that it does not show how they were cut into batches.
    fn update(&self, state: &mut Self::State, outcomes: &Outcomes<'_, Target::Element>);

    /// The metric over all samples so far; NaN if it is not defined on them. [`State::value`] by default.
    fn value(&self, state: &Self::State) -> f64 {
        state.value()
    }

    /// The counts by classes, for a metric that is a table instead of a number.
    fn table<'a>(&self, state: &'a Self::State) -> Option<&'a Confusion> {
        let _ = state;
        None
    }
}

/// A metric of any type, for one model and one kind of target.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not measure `{Output}` against `{Target}`",
    label = "this metric does not fit what the model gives and the data expect",
    note = "`Accuracy`, `Precision`, `Recall` and `F1` are for `Logits<C>` with `Class<C>`, `Logits<1>` with `Class<2>`, `Logits<N>` \
            with `Labels<N>`, and `TokenLogits<V>`; `Auroc` for the same but tokens; `TopK` for `Logits<C>` with `Class<C>`, and \
            `TokenLogits<V>`; `ConfusionMatrix` for `Logits<C>` with `Class<C>`, and `Logits<1>` with `Class<2>`",
    note = "`Perplexity` is for `TokenLogits<V>`; `MeanAbsoluteError`, `MeanSquaredError`, `RootMeanSquaredError` and `R2` for \
            `Values<N>`"
)]
pub trait AnyMetric<Output, Target>: Setting {
    /// [`Metric::label`]
    fn label(&self) -> &'static str;
    /// [`Metric::DIRECTION`]
    fn direction(&self) -> Direction;
    /// [`Metric::DEFINED_BY_TARGETS`]
    fn is_defined_by_targets(&self) -> bool;
    /// [`Metric::fits`]
    ///
    /// # Errors
    /// If the rule does not hold.
    fn fits(&self) -> CheckResult;
    /// The metric before the first sample.
    fn start(&self) -> Box<dyn Accumulator>;
    /// A copy.
    fn boxed(&self) -> Box<dyn AnyMetric<Output, Target>>;
    /// The same metric with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnyMetric<Output, Target>>, String>;
}

#[diagnostic::do_not_recommend]
impl<Output: Kind, Target: Kind, M: Metric<Output, Target>> AnyMetric<Output, Target> for M {
    fn label(&self) -> &'static str {
        accumulator::lasting(Metric::label(self))
    }

    fn direction(&self) -> Direction {
        M::DIRECTION
    }

    fn is_defined_by_targets(&self) -> bool {
        M::DEFINED_BY_TARGETS
    }

    fn fits(&self) -> CheckResult {
        Metric::fits(self).map_err(|problem| problem.of(M::NAME))
    }

    fn start(&self) -> Box<dyn Accumulator> {
        Box::new(accumulator::Gathered::new(*self))
    }

    with_changes!(dyn AnyMetric<Output, Target>);
}

/// Implements [`Config`] for a metric without rules of its own, and the constant of its name.
macro_rules! keyless {
    ($name:ident) => {
        #[doc = concat!("[`", stringify!($name), "`](struct@", stringify!($name), ") with every key at its default.")]
        #[allow(non_upper_case_globals)]
        pub const $name: $name = $name::DEFAULT;

        impl $name {
            /// There is nothing to check.
            pub const fn check(&self) -> $crate::shape::CheckResult<$crate::keys::Facts> {
                Ok($crate::keys::Facts::NOTHING)
            }
        }

        impl $crate::config::Config for $name {
            const NAME: &'static str = stringify!($name);
            const DEFAULT: Self = Self {};
            const CHECK: fn(&Self) -> $crate::shape::CheckResult = |this| this.check().map(|_| ());
        }
    };
}
use keyless;

/// Implements [`Metric`] for what gives classes, one a sample or one a place, or one of two by a single logit.
macro_rules! of_classes {
    ($metric:ty, $state:ty, $label:literal, { $($body:tt)* }) => {
        $crate::metric::of_logits! { $metric, $state, $label, { $($body)* } }
        $crate::metric::of_logits! { @ <> Logits<1>, Class<2>; 2, "classes"; $metric, $state, $label, { $($body)* } }
    };
}
use of_classes;

/// Implements [`Metric`] for what gives classes, one a sample or one a place.
macro_rules! of_logits {
    ($metric:ty, $state:ty, $label:literal, { $($body:tt)* }) => {
        $crate::metric::of_logits! { @ <C> Logits<C>, Class<C>; C, "classes"; $metric, $state, $label, { $($body)* } }
        $crate::metric::of_logits! { @ <V, T> TokenLogits<V>, Tokens<V, T>; V, "tokens"; $metric, $state, $label, { $($body)* } }
    };
    (@ <$($axis:ident),*> $output:ty, $target:ty; $classes:expr, $what:literal; $metric:ty, $state:ty, $label:literal, { $($body:tt)* }) => {
        impl<$(const $axis: usize),*> $crate::metric::Metric<$output, $target> for $metric {
            type State = $state;
            const LABEL: &'static str = $label;
            const DIRECTION: $crate::metric::Direction = $crate::metric::Direction::Higher;
            const DEFINED_BY_TARGETS: bool = true;

            fn fits(&self) -> $crate::shape::CheckResult {
                self.check()?.fits($classes, $what)
            }

            $($body)*
        }
    };
}
use of_logits;
