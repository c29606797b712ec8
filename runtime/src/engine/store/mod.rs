//! The parameters, gradients and optimizer state of an engine in host memory.

mod rows;
#[cfg(test)]
mod tests;
mod update;

use std::borrow::Cow;

use trainspec_kernels::arena::{TensorArena, TensorList};
use trainspec_kernels::ema::lerp;
use trainspec_kernels::grad_norm::{global_norm, squares_of_each};
use trainspec_kernels::noise::add_normal;
use trainspec_kernels::subnormal::{flushed, in_callers_mode};
use trainspec_kernels::update::add_multiple;
use trainspec_kernels::{scratch, threads};

use crate::data::Batch;
use crate::error::{Error, Result};
use crate::graph::{Graph, GraphParameter};
use crate::layer::NodeParameter;
use crate::optim::{
    AnyConstraint, HostParameters, ParameterStore, Unit, UnitClip, Update, WeightCopy, in_units, is_single,
    multiply, of_units, unit_length,
};
use crate::rng::{StepIndex, Stream};
use crate::world::World;
use rows::ReadRows;

/// The number of elements that one thread scales at a time.
const BLOCK: usize = 32 * 1024;

/// Weights, gradients, state and copies in host memory. The engine that owns it reads and writes weights and gradients in place.
pub(super) struct HostStore {
    /// What the graph says about each parameter.
    about: Vec<GraphParameter>,
    pub(super) weights: Vec<Vec<f32>>,
    /// Adjacent, so that processes can exchange them as one list.
    pub(super) gradients: TensorArena,
    /// The rows that the window has read.
    rows: ReadRows,
    state: Vec<Vec<Vec<f32>>>,
    average: Option<Vec<Vec<f32>>>,
    best: Option<Vec<Vec<f32>>>,
    unperturbed: Option<Vec<Vec<f32>>>,
    /// The sum of gradients over processes; `None` before the first.
    sum: Option<TensorArena>,
    /// Whether operations flush subnormal numbers.
    flushes: bool,
    /// Whether the gradients were changed by something else than a backward pass.
    edited: bool,
    /// Whether the weights were changed by something else than a forward pass.
    changed: bool,
}

impl HostStore {
    /// Creates a store for a graph with these parameters in its order. The optimizer state is empty before the first step.
    pub(super) fn new(graph: &Graph, weights: Vec<Vec<f32>>, flushes: bool) -> Result<Self> {
        let about = graph.parameters.clone();
        check(&about, &weights)?;
        let length = |about: &GraphParameter| if about.is_trained() { about.shape.elements() } else { 0 };
        let lengths = about.iter().map(length);
        let bytes = lengths.clone().fold(0_u64, |sum, length| sum.saturating_add(4 * length as u64));
        let gradients = TensorArena::new(lengths).map_err(|cause| Error::Memory { bytes, cause })?;
        Ok(Self {
            rows: ReadRows::of(graph),
            about,
            weights,
            gradients,
            state: Vec::new(),
            average: None,
            best: None,
            unperturbed: None,
            sum: None,
            flushes,
            edited: false,
            changed: true,
        })
    }

    /// Sets all gradients to 0, and starts the list of rows that a window reads.
    pub(super) fn start_window(&mut self) {
        self.gradients.flat_mut().fill(0.0);
        self.start_rows();
        self.edited = false;
    }

    /// Starts the list of rows that a window reads.
    pub(super) fn start_rows(&mut self) {
        self.rows.clear();
    }

    /// Adds the rows that a batch reads.
    pub(super) fn add_rows(&mut self, batch: &Batch) {
        self.rows.add(batch);
    }

    /// Adds the rows that micro-batches of other processes read, by the tokens of each input.
    pub(super) fn add_tokens(&mut self, tokens: &[Vec<u32>]) {
        tokens.iter().enumerate().for_each(|(input, tokens)| self.rows.add_tokens(input, tokens));
    }

    /// Returns whether the gradients were changed by something else than a backward pass. Then gradients that no kernel writes (of layers
    /// whose output the model does not use) must be reset to 0 in the next window.
    pub(super) fn take_edited(&mut self) -> bool {
        std::mem::take(&mut self.edited)
    }

