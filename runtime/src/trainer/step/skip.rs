//! Skips steps whose loss or gradients are not finite.

use super::TrainStep;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::optim::ParameterStore;
use crate::trainer::scale::{ScaleDecision, Why};
use crate::trainer::{Scaling, Skip, Totals};

impl TrainStep<'_> {
    /// Skips the step if its loss or gradients are not finite, and returns the reason.
    pub(super) fn skip(&mut self, step: u64, totals: &Totals, is_finite: bool) -> Result<Option<Skip>> {
        let verdict = self.scaler.decide(is_finite);
        if verdict == ScaleDecision::Apply {
            return Ok(None);
        }
        let reason = non_finite(self.engine.store(), self.graph, totals)?;
        self.engine.discard()?;
        let advice = match verdict {
            ScaleDecision::Stop(Why::Rule) => {
                "try a smaller `lr`, `clip: GlobalNorm { max: 1.0 }`, or a warmup".to_owned()
            }
            ScaleDecision::Stop(Why::TooMany(row)) => {
                let other =
                    if self.scaling().loss_scale.is_some() { ", or `precision: Bf16` or `F32`" } else { "" };
                format!("{row} consecutive steps were skipped; try a smaller `lr`{other}")
            }
            ScaleDecision::Stop(Why::Floor(scale)) => format!(
                "the loss scale is already at its minimum, {scale}; try a smaller `lr`, or `precision: Bf16` or `F32`"
            ),
            ScaleDecision::Apply | ScaleDecision::Skip => {
                let Scaling { skipped_in_a_row: in_a_row, skipped: total, .. } = self.scaling();
                return Ok(Some(Skip { reason, in_a_row, total }));
            }
        };
        Err(Error::Training { step, problem: format!("{reason}; {advice}") })
    }
}

/// Describes what is not finite: the first parameter with such a gradient, or the loss.
fn non_finite(store: &dyn ParameterStore, graph: &Graph, totals: &Totals) -> Result<String> {
    let first = store.first_non_finite()?.and_then(|place| graph.parameters.get(place));
    Ok(match first {
        Some(parameter) => format!("the gradient of `{}` is not finite", parameter.path),
        None if totals.is_finite() => {
            "the gradients, or their squares where the optimizer keeps them, are too large for f32".to_owned()
        }
        None => format!("the loss is {}", totals.mean_loss()),
    })
}
