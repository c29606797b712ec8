//! The list of phases of a run.

use serde_json::{Value, json};

use super::{AnyPhase, Clock, Course, Seen, Taken, larger};
use crate::error::{Error, Result};
use crate::keys::Monitor;
use crate::metric::Direction;

/// The learning rate of every step of a run.
///
/// # Example
/// ```
/// use trainspec::Config;
/// use trainspec::schedule::{Cosine, Schedule, Warmup};
///
/// let warmup = Warmup { steps: 4, ..Warmup::DEFAULT };
/// // Twelve steps in epochs of six.
/// let schedule = Schedule::new(vec![Box::new(warmup), Box::new(Cosine)], 0.1, 12, 6)?;
/// assert_eq!([0, 3, 4, 11].map(|k| schedule.rate(k)), [0.025, 0.1, 0.1, 0.0]);
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Debug)]
pub struct Schedule {
    phases: Vec<Placed>,
    lr: f64,
}

/// A phase with its position in the run.
#[derive(Debug)]
struct Placed {
    phase: Box<dyn AnyPhase>,
    first: u64,
    steps: u64,
    epoch: u64,
    state: Vec<f64>,
}

/// The position of a phase in a run, and its learning rates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The name of the phase.
    pub name: &'static str,
    /// The number of its first step, from 1.
    pub first: u64,
    /// The number of its last step.
    pub last: u64,
    /// The learning rate at its first step.
    pub first_rate: f64,
    /// The learning rate at its last step.
    pub last_rate: f64,
    /// Whether its learning rates depend on evaluations; those listed here reflect the current state.
    pub listens: bool,
}

impl Placed {
    fn clock(&self) -> Clock<'_> {
        Clock { steps: self.steps, epoch: self.epoch, state: &self.state }
    }

    fn rate(&self, k: u64, eta: f64) -> f64 {
        self.phase.rate(k - self.first, eta, self.clock())
    }

    fn end(&self) -> u64 {
        self.first + self.steps
    }

    fn last_rate(&self, eta: f64) -> f64 {
        self.rate(self.end() - 1, eta)
    }
}

impl Schedule {
    /// Distributes the phases over `steps` optimizer steps, with `epoch` steps per epoch.
    ///
    /// # Errors
    /// If the phases need more steps than the run has, end before its end, or leave nothing for a phase without a
    /// length; if a phase other than the last has no length; if a phase cannot start at its position; if a learning rate
    /// is not finite.
    pub fn new(phases: Vec<Box<dyn AnyPhase>>, lr: f64, steps: u64, epoch: u64) -> Result<Self> {
        let count = phases.len();
        let mut placed = Vec::with_capacity(count);
        let (mut course, mut eta) = (Course::of(steps, "steps"), lr);
        for (place, phase) in phases.into_iter().enumerate() {
            let taken = phase.length().map_or(Taken::Rest, |length| Taken::Units(length.in_steps(epoch)));
            let first = course.used();
            course = course
                .then(phase.name(), taken, place + 1 == count)
                .map_err(|problem| fault(problem.as_str().to_owned()))?;
            let own = course.used() - first;
            let state = vec![0.0; phase.state_names().len()];
            let at = Placed { phase, first, steps: own, epoch, state };
            let (phase, clock) = (&at.phase, at.clock());
            phase
                .check_start(eta, clock)
                .map_err(|problem| fault(problem.of(phase.name()).as_str().to_owned()))?;
            let largest = phase.largest(eta, clock);
            // Checked as f32 too, the type of the computation.
            if !(largest as f32).is_finite() {
                let problem = format!(
                    "`{}` reaches the learning rate {largest}; expected learning rates within the range of f32",
                    phase.name()
                );
                return Err(fault(problem));
            }
            eta = at.last_rate(eta);
            placed.push(at);
        }
        Ok(Self { phases: placed, lr })
    }