    /// Returns whether the weights were changed by something else than a forward pass since the last call.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Runs `work` in the floating-point mode of the store.
    fn run<R>(flushes: bool, work: impl FnOnce() -> R) -> R {
        if flushes { flushed(work) } else { work() }
    }

    fn slot(&self, copy: WeightCopy) -> Option<&[Vec<f32>]> {
        match copy {
            WeightCopy::Average => self.average.as_deref(),
            WeightCopy::Best => self.best.as_deref(),
            WeightCopy::Unperturbed => self.unperturbed.as_deref(),
        }
    }

    fn slot_mut(&mut self, copy: WeightCopy) -> &mut Option<Vec<Vec<f32>>> {
        match copy {
            WeightCopy::Average => &mut self.average,
            WeightCopy::Best => &mut self.best,
            WeightCopy::Unperturbed => &mut self.unperturbed,
        }
    }
}

impl ParameterStore for HostStore {
    fn weights(&self) -> Result<Cow<'_, [Vec<f32>]>> {
        Ok(self.weights.as_slice().into())
    }

    fn set_weights(&mut self, weights: Vec<Vec<f32>>) -> Result<()> {
        check(&self.about, &weights)?;
        self.weights = weights;
        self.changed = true;
        Ok(())
    }

    fn take_weights(&mut self) -> Result<Vec<Vec<f32>>> {
        Ok(std::mem::take(&mut self.weights))
    }

    fn optimizer_state(&self) -> Result<Cow<'_, [Vec<Vec<f32>>]>> {
        Ok(self.state.as_slice().into())
    }

    fn set_optimizer_state(&mut self, state: Vec<Vec<Vec<f32>>>) -> Result<()> {
        update::check_state(&state, self.gradients.tensors())?;
        self.state = state;
        Ok(())
    }

    fn gradients(&self) -> Result<Vec<Vec<f32>>> {
        Ok(self.gradients.tensors().iter().map(<[f32]>::to_vec).collect())
    }

    fn edit(&mut self, work: &mut dyn FnMut(HostParameters<'_>)) -> Result<()> {
        (self.edited, self.changed) = (true, true);
        let Self { weights, gradients, flushes, .. } = self;
        let mut gradients: Vec<_> = gradients.iter_mut().collect();
        Self::run(*flushes, || work(HostParameters { parameters: weights, gradients: &mut gradients }));
        check(&self.about, &self.weights)
    }

    fn squares(&self, sums: &mut [f64]) -> Result<()> {
        squares_of_each(self.gradients.tensors(), sums);
        Ok(())
    }

    fn exceeds(&self, scales: &[f64], most: f64) -> Result<bool> {
        let is_large = |(gradient, scale): (&[f32], &f64)| {
            gradient.iter().any(|&value| f64::from(value.abs()) * scale.abs() > most)
        };
        Ok(self.gradients.tensors().iter().zip(scales).any(is_large))
    }

    fn first_non_finite(&self) -> Result<Option<usize>> {
        let is_broken = |gradient: &[f32]| gradient.iter().any(|value| !value.is_finite());
        Ok(self.gradients.tensors().iter().position(is_broken))
    }

    fn scale(&mut self, scales: &[f64], bound: f64) -> Result<()> {
        self.edited = true;
        let bound = bound as f32;
        let gradients = self.gradients.iter_mut();
        Self::run(self.flushes, || {
            for (gradient, &scale) in gradients.zip(scales) {
                threads::chunks(gradient, BLOCK, |_, gradient| {
                    multiply(gradient, scale);
                    for value in gradient {
                        *value = value.clamp(-bound, bound);
                    }
                });
            }
        });
        Ok(())
    }

    fn add_noise(&mut self, std: f32, streams: &[Stream], at: StepIndex) -> Result<()> {
        self.edited = true;
        let gradients = self.gradients.iter_mut().zip(&self.about);
        Self::run(self.flushes, || {
            for ((gradient, about), stream) in gradients.zip(streams) {
                let columns = about.shape.last();
                let row = about.zero_row.map(|row| row * columns..(row + 1) * columns);
                let Some(row) = row.filter(|row| row.end <= gradient.len()) else {
                    add_normal(gradient, std, stream.key(), at.place());
                    continue;
                };
                scratch::with(columns, |before| {
                    before.copy_from_slice(&gradient[row.clone()]);
                    add_normal(gradient, std, stream.key(), at.place());
                    gradient[row].copy_from_slice(before);
                });
            }
        });
        Ok(())
    }

    fn clip_units(&mut self, clip: UnitClip<'_>, except: &[NodeParameter]) -> Result<()> {
        self.edited = true;
        let tensors = self.gradients.iter_mut().zip(&self.weights).zip(&self.about).enumerate();
        let is_clipped = |parameter: usize| !except.iter().any(|own| own.index == parameter);
        Self::run(self.flushes, || {
            for (parameter, ((gradient, weights), about)) in tensors {
                if !gradient.is_empty() && is_clipped(parameter) {
                    clip_tensor(clip, parameter, about, gradient, weights);
                }
            }
        });
        Ok(())
    }

    fn perturb(&mut self, factor: f64) -> Result<()> {
        let Self { weights, gradients, flushes, .. } = self;
        let gradients = gradients.tensors();
        Self::run(*flushes, || {
            for (weights, gradients) in weights.iter_mut().zip(gradients.iter()) {
                if gradients.is_empty() {
                    continue;
                }
                if is_single(factor) {
                    add_multiple(weights, gradients, factor as f32);
                } else {
                    // Of a gradient that is very small or large.
                    for (weight, gradient) in weights.iter_mut().zip(gradients) {
                        *weight += (f64::from(*gradient) * factor) as f32;
                    }
                }
            }
        });
        self.changed = true;
        Ok(())
    }

    fn update(&mut self, update: &Update<'_>) -> Result<()> {
        let Self { about, weights, gradients, rows, state, flushes, .. } = self;
        let gradients = gradients.tensors();
        if state.is_empty() {
            *state = update::initial_state(update, about, weights);
        }
        update::check_lengths(update.optimizer, about, state)?;
        Self::run(*flushes, || update::apply(update, about, weights, gradients, state, rows));
        self.changed = true;
        Ok(())
    }

    fn hold(&mut self, held: &[bool]) -> Result<()> {
        self.edited = true;
        let gradients = self.gradients.iter_mut().zip(held).filter(|(_, held)| **held);
        gradients.for_each(|(gradient, _)| gradient.fill(0.0));
        Ok(())
    }

    fn constrain(&mut self, constraint: &dyn AnyConstraint, held: &[bool]) -> Result<()> {
        let Self { about, weights, flushes, .. } = self;
        let limit = constraint.lowering();
        Self::run(*flushes, || {
            let is_held = |place: usize| held.get(place) == Some(&true);
            let trained = weights.iter_mut().zip(&*about).enumerate();
            let trained = trained.filter(|(place, (_, about))| about.is_trained() && !is_held(*place));
            let trained = trained.map(|(_, parameter)| parameter);
            for (weights, about) in trained.filter(|(_, about)| constraint.touches(about.role)) {
                let length = unit_length(about);
                let block = threads::block(weights.len(), length);
                in_units(about, weights, |weights| {
                    threads::chunks(weights, block, |_, weights| {
                        for unit in weights.chunks_mut(length) {
                            in_callers_mode(|| match limit {
                                Some(limit) => limit.apply(unit),
                                None => constraint.constrain(unit),
                            });
                        }
                    });
                });
            }
        });
        self.changed = true;
        Ok(())
    }

    fn copy(&mut self, to: WeightCopy) -> Result<()> {
        // Reuses the memory of the previous copy.
        let mut copy = self.slot_mut(to).take().unwrap_or_default();
        self.weights.clone_into(&mut copy);
        *self.slot_mut(to) = Some(copy);
        Ok(())
    }

    fn copied(&self, from: WeightCopy) -> Result<Option<Cow<'_, [Vec<f32>]>>> {
        Ok(self.slot(from).map(Cow::from))
    }

    fn set_copy(&mut self, to: WeightCopy, weights: Vec<Vec<f32>>) -> Result<()> {
        check(&self.about, &weights)?;
        *self.slot_mut(to) = Some(weights);
        Ok(())
    }

    fn swap(&mut self, with: WeightCopy) -> Result<()> {
        if let Some(mut copy) = self.slot_mut(with).take() {
            std::mem::swap(&mut self.weights, &mut copy);
            *self.slot_mut(with) = Some(copy);
            self.changed = true;
        }
        Ok(())
    }

    fn average(&mut self, share: f32) -> Result<()> {
        let Self { about, weights, average: Some(average), flushes, .. } = self else { return Ok(()) };
        Self::run(*flushes, || {
            for ((average, weights), about) in average.iter_mut().zip(&*weights).zip(&*about) {
                if about.is_trained() {
                    lerp(average, weights, share);
                } else {
                    average.copy_from_slice(weights);
                }
            }
        });
        Ok(())
    }

    fn derive_average(&mut self, slot: usize, share: f32) -> Result<()> {
        let Self { weights, state, average: Some(average), flushes, .. } = self else { return Ok(()) };
        Self::run(*flushes, || {
            for (place, (average, weights)) in average.iter_mut().zip(&*weights).enumerate() {
                average.copy_from_slice(weights);
                let state = state.get(place).and_then(|state| state.get(slot));
                if let Some(state) = state.filter(|state| !state.is_empty()) {
                    lerp(average, state, share);
                }
            }
        });
        Ok(())
    }

    fn clear(&mut self) -> Result<()> {
        self.edited = true;
        self.gradients.flat_mut().fill(-0.0);
        Ok(())
    }

    fn begin_sum(&mut self) -> Result<()> {
        let sum = match self.sum.take() {
            Some(sum) => sum,
            None => {
                let bytes = 4 * self.gradients.tensors().elements() as u64;
                self.gradients.like().map_err(|cause| Error::Memory { bytes, cause })?
            }
        };
        self.sum.insert(sum).flat_mut().fill(-0.0);
        Ok(())
    }

    fn add_to_sum(&mut self, world: &World, contributes: bool) -> Result<()> {
        let sum = self.sum.as_mut().ok_or(NO_SUM)?;
        world.add_in_order(sum.flat_mut(), contributes.then(|| self.gradients.flat()))
    }

    fn finish_sum(&mut self) -> Result<()> {
        self.edited = true;
        let sum = self.sum.as_ref().ok_or(NO_SUM)?;
        self.gradients.flat_mut().copy_from_slice(sum.flat());
        Ok(())
    }
}

