//! Metrics: what is reported of a model beside its loss.
//!
//! | metric | model gives | data give | better |
//! | --- | --- | --- | --- |
//! | [`Accuracy`](struct@Accuracy) | `Logits`, `TokenLogits` | `Class`, `Tokens` | higher |
//! | [`MeanAbsoluteError`](struct@MeanAbsoluteError) | `Values` | `Values` | lower |

mod accuracy;
mod mean_absolute_error;

pub use accuracy::Accuracy;
pub(crate) use accuracy::predicted_class;
pub use mean_absolute_error::MeanAbsoluteError;

use candle_core::Tensor;

use crate::config::{Config, Setting, with_changes};
use crate::error::Result;
use crate::shape::Kind;

/// Which way a metric improves. It belongs to the metric's type, never to its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Larger is better.
    Higher,
    /// Smaller is better.
    Lower,
}

/// A metric of a model that gives `Output` on data that give `Target`: a mean over samples.
pub trait Metric<Output: Kind, Target: Kind>: Config {
    /// The metric's name in logs: `accuracy`.
    const LABEL: &'static str;
    /// Which way it improves.
    const DIRECTION: Direction;

    /// The metric of a batch: its sum, and the number of things it is the mean of.
    ///
    /// # Shapes
    /// `prediction` is `[batch, …]` as the output's kind says, `target` as the target's.
    fn measure(&self, prediction: &Tensor, target: &Tensor) -> Result<(f64, f64)>;
}

/// A metric of any type, for one model and one kind of target.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not measure `{Output}` against `{Target}`",
    label = "this metric does not fit what the model gives and the data expect",
    note = "`Accuracy` is for `Logits<C>` and `TokenLogits<V>`; `MeanAbsoluteError` is for `Values<N>`"
)]
pub trait AnyMetric<Output, Target>: Setting {
    /// [`Metric::LABEL`]
    fn label(&self) -> &'static str;
    /// [`Metric::DIRECTION`]
    fn direction(&self) -> Direction;
    /// [`Metric::measure`]
    ///
    /// # Errors
    /// If candle refuses an operation.
    fn measure(&self, prediction: &Tensor, target: &Tensor) -> Result<(f64, f64)>;
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
        M::LABEL
    }

    fn direction(&self) -> Direction {
        M::DIRECTION
    }

    fn measure(&self, prediction: &Tensor, target: &Tensor) -> Result<(f64, f64)> {
        Metric::measure(self, prediction, target)
    }

    with_changes!(dyn AnyMetric<Output, Target>);
}
