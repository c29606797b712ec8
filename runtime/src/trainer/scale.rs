//! Handles steps whose gradients are not finite: the f16 loss scale and skipped steps.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::spec::{F16, OnNonFinite, TrainConfig};

/// The loss scale and the counters of skipped steps. They are part of each checkpoint, since later steps depend on
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// The factor on the loss of the next step; `None` except in f16.
    pub loss_scale: Option<f32>,
    /// Consecutive applied steps since the scale last changed.
    pub good_steps: u64,
    /// Consecutive skipped steps up to now.
    pub skipped_in_a_row: u64,
    /// Skipped steps of the whole run.
    pub skipped: u64,
}

/// What to do with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScaleDecision {
    /// Apply it.
    Apply,
    /// Skip it.
    Skip,
    /// Stop the run.
    Stop(Why),
}

/// Why a run stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The spec does not allow skipping.
    Rule,
    /// This many consecutive steps were skipped.
    TooMany(u64),
    /// The scale is at its minimum.
    Floor(u32),
}

/// Decides about steps and updates the loss scale.
#[derive(Debug)]
pub(super) struct Scaler {
    half: Option<F16>,
    rule: Option<OnNonFinite>,
    state: Scaling,
}

impl Scaler {
    /// Creates the scaler before the first step.
    pub(super) fn new(settings: &TrainConfig) -> Self {
        let half = settings.precision.loss_scale();
        let loss_scale = half.map(|half| half.loss_scale.init as f32);
        Self { half, rule: settings.on_non_finite, state: Scaling { loss_scale, ..Scaling::default() } }
    }

    /// Returns the factor on the loss of the next step.
    pub(super) fn scale(&self) -> f32 {
        self.state.loss_scale.unwrap_or(1.0)
    }

    pub(super) fn state(&self) -> Scaling {
        self.state
    }

    /// Restores a state of the same precision.
    pub(super) fn restore(&mut self, state: Scaling) -> Result<()> {
        if state.loss_scale.is_some() != self.state.loss_scale.is_some() {
            return Err(Error::Setting {
                key: "precision".to_owned(),
                problem: "the saved state has a loss scale and the run does not, or vice versa".to_owned(),
            });
        }
        self.state = state;
        Ok(())
    }

    /// Decides about a step whose loss and gradients are finite or not. Counts a skipped step, and one that stops the
    /// run.
    pub(super) fn decide(&mut self, is_finite: bool) -> ScaleDecision {
        if is_finite {
            self.state.skipped_in_a_row = 0;
            self.grow();
            return ScaleDecision::Apply;
        }
        let verdict = match (self.half, self.rule) {
            (Some(half), _) => {
                let is_lowest = !half.loss_scale.is_static() && self.scale() <= half.loss_scale.min as f32;
                if is_lowest {
                    ScaleDecision::Stop(Why::Floor(half.loss_scale.min))
                } else if self.state.skipped_in_a_row + 1 >= half.max_skips {
                    ScaleDecision::Stop(Why::TooMany(half.max_skips))
                } else {
                    ScaleDecision::Skip
                }
            }
            (None, Some(rule)) if self.state.skipped_in_a_row < rule.limit => ScaleDecision::Skip,
            (None, Some(rule)) => ScaleDecision::Stop(Why::TooMany(rule.limit + 1)),
            (None, None) => ScaleDecision::Stop(Why::Rule),
        };
        self.state.skipped_in_a_row += 1;
        self.state.skipped += 1;
        self.back_off();
        verdict
    }

    /// The products are computed in f64 and rounded to f32, as in PyTorch.
    fn grow(&mut self) {
        let (Some(half), Some(scale)) = (self.half, &mut self.state.loss_scale) else { return };
        self.state.good_steps += 1;
        if self.state.good_steps == half.loss_scale.interval {
            let grown = (f64::from(*scale) * half.loss_scale.growth) as f32;
            if grown.is_finite() {
                *scale = grown;
            }
            self.state.good_steps = 0;
        }
    }