const NO_SUM: Error = Error::Internal("a sum of gradients that was not started");

/// Clips the gradients of one parameter, whose weights these are.
fn clip_tensor(
    clip: UnitClip<'_>,
    parameter: usize,
    about: &GraphParameter,
    gradient: &mut [f32],
    weights: &[f32],
) {
    let length = unit_length(about);
    let block = threads::block(gradient.len(), length);
    in_units(about, gradient, |gradient| {
        of_units(about, weights, |weights| {
            threads::chunks(gradient, block, |number, gradient| {
                let weights = &weights[number * block..][..gradient.len()];
                for (gradient, weights) in gradient.chunks_mut(length).zip(weights.chunks(length)) {
                    in_callers_mode(|| match clip {
                        UnitClip::Adaptive { factor, eps } => clip_adaptively(gradient, weights, factor, eps),
                        UnitClip::Host(work) => work(Unit { parameter, gradient, weights }),
                    });
                }
            });
        });
    });
}

fn clip_adaptively(gradient: &mut [f32], weights: &[f32], factor: f64, eps: f64) {
    let most = factor * global_norm([weights]).max(eps);
    let norm = global_norm([&*gradient]);
    // Unchanged gradients are not even multiplied by 1.
    if norm > most {
        multiply(gradient, most / norm);
    }
}

/// Checks that each parameter has as many values as in the graph.
pub(super) fn check(about: &[GraphParameter], weights: &[Vec<f32>]) -> Result<()> {
    if weights.iter().map(Vec::len).eq(about.iter().map(|about| about.shape.elements())) {
        return Ok(());
    }
    Err(Error::Internal("the parameters are not those of the graph"))
}
