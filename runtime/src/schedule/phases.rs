//! A list of phases over a run.

use super::{AnyPhase, Clock};
use crate::error::{Error, Result};

/// The learning rate of every step of a run.
#[derive(Debug)]
pub struct Schedule {
    phases: Vec<Placed>,
    lr: f64,
}

/// A phase with its place in the run.
#[derive(Debug)]
struct Placed {
    phase: Box<dyn AnyPhase>,
    first: u64,
    clock: Clock,
    /// The rate at which it begins.
    eta: f64,
}

impl Schedule {
    /// Places the phases over `steps` optimizer steps, of which an epoch has `epoch`.
    ///
    /// # Errors
    /// If the phases need more steps than the run has, end before it, leave nothing for a phase without
    /// length, or a phase that is not the last has no length.
    pub fn new(phases: Vec<Box<dyn AnyPhase>>, lr: f64, steps: u64, epoch: u64) -> Result<Self> {
        let fault = |problem: String| Error::Setting { key: "schedule".to_owned(), problem };
        let count = phases.len();
        let mut placed = Vec::with_capacity(count);
        let (mut first, mut eta) = (0, lr);
        for (place, phase) in phases.into_iter().enumerate() {
            let is_last = place + 1 == count;
            let own = match phase.length() {
                Some(length) => length.in_steps(epoch),
                None if is_last => steps.saturating_sub(first),
                None => {
                    return Err(fault(format!(
                        "phase {}, `{}`, has no length, but another follows; give it `steps` or `epochs`",
                        place + 1,
                        phase.name()
                    )));
                }
            };
            let end = first.saturating_add(own);
            if end > steps || own == 0 {
                return Err(fault(format!(
                    "the phases up to `{}` need {} steps, but the run has {steps}; shorten them or train longer",
                    phase.name(),
                    if own == 0 { end + 1 } else { end },
                )));
            }
            if is_last && end < steps {
                return Err(fault(format!(
                    "the phases end after {end} steps, but the run has {steps}; let the last phase have no \
                     length, or add `Constant` to stay at its rate"
                )));
            }
            phase.check_start(eta).map_err(|problem| fault(problem.of(phase.name()).as_str().to_owned()))?;
            let clock = Clock { steps: own, epoch };
            let last = phase.rate(own - 1, eta, clock);
            placed.push(Placed { phase, first, clock, eta });
            (first, eta) = (end, last);
        }
        Ok(Self { phases: placed, lr })
    }

    /// The rate of the step with index `k`, from 0.
    #[must_use]
    pub fn rate(&self, k: u64) -> f64 {
        let at = self.phases.iter().rev().find(|placed| placed.first <= k);
        at.map_or(self.lr, |placed| placed.phase.rate(k - placed.first, placed.eta, placed.clock))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Constant, Cosine, CosineEnd, Interval, Step, Warmup};
    use super::*;
    use crate::config::Config;

    fn rates(phases: Vec<Box<dyn AnyPhase>>, steps: u64) -> Vec<f64> {
        let schedule = Schedule::new(phases, 1.0, steps, 5).unwrap();
        (0..steps).map(|k| schedule.rate(k)).collect()
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            // A few roundings of numbers of size 1.
            assert!((found - expected).abs() < 1e-15, "{found} is not {expected}");
        }
    }

    #[test]
    fn warmup_is_never_zero_and_ends_full() {
        let warmup = Warmup { steps: 4, ..Warmup::DEFAULT };
        close(&rates(vec![Box::new(warmup), Box::new(Constant)], 6), &[0.25, 0.5, 0.75, 1.0, 1.0, 1.0]);
        let half = Warmup { from: 0.5, steps: 2, ..Warmup::DEFAULT };
        close(&rates(vec![Box::new(half), Box::new(Constant)], 3), &[0.75, 1.0, 1.0]);
    }

    #[test]
    fn cosine_reaches_its_floor_at_the_last_step() {
        let cosine = Cosine { floor: 0.2, ..Cosine };
        close(
            &rates(vec![Box::new(cosine)], 5),
            &[
                1.0,
                0.2 + 0.8 * (1.0 + (std::f64::consts::PI / 4.0).cos()) / 2.0,
                0.6,
                0.2 + 0.8 * (1.0 - (std::f64::consts::PI / 4.0).cos()) / 2.0,
                0.2,
            ],
        );
        let torch = Cosine { end: CosineEnd::Torch, ..Cosine };
        close(&rates(vec![Box::new(torch)], 2), &[1.0, 0.5]);
    }

    #[test]
    fn steps_count_epochs_too() {
        let step = Step { every: Interval::Epochs(1), ..Step::DEFAULT };
        close(&rates(vec![Box::new(step)], 11), &[1., 1., 1., 1., 1., 0.1, 0.1, 0.1, 0.1, 0.1, 0.01]);
    }

    #[test]
    fn a_phase_begins_where_the_last_ended() {
        let half = Constant { factor: 0.5, steps: 2, ..Constant };
        close(&rates(vec![Box::new(half), Box::new(Constant)], 4), &[0.5; 4]);
    }

    #[test]
    fn phases_must_fill_the_run() {
        let fault =
            |phases: Vec<Box<dyn AnyPhase>>| Schedule::new(phases, 1.0, 10, 5).unwrap_err().to_string();
        let warmup = |steps| Box::new(Warmup { steps, ..Warmup::DEFAULT });
        assert!(fault(vec![warmup(11), Box::new(Constant)]).contains("need 11 steps, but the run has 10"));
        assert!(fault(vec![warmup(10), Box::new(Constant)]).contains("need 11 steps, but the run has 10"));
        assert!(fault(vec![warmup(9)]).contains("end after 9 steps, but the run has 10"));
        assert!(fault(vec![Box::new(Constant), Box::new(Cosine)]).contains("has no length"));
        assert!(fault(vec![Box::new(Cosine { floor: 2.0, ..Cosine })]).contains("below its floor"));
    }
}
