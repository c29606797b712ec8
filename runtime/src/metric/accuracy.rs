//! Accuracy.

use candle_core::{D, Tensor};
use serde::{Deserialize, Serialize};

use super::{Direction, Metric};
use crate::config::Config;
use crate::error::Result;
use crate::shape::{Class, Kind, Logits, TokenLogits, Tokens, Verdict};

/// The share of samples (of places, for tokens) whose largest logit is that of the right class.
///
/// Of equal logits the first counts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {}

/// [`Accuracy`](struct@Accuracy) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Accuracy: Accuracy = Accuracy::DEFAULT;

impl Accuracy {
    /// There is nothing to check.
    pub const fn check(&self) -> Verdict {
        Ok(())
    }
}

impl Config for Accuracy {
    const NAME: &'static str = "Accuracy";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> Verdict = Self::check;
}

/// The class with the largest logit; of equal logits the first. `None` if there are no logits.
pub(crate) fn predicted_class(logits: &[f32]) -> Option<u32> {
    let largest = (0_u32..).zip(logits).reduce(|best, next| if next.1 > best.1 { next } else { best });
    largest.map(|(class, _)| class)
}

/// Right answers, and answers, along the last axis.
fn count(prediction: &Tensor, target: &Tensor) -> Result<(f64, f64)> {
    let rows = prediction.flatten_to(D::Minus2)?.to_vec2::<f32>()?;
    let targets = target.flatten_all()?.to_vec1::<u32>()?;
    let right =
        rows.iter().zip(&targets).filter(|(logits, target)| predicted_class(logits) == Some(**target));
    Ok((right.count() as f64, targets.len() as f64))
}

macro_rules! of_logits {
    ($(<$(const $axis:ident),*> $output:ty, $target:ty;)*) => { $(
        impl<$(const $axis: usize),*> Metric<$output, $target> for Accuracy
        where
            $output: Kind,
            $target: Kind,
        {
            const LABEL: &'static str = "accuracy";
            const DIRECTION: Direction = Direction::Higher;

            fn measure(&self, prediction: &Tensor, target: &Tensor) -> Result<(f64, f64)> {
                count(prediction, target)
            }
        }
    )* };
}

of_logits! {
    <const C> Logits<C>, Class<C>;
    <const V, const T> TokenLogits<V>, Tokens<V, T>;
}
