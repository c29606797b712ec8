//! The one-cycle policy.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::{Clock, Interval, Phase};
use crate::config::Config;
use crate::keys::Facts;
use crate::keys::{lasting, length};
use crate::shape::{CheckError, CheckResult};

/// Runs one cycle: from `max / div` up to `max` and down to `max / div / final_div`, as in PyTorch's `OneCycleLR`.
///
/// With `W` steps the learning rate is `max` at step `rise * W - 1` (which may be fractional) and lowest at the last step. The
/// phase ignores the optimizer's `lr`, so `scale_lr` is rejected if this is the first phase. Unlike in PyTorch, the momentum
/// does not change (`cycle_momentum=False`).
///
/// # Source
/// Smith and Topin 2018. Their third phase, which falls below the initial learning rate, is `three_phase`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneCycle {
    /// The largest learning rate, above 0; required.
    pub max: f64,
    /// The share of the steps in which the learning rate rises, `0 < rise < 1`; 0.3 by default (PyTorch: `pct_start`).
    pub rise: f64,
    /// The ratio of `max` to the initial learning rate, at least 1; 25 by default (`div_factor`).
    pub div: f64,
    /// The ratio of the initial to the final learning rate, at least 1; 1e4 by default (`final_div_factor`).
    pub final_div: f64,
    /// The shape of rise and fall; half a cosine by default (`anneal_strategy`).
    pub anneal: Anneal,
    /// Whether the learning rate first falls back to the initial value as fast as it rose, and then to the final value. Requires
    /// a `rise` of at most 0.5; false by default.
    pub three_phase: bool,
    /// The length of the phase in steps; all remaining steps by default.
    pub steps: u64,
    /// The length of the phase in epochs, as an alternative to `steps`.
    pub epochs: u64,
}

/// Selects how the learning rate changes from one value to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Anneal {
    /// Along half a cosine.
    Cosine,
    /// Along a line.
    Linear,
}

impl OneCycle {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        if !(self.max > 0.0 && self.max.is_finite()) {
            return Err(CheckError::new("max is ")
                .float(self.max)
                .text("; expected a learning rate above 0"));
        }
        if !(self.rise > 0.0 && self.rise < 1.0) {
            return Err(CheckError::new("rise is ")
                .float(self.rise)
                .text("; expected 0 < rise < 1, a share of the steps"));
        }
        if self.three_phase && self.rise > 0.5 {
            return Err(CheckError::new("rise is ")
                .float(self.rise)
                .text("; expected at most 0.5, because with three_phase the learning rate falls for as long as it rises"));
        }
        if !(self.div >= 1.0 && self.div.is_finite()) {
            return Err(CheckError::new("div is ").float(self.div).text("; expected at least 1"));
        }
        if !(self.final_div >= 1.0 && self.final_div.is_finite()) {
            return Err(CheckError::new("final_div is ").float(self.final_div).text("; expected at least 1"));
        }
        match lasting(self.steps, self.epochs) {
            Ok(known) => Ok(known.peak(self.max)),
            problem => problem,
        }
    }

    /// Returns the corners of the cycle: the position of each, in steps, and its learning rate.
    fn corners(&self, steps: u64) -> [(f64, f64); 4] {
        let start = self.max / self.div;
        let low = start / self.final_div;
        let top = self.rise * steps as f64 - 1.0;
        let end = steps as f64 - 1.0;
        let back = 2.0 * self.rise * steps as f64 - 2.0;
        // Without a third phase the cycle ends with the second.
        let middle = if self.three_phase { (back, start) } else { (end, low) };
        [(0.0, start), (top, self.max), middle, (end, low)]
    }
}

impl Config for OneCycle {
    const NAME: &'static str = "OneCycle";
    const DEFAULT: Self = Self {
        max: 0.0,
        rise: 0.3,
        div: 25.0,
        final_div: 1e4,
        anneal: Anneal::Cosine,
        three_phase: false,
        steps: 0,
        epochs: 0,
    };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("max", "the largest learning rate")];
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl Phase for OneCycle {
    fn length(&self) -> Option<Interval> {
        length(self.steps, self.epochs)
    }

    fn rate(&self, j: u64, _: f64, clock: Clock<'_>) -> f64 {
        let corners = self.corners(clock.steps);
        let [.., (_, low)] = corners;
        let at = j as f64;
        let part = corners.windows(2).find_map(|pair| match *pair {
            [from, to] if at <= to.0 => Some((from, to)),
            _ => None,
        });
        let Some(((begin, from), (end, to))) = part else {
            return low;
        };
        let share = (at - begin) / (end - begin);
        match self.anneal {
            Anneal::Cosine => to + (from - to) * (1.0 + (PI * share).cos()) / 2.0,
            Anneal::Linear => from + (to - from) * share,
        }
    }

    fn check_start(&self, _: f64, clock: Clock<'_>) -> CheckResult {
        let rising = self.rise * clock.steps as f64;
        if rising > 1.0 {
            return Ok(());
        }
        Err(CheckError::new("rises for ")
            .float(rising)
            .text(" of ")
            .number(clock.steps as usize)
            .text(" steps; expected more than 1; increase `rise` or train longer"))
    }

    fn largest(&self, _: f64, _: Clock<'_>) -> f64 {
        self.max
    }
}
