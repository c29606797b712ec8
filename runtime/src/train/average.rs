//! The moving average of the weights.

use trainspec_kernels::average::lerp;

use crate::engine::Engine;
use crate::error::Result;
use crate::graph::Graph;
use crate::optim::Ema;

/// An average of a graph's parameters over the applied steps of a run.
pub(super) struct Average {
    rule: Ema,
    /// In the graph's order; running statistics are those of the last step.
    numbers: Vec<Vec<f32>>,
    /// Which parameters are averaged, not copied.
    is_averaged: Vec<bool>,
}

impl Average {
    /// An average that starts as a copy of what the engine holds.
    pub(super) fn new(rule: Ema, graph: &Graph, engine: &dyn Engine) -> Result<Self> {
        let numbers = engine
            .parameters()?
            .iter()
            .map(|tensor| Ok(tensor.flatten_all()?.to_vec1()?))
            .collect::<Result<_>>()?;
        let is_averaged = graph.parameters.iter().map(|parameter| parameter.is_trained()).collect();
        Ok(Self { rule, numbers, is_averaged })
    }

    /// Takes in the parameters after applied step `t`, counted from 1.
    pub(super) fn add(&mut self, t: u64, parameters: &[Vec<f32>]) {
        let share = (1.0 - self.rule.decay_at(t)) as f32;
        for ((average, values), is_averaged) in self.numbers.iter_mut().zip(parameters).zip(&self.is_averaged)
        {
            if *is_averaged {
                lerp(average, values, share);
            } else {
                average.copy_from_slice(values);
            }
        }
    }

    /// The average, in the graph's order.
    pub(super) fn numbers(&self) -> &[Vec<f32>] {
        &self.numbers
    }

    /// Exchanges the engine's parameters for the average, or back.
    pub(super) fn swap(&mut self, engine: &mut dyn Engine) -> Result<()> {
        engine.edit(&mut |numbers| {
            for (average, parameter) in self.numbers.iter_mut().zip(numbers.parameters) {
                std::mem::swap(average, parameter);
            }
        })
    }
}
