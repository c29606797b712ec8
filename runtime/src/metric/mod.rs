//! Metrics: what a run reports about a model besides its loss.
//!
//! | metric | label | model output | target | better |
//! | --- | --- | --- | --- | --- |
//! | [`Accuracy`](struct@Accuracy) | `accuracy` | `Logits`, `TokenLogits`, `LogitMap` | `Class`, `Labels`, `Tokens`, `ClassMap` | higher |
//! | [`TopK`](struct@TopK) | `top_5_accuracy` | `Logits`, `TokenLogits`, `LogitMap` | `Class`, `Tokens`, `ClassMap` | higher |
//! | [`Precision`](struct@Precision) | `precision_macro` | `Logits`, `TokenLogits`, `LogitMap` | `Class`, `Labels`, `Tokens`, `ClassMap` | higher |
//! | [`Recall`](struct@Recall) | `recall_macro` | `Logits`, `TokenLogits`, `LogitMap` | `Class`, `Labels`, `Tokens`, `ClassMap` | higher |
//! | [`F1`](struct@F1) | `f1_macro` | `Logits`, `TokenLogits`, `LogitMap` | `Class`, `Labels`, `Tokens`, `ClassMap` | higher |
//! | [`Iou`](struct@Iou) | `iou_macro` | `Logits`, `TokenLogits`, `LogitMap` | `Class`, `Labels`, `Tokens`, `ClassMap` | higher |
//! | [`Mcc`](struct@Mcc) | `mcc` | `Logits`, `TokenLogits`, `LogitMap` | `Class`, `Labels`, `Tokens`, `ClassMap` | higher |
//! | [`CalibrationError`](struct@CalibrationError) | `calibration_error` | `Logits`, `TokenLogits`, `LogitMap` | `Class`, `Labels`, `Tokens`, `ClassMap` | lower |
//! | [`ConfusionMatrix`](struct@ConfusionMatrix) | `confusion_matrix` | `Logits`, `LogitMap` | `Class`, `ClassMap` | a table |
//! | [`Auroc`](struct@Auroc) | `auroc` | `Logits` | `Class`, `Labels` | higher |
//! | [`AveragePrecision`](struct@AveragePrecision) | `average_precision` | `Logits` | `Class`, `Labels` | higher |
//! | [`Perplexity`](struct@Perplexity) | `perplexity` | `TokenLogits` | `Tokens` | lower |
//! | [`R2`](struct@R2) | `r2` | `Values` | `Values` | higher |
//! | [`MeanAbsoluteError`](struct@crate::loss::MeanAbsoluteError) | `mean_absolute_error` | `Values` | `Values` | lower |
//! | [`MeanSquaredError`](struct@crate::loss::MeanSquaredError) | `mean_squared_error` | `Values` | `Values` | lower |
//! | [`RootMeanSquaredError`](struct@RootMeanSquaredError) | `root_mean_squared_error` | `Values` | `Values` | lower |
//!
//! Each metric is computed on the training samples during an epoch, and on the validation and test samples. It reads each
//! sample once and accumulates a [`State`], from which its value is computed at the end. Batches of unequal size are therefore
//! weighted correctly, and values that are not means over batches (an F1, an area, a root) are exact. An undefined value is NaN,
//! which is printed as `-` and written as `null` in JSON.
//!
//! Each position of tokens and each pixel of a map counts like a sample.
//!
//! With `Logits<1>` for `Class<2>`, and for each of `Labels<N>`, the threshold is a logit of 0, which is a probability of 0.5.
//!
//! # Predictions that are NaN
//! A prediction that contains NaN has no predicted class. Metrics that count predictions (`Accuracy`, `TopK`, `Precision`,
//! `Recall`, `F1`, `Iou`, `Mcc`, `ConfusionMatrix`) never count it as correct; metrics that compute with the values (`Auroc`,
//! `AveragePrecision`, `CalibrationError`, `Perplexity`, `R2` and the errors) are NaN.
//!
//! # Ignored labels
//! Metrics also ignore the labels that the loss [ignores](crate::loss::Loss::ignored).
//!
//! # Custom metrics
//! A mean over samples requires one function:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use trainspec::metric::{Direction, Mean, Metric, Outcomes};
//! use trainspec::{Config, Values, CheckResult};
//!
//! /// Computes the largest error of a sample, averaged over the samples.
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
//!             // `f32::max` would ignore NaN.
//!             let worst = distances.fold(0.0, |worst: f32, d| if d > worst || d.is_nan() { d } else { worst });
//!             mean.add(f64::from(worst));
//!         }
//!     }
//! }
//! ```
//!
//! A metric with its own [`State`] can accumulate anything.
//!
//! In `train!` it is written `WorstValue {}`. For a bare name like `Accuracy`, define a constant with the name of the type:
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
mod average_precision;
mod calibration;
mod class_counts;
mod confusion_matrix;
mod f1;
mod iou;
mod label_counts;
mod label_scores;
mod maps;
mod mcc;
mod mean_absolute_error;
mod mean_squared_error;
mod on;
mod outcomes;
mod perplexity;
mod precision;
mod r2;
mod recall;
mod root_mean_squared_error;
mod state;
mod top_k;