    fn back_off(&mut self) {
        let (Some(half), Some(scale)) = (self.half, &mut self.state.loss_scale) else { return };
        let lower = (f64::from(*scale) * half.loss_scale.backoff) as f32;
        *scale = lower.max(half.loss_scale.min as f32);
        self.state.good_steps = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{LossScale, Static};

    fn scaler(loss_scale: LossScale, max_skips: u64) -> Scaler {
        let state = Scaling { loss_scale: Some(loss_scale.init as f32), ..Scaling::default() };
        Scaler { half: Some(F16 { loss_scale, max_skips }), rule: None, state }
    }

    fn other(rule: Option<OnNonFinite>) -> Scaler {
        Scaler { half: None, rule, state: Scaling::default() }
    }

    const SMALL: LossScale = LossScale { init: 16, growth: 2.0, backoff: 0.5, interval: 3, min: 2 };

    #[test]
    fn loss_scale_grows_after_interval() {
        let mut scaler = scaler(SMALL, 20);
        let scales: Vec<f32> = (0..7)
            .map(|_| {
                assert_eq!(scaler.decide(true), ScaleDecision::Apply);
                scaler.scale()
            })
            .collect();
        assert_eq!(scales, [16.0, 16.0, 32.0, 32.0, 32.0, 64.0, 64.0]);
    }

    #[test]
    fn overflow_halves_loss_scale_and_restarts_interval() {
        let mut scaler = scaler(SMALL, 20);
        let finite = [true, true, false, true, true, true, false];
        let scales: Vec<f32> = finite
            .into_iter()
            .map(|is_finite| {
                scaler.decide(is_finite);
                scaler.scale()
            })
            .collect();
        assert_eq!(scales, [16.0, 16.0, 8.0, 8.0, 8.0, 16.0, 8.0]);
        let state = Scaling { loss_scale: Some(8.0), good_steps: 0, skipped_in_a_row: 1, skipped: 2 };
        assert_eq!(scaler.state(), state);
    }

    #[test]
    fn minimum_scale_and_consecutive_skips_stop_run() {
        let mut lowest = scaler(SMALL, 20);
        let verdicts: Vec<_> = (0..4).map(|_| lowest.decide(false)).collect();
        assert_eq!(
            verdicts,
            [
                ScaleDecision::Skip,
                ScaleDecision::Skip,
                ScaleDecision::Skip,
                ScaleDecision::Stop(Why::Floor(2))
            ]
        );
        let mut many = scaler(LossScale { init: 64, ..SMALL }, 3);
        let verdicts: Vec<_> =
            [false, false, true, false, false, false].into_iter().map(|finite| many.decide(finite)).collect();
        let (skip, stop) = (ScaleDecision::Skip, ScaleDecision::Stop(Why::TooMany(3)));
        assert_eq!(verdicts, [skip, skip, ScaleDecision::Apply, skip, skip, stop]);
    }

    #[test]
    fn static_loss_scale_is_constant() {
        let mut scaler = scaler(Static(1024), 3);
        for finite in [true, false, false, true, true, false] {
            assert_ne!(scaler.decide(finite), ScaleDecision::Stop(Why::Floor(1024)));
            assert_eq!(scaler.scale().to_bits(), 1024.0_f32.to_bits());
        }
        assert_eq!(scaler.state().skipped, 3);
    }

    #[test]
    fn loss_scale_stays_within_f32() {
        let mut scaler = scaler(LossScale { init: 1 << 31, growth: 1e30, interval: 1, ..SMALL }, 20);
        scaler.decide(true);
        assert_eq!(scaler.scale().to_bits(), 2_147_483_648.0_f32.to_bits());
    }

    #[test]
    fn on_non_finite_applies_without_loss_scale() {
        assert_eq!(other(None).decide(false), ScaleDecision::Stop(Why::Rule));
        let mut two = other(Some(OnNonFinite { limit: 2 }));
        let verdicts: Vec<_> =
            [false, false, true, false, false, false].into_iter().map(|finite| two.decide(finite)).collect();
        let (skip, stop) = (ScaleDecision::Skip, ScaleDecision::Stop(Why::TooMany(3)));
        assert_eq!(verdicts, [skip, skip, ScaleDecision::Apply, skip, skip, stop]);
        assert_eq!(two.state().loss_scale, None);
    }
}