    /// Returns the learning rate of the step with index `k`, from 0.
    ///
    /// It is a function of `k` only, except for phases that depend on evaluations, whose state is
    /// [`state`](Schedule::state).
    #[must_use]
    pub fn rate(&self, k: u64) -> f64 {
        let mut eta = self.lr;
        for (place, placed) in self.phases.iter().enumerate() {
            if k < placed.end() || place + 1 == self.phases.len() {
                return placed.rate(k, eta);
            }
            eta = placed.last_rate(eta);
        }
        eta
    }

    /// Returns the largest learning rate of the run, for any evaluations. Use it to check a condition on the learning rate of
    /// every step.
    #[must_use]
    pub fn largest_rate(&self) -> f64 {
        let (mut eta, mut most) = (self.lr, 0.0);
        for placed in &self.phases {
            let largest = placed.phase.largest(eta, placed.clock());
            most = larger(largest, most);
            eta = if placed.state.is_empty() { placed.last_rate(eta) } else { largest };
        }
        most
    }

    /// Returns the number of optimizer steps of the run.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.phases.last().map_or(0, Placed::end)
    }

    /// Returns the number of optimizer steps of an epoch.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        self.phases.last().map_or(0, |placed| placed.epoch)
    }

    /// Returns the phases, with their positions and learning rates.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        let mut eta = self.lr;
        let span = |placed: &Placed| {
            let (first_rate, last_rate) = (placed.rate(placed.first, eta), placed.last_rate(eta));
            eta = last_rate;
            Span {
                name: placed.phase.name(),
                first: placed.first + 1,
                last: placed.end(),
                first_rate,
                last_rate,
                listens: !placed.state.is_empty(),
            }
        };
        self.phases.iter().map(span).collect()
    }

    /// Passes an evaluation after `steps` steps of the run to the current phase, if it depends on
    /// evaluations. `look` returns the monitored value and the direction in which it improves.
    ///
    /// # Errors
    /// Returns the errors of `look`.
    pub fn see(&mut self, steps: u64, look: impl FnOnce(Monitor) -> Result<(f64, Direction)>) -> Result<()> {
        let mut eta = self.lr;
        for placed in &mut self.phases {
            if placed.first < steps && steps < placed.end() {
                if let Some(monitor) = placed.phase.monitor() {
                    let (value, direction) = look(monitor)?;
                    placed.phase.see(Seen { value, direction, eta }, &mut placed.state);
                }
                return Ok(());
            }
            eta = placed.last_rate(eta);
        }
        Ok(())
    }

    /// Returns the state of the phases for a checkpoint: for each phase an object of named values, or `null` if it
    /// has no state.
    #[must_use]
    pub fn state(&self) -> Value {
        self.phases
            .iter()
            .map(|Placed { phase, state, .. }| match phase.state_names() {
                [] => Value::Null,
                names => {
                    let numbers = names.iter().zip(state);
                    numbers.map(|(&name, &number)| (name.to_owned(), to_json(number))).collect()
                }
            })
            .collect()
    }

    /// Restores the state from [`Schedule::state`].
    ///
    /// # Errors
    /// If the state belongs to other phases. The schedule does not change then.
    pub fn restore(&mut self, state: &Value) -> Result<()> {
        let other = || fault("the state does not match the phases of the schedule".to_owned());
        let parts = state.as_array().filter(|parts| parts.len() == self.phases.len()).ok_or_else(other)?;
        let numbers = |(placed, part): (&Placed, &Value)| -> Option<Vec<f64>> {
            let names = placed.phase.state_names();
            let known = part.as_object().map_or(0, serde_json::Map::len);
            let numbers = || names.iter().map(|&name| from_json(part.get(name)?)).collect();
            if known == names.len() { numbers() } else { None }
        };
        let states: Option<Vec<_>> = self.phases.iter().zip(parts).map(numbers).collect();
        for (placed, state) in self.phases.iter_mut().zip(states.ok_or_else(other)?) {
            placed.state = state;
        }
        Ok(())
    }
}

/// JSON has no infinite numbers; they are written as strings.
fn to_json(number: f64) -> Value {
    if number.is_finite() { json!(number) } else { json!(number.to_string()) }
}