pub use accumulator::Accumulator;
pub(crate) use accumulator::lasting;
pub use accuracy::Accuracy;
pub use auroc::{Auroc, Scores};
pub use average_precision::AveragePrecision;
pub use calibration::{Calibration, CalibrationError};
pub use class_counts::{Average, ClassCounts};
pub use confusion_matrix::{Confusion, ConfusionMatrix};
pub use f1::F1;
pub use iou::Iou;
pub use label_counts::LabelCounts;
pub use label_scores::LabelScores;
pub use mcc::Mcc;
pub use on::On;
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

/// The direction in which a metric improves. It depends on the type of the metric, not on its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Higher is better.
    Higher,
    /// Lower is better.
    Lower,
}

/// A metric for a model with output `Output` and data with target `Target`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a metric for the output `{Output}` and the target `{Target}`",
    label = "this metric does not match this output of the model and its target"
)]
pub trait Metric<Output: Kind, Target: Kind>: Config {
    /// The accumulated state; [`Mean`] and [`Share`] suffice for simple metrics.
    type State: State + Sync;
    /// The metric's name in logs: `accuracy`. Empty if it depends on the keys; then [`Metric::label`] returns it, and
    /// [`Facts::called`](crate::Facts::called) declares it at compile time.
    const LABEL: &'static str;
    /// Whether the metric is a [table](Metric::table), which cannot be monitored; false by default.
    const IS_TABLE: bool = false;
    /// The direction in which the metric improves.
    const DIRECTION: Direction;
    /// Whether only the targets decide if the metric is defined, for predictions without NaN. For example,
    /// [`Auroc`](struct@Auroc) is undefined if all targets have the same class. A run that monitors such a metric is rejected
    /// before its first step if the metric is undefined on the validation samples. False by default.
    const DEFINED_BY_TARGETS: bool = false;

    /// Returns the name in logs if it depends on the keys: `top_3_accuracy`. [`Metric::LABEL`] by default.
    fn label(&self) -> Cow<'static, str> {
        Self::LABEL.into()
    }

    /// Checks that the keys fit the types, such as `k` and the number of classes. Called when the program starts.
    ///
    /// # Errors
    /// If the keys do not fit.
    fn fits(&self) -> CheckResult {
        Ok(())
    }

    /// Adds a batch to the state. Each sample must count separately, so that the result does not depend on the batch size.
    fn update(&self, state: &mut Self::State, outcomes: &Outcomes<'_, Target::Element>);

    /// Returns the metric over all samples so far; NaN if it is undefined. [`State::value`] by default.
    fn value(&self, state: &Self::State) -> f64 {
        state.value()
    }

    /// Returns the counts by class, for a metric that is a table instead of a number.
    fn table<'a>(&self, state: &'a Self::State) -> Option<&'a Confusion> {
        let _ = state;
        None
    }
}

