//! A single element updated by an optimizer, for tests.

use super::{AnyOptimizer, ParameterConfig, Update};
use crate::layer::Role;

/// A weight with its optimizer state.
pub(super) struct Element<'a> {
    optimizer: &'a dyn AnyOptimizer,
    role: Role,
    weight: f32,
    state: Vec<f32>,
    t: u64,
}

impl<'a> Element<'a> {
    pub(super) fn new(optimizer: &'a dyn AnyOptimizer, role: Role, weight: f32) -> Self {
        let state = (0..optimizer.state_names().len()).map(|slot| optimizer.initial(slot)).collect();
        Self { optimizer, role, weight, state, t: 0 }
    }

    /// Returns the weight after one more step.
    pub(super) fn step(&mut self, lr: f64, gradient: f32) -> f32 {
        self.t += 1;
        let update = Update {
            optimizer: self.optimizer,
            t: self.t,
            lr,
            treatments: &[ParameterConfig::of(self.role, self.optimizer.penalties())],
            scales: &[1.0],
            bound: f64::INFINITY,
            share: 1.0 / self.t as f64,
            starts: &[],
        };
        let (step, incoming) = update.of(0, self.role);
        let mut slots: Vec<&mut [f32]> = self.state.iter_mut().map(std::slice::from_mut).collect();
        let weight = std::slice::from_mut(&mut self.weight);
        self.optimizer.update_block(step, incoming, weight, &[gradient], &mut slots);
        self.weight
    }
}