fn from_json(json: &Value) -> Option<f64> {
    json.as_f64().or_else(|| json.as_str()?.parse().ok())
}

pub(crate) fn fault(problem: String) -> Error {
    Error::Setting { key: "schedule".to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Constant, Cosine, CosineEnd, Exponential, Interval, InverseSqrt, MultiStep, OneCycle,
        ReduceOnPlateau, Step, Warmup,
    };
    use super::*;
    use crate::config::Config;

    fn rates(phases: Vec<Box<dyn AnyPhase>>, steps: u64) -> Vec<f64> {
        let schedule = Schedule::new(phases, 1.0, steps, 5).unwrap();
        (0..steps).map(|k| schedule.rate(k)).collect()
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            // Allows for a few roundings of values near 1.
            assert!((found - expected).abs() < 1e-15, "{found} is not {expected}");
        }
    }

    #[test]
    fn warmup_starts_above_zero_and_ends_at_full_learning_rate() {
        let warmup = Warmup { steps: 4, ..Warmup::DEFAULT };
        close(&rates(vec![Box::new(warmup), Box::new(Constant)], 6), &[0.25, 0.5, 0.75, 1.0, 1.0, 1.0]);
        let half = Warmup { from: 0.5, steps: 2, ..Warmup::DEFAULT };
        close(&rates(vec![Box::new(half), Box::new(Constant)], 3), &[0.75, 1.0, 1.0]);
    }

    #[test]
    fn cosine_reaches_floor_at_last_step() {
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
    fn phase_lengths_accept_epochs() {
        let step = Step { every: Interval::Epochs(1), ..Step::DEFAULT };
        close(&rates(vec![Box::new(step)], 11), &[1., 1., 1., 1., 1., 0.1, 0.1, 0.1, 0.1, 0.1, 0.01]);
    }

    #[test]
    fn phase_starts_at_last_learning_rate_of_previous_phase() {
        let half = Constant { factor: 0.5, steps: 2, ..Constant };
        close(&rates(vec![Box::new(half), Box::new(Constant)], 4), &[0.5; 4]);
    }

    #[test]
    fn evaluation_between_steps_of_phase_is_observed() {
        let listener = ReduceOnPlateau { factor: 0.5, patience: 0, steps: 4, ..ReduceOnPlateau };
        let first = Constant { steps: 2, ..Constant };
        let mut schedule =
            Schedule::new(vec![Box::new(first), Box::new(listener), Box::new(Constant)], 1.0, 8, 2).unwrap();
        let mut looks = 0;
        for (steps, expected) in [(2, 1.0), (3, 1.0), (4, 0.5), (5, 0.25), (6, 0.25), (7, 0.25)] {
            let look = |_| {
                looks += 1;
                Ok((1.0, Direction::Lower))
            };
            schedule.see(steps, look).unwrap();
            close(&[schedule.rate(5), schedule.rate(6)], &[expected; 2]);
        }
        assert_eq!(looks, 3, "the phase runs from step 3 to step 6");
        assert_eq!(schedule.state()[1]["reductions"], 2.0);
        assert!(schedule.state()[0].is_null());
        assert!(schedule.spans()[1].listens);
        // The largest learning rate does not depend on evaluations.
        close(&[schedule.largest_rate()], &[1.0]);
    }

    #[test]
    fn schedule_state_is_restored_atomically() {
        let new = || Schedule::new(vec![Box::new(ReduceOnPlateau)], 1.0, 8, 2).unwrap();
        let mut schedule = new();
        // The best value is still infinite.
        schedule.see(2, |_| Ok((f64::INFINITY, Direction::Lower))).unwrap();
        let state = schedule.state();
        assert_eq!(state[0]["best"], "inf");
        let mut restored = new();
        restored.restore(&state).unwrap();
        assert_eq!(restored.state(), state);
        for other in [json!([]), json!([null]), json!([{ "best": 1.0 }]), json!([{ "a": 1, "b": 1 }])] {
            let problem = restored.restore(&other).unwrap_err().to_string();
            assert!(problem.contains("does not match the phases"), "{problem}");
            assert_eq!(restored.state(), state);
        }
    }

    /// No phase loops over steps, and nothing overflows.
    #[test]
    fn schedule_supports_any_run_length() {
        use super::super::{CosineRestarts, Linear, Polynomial};
        let most = u64::MAX;
        let steps = Interval::Steps;
        let phases: [Box<dyn AnyPhase>; 13] = [
            Box::new(Constant),
            Box::new(Warmup { steps: most, ..Warmup::DEFAULT }),
            Box::new(Linear::DEFAULT),
            Box::new(Cosine),
            Box::new(CosineRestarts { period: steps(1), ..CosineRestarts::DEFAULT }),
            Box::new(CosineRestarts { period: steps(3), multiply: most, ..CosineRestarts::DEFAULT }),
            Box::new(Polynomial),
            Box::new(InverseSqrt { warmup: steps(most), ..InverseSqrt::DEFAULT }),
            Box::new(Step { every: steps(1), ..Step::DEFAULT }),
            Box::new(MultiStep {
                at: &[Interval::Steps(1), Interval::Steps(u64::MAX - 1)],
                ..MultiStep::DEFAULT
            }),
            Box::new(Exponential { factor: 0.5, every: Interval::Epochs(most), ..Exponential::DEFAULT }),
            Box::new(OneCycle { max: 1.0, ..OneCycle::DEFAULT }),
            Box::new(ReduceOnPlateau),
        ];
        for phase in phases {
            for epoch in [1, 5, most] {
                let schedule = Schedule::new(vec![phase.boxed()], 1.0, most, epoch).unwrap();
                for k in [0, 1, most / 2, most - 1] {
                    assert!((0.0..=1.0).contains(&schedule.rate(k)), "{phase:?} at step {k}");
                }
                assert!(schedule.largest_rate() <= 1.0);
            }
        }
        let warmup = Warmup { steps: most, ..Warmup::DEFAULT };
        assert!(Schedule::new(vec![Box::new(warmup), Box::new(Constant)], 1.0, most, 5).is_err());
    }

    #[test]
    fn phases_must_cover_the_run() {
        let fault =
            |phases: Vec<Box<dyn AnyPhase>>| Schedule::new(phases, 1.0, 10, 5).unwrap_err().to_string();
        let warmup = |steps| Box::new(Warmup { steps, ..Warmup::DEFAULT });
        assert!(fault(vec![warmup(11), Box::new(Constant)]).contains("need 11 steps, but the run has 10"));
        assert!(fault(vec![warmup(10), Box::new(Constant)]).contains("need 11 steps, but the run has 10"));
        assert!(fault(vec![warmup(9)]).contains("end after 9 steps, but the run has 10"));
        assert!(fault(vec![Box::new(Constant), Box::new(Cosine)]).contains("has no length"));
        assert!(fault(vec![Box::new(Cosine { floor: 2.0, ..Cosine })]).contains("below its floor"));
        let warmup = InverseSqrt { warmup: Interval::Epochs(3), ..InverseSqrt::DEFAULT };
        assert!(fault(vec![Box::new(warmup)]).contains("warmup is 15 steps, but the phase has 10"));
        let late = MultiStep { at: &[Interval::Steps(4), Interval::Steps(10)], ..MultiStep::DEFAULT };
        assert!(fault(vec![Box::new(late)]).contains("after 10 steps, but the phase has 10"));
        let short = OneCycle { max: 1.0, rise: 0.1, ..OneCycle::DEFAULT };
        assert!(fault(vec![Box::new(short)]).contains("rises for 1 of 10 steps; expected more than 1"));
        let huge = Exponential { factor: 1e40, every: Interval::Steps(1), ..Exponential::DEFAULT };
        assert!(fault(vec![Box::new(huge)]).contains("reaches the learning rate inf"));
    }
}