/// A type-erased metric for one output type and one target type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a metric for a model with output `{Output}` and data with target `{Target}`",
    label = "this metric does not match the output of the model and the target of the data",
    note = "`Accuracy`, `Precision`, `Recall`, `F1`, `Iou`, `Mcc` and `CalibrationError` are for `Logits<C>` with `Class<C>`, `Logits<1>` with `Class<2>`, `Logits<N>` \
            with `Labels<N>`, `TokenLogits<V>`, and `LogitMap<C, H, W>`; `Auroc` and `AveragePrecision` for the same but tokens and maps; `TopK` \
            for `Logits<C>` with `Class<C>`, `TokenLogits<V>`, and `LogitMap<C, H, W>`; `ConfusionMatrix` for `Logits<C>` with `Class<C>`, \
            `Logits<1>` with `Class<2>`, and `LogitMap<C, H, W>`",
    note = "`Perplexity` is for `TokenLogits<V>`; `MeanAbsoluteError`, `MeanSquaredError`, `RootMeanSquaredError` and `R2` for \
            `Values<N>`",
    note = "a model with several outputs takes a tuple with one list for each: `([Accuracy], [R2])`"
)]
pub trait AnyMetric<Output, Target>: Setting {
    /// [`Metric::label`]
    fn label(&self) -> &'static str;
    /// The index of the output that it compares with its target.
    fn output(&self) -> usize {
        0
    }
    /// [`Metric::DIRECTION`]
    fn direction(&self) -> Direction;
    /// [`Metric::DEFINED_BY_TARGETS`]
    fn is_defined_by_targets(&self) -> bool;
    /// [`Metric::fits`]
    ///
    /// # Errors
    /// If the keys do not fit.
    fn fits(&self) -> CheckResult;
    /// Returns the metric with an empty state.
    fn start(&self) -> Box<dyn Accumulator> {
        self.start_as(self.label())
    }
    /// Returns the metric with an empty state, and this name in logs.
    fn start_as(&self, label: &'static str) -> Box<dyn Accumulator>;
    /// Returns a copy.
    fn boxed(&self) -> Box<dyn AnyMetric<Output, Target>>;
    /// Returns the same metric with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnyMetric<Output, Target>>, String>;
}

#[diagnostic::do_not_recommend]
impl<Output: Kind, Target: Kind, M: Metric<Output, Target>> AnyMetric<Output, Target> for M {
    fn label(&self) -> &'static str {
        lasting(Metric::label(self))
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

    fn start_as(&self, label: &'static str) -> Box<dyn Accumulator> {
        Box::new(accumulator::Gathered::<M, Output, Target>::new(*self, label))
    }

    with_changes!(dyn AnyMetric<Output, Target>);
}

/// Implements [`Config`] for a metric without keys, and defines the constant of its name.
macro_rules! keyless {
    ($name:ident) => {
        #[doc = concat!("[`", stringify!($name), "`](struct@", stringify!($name), ") with every key at its default.")]
        #[allow(non_upper_case_globals)]
        pub const $name: $name = $name::DEFAULT;

        impl $name {
            /// Accepts every value.
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

/// Implements [`Metric`] for class outputs: one class per sample or per position, or one of two classes from a single logit.
macro_rules! of_classes {
    ($metric:ty, $state:ty, $label:literal, { $($body:tt)* }) => {
        $crate::metric::of_logits! { $metric, $state, $label, { $($body)* } }
        $crate::metric::of_logits! { @ <> Logits<1>, Class<2>; 2, "classes"; $metric, $state, $label, { $($body)* } }
    };
}
use of_classes;

/// Implements [`Metric`] for class outputs: one class per sample or per position.
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
