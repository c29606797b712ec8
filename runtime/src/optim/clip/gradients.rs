//! The gradients of a step, as passed to clipping methods.

use trainspec_kernels::grad_norm::norm_of_sums;

use crate::error::Result;
use crate::layer::{GraphParameter, NodeParameter};
use crate::optim::scaled::is_single;
use crate::optim::{ParameterStore, UnitClip};
use crate::rng::{StepIndex, Stream};

/// The gradients of one step, averaged over its window.
///
/// Scaling and bounding cost nothing: they are recorded and applied in the optimizer's pass. Changing single elements
/// ([`Gradients::each_unit`]) takes a separate pass.
pub struct Gradients<'a> {
    store: &'a mut dyn ParameterStore,
    about: &'a [GraphParameter],
    last_layer: &'a [NodeParameter],
    measure: &'a mut GradientStats,
}

/// The part of a gradient that belongs to one output of a layer.
#[derive(Debug)]
pub struct Unit<'a> {
    /// The index of its parameter in the graph.
    pub parameter: usize,
    /// Its gradient.
    pub gradient: &'a mut [f32],
    /// Its weights.
    pub weights: &'a [f32],
}

impl<'a> Gradients<'a> {
    /// Creates the gradients of a store after they were measured, for parameters `about`; `last_layer` are those of the
    /// last layer with a matrix or kernel.
    pub(crate) fn new(
        store: &'a mut dyn ParameterStore,
        about: &'a [GraphParameter],
        last_layer: &'a [NodeParameter],
        measure: &'a mut GradientStats,
    ) -> Self {
        Self { store, about, last_layer, measure }
    }

    /// Returns the norm of all gradients before any change.
    #[must_use]
    pub fn norm(&self) -> f64 {
        self.measure.norm
    }

    /// Returns the norm of each parameter's gradient before any change; 0 for a parameter without one.
    #[must_use]
    pub fn norms(&self) -> &[f64] {
        &self.measure.norms
    }

    /// Returns the parameters of the gradients, in the same order.
    #[must_use]
    pub fn parameters(&self) -> &[GraphParameter] {
        self.about
    }

    /// Returns the parameters of the last layer with a matrix or kernel; empty if there is none.
    #[must_use]
    pub fn last_layer(&self) -> &'a [NodeParameter] {
        self.last_layer
    }

    /// Multiplies all gradients.
    pub fn scale_all(&mut self, factor: f64) {
        self.measure.scales.iter_mut().for_each(|scale| *scale *= factor);
    }

    /// Multiplies the gradient of one parameter.
    ///
    /// # Panics
    /// If there is no parameter with that index.
    pub fn scale(&mut self, parameter: usize, factor: f64) {
        self.measure.scales[parameter] *= factor;
    }

    /// Bounds the magnitude of each element by `max`, 0 or more, after all scaling.
    pub fn bound(&mut self, max: f64) {
        self.measure.bound = self.measure.bound.min(max.max(0.0));
    }

    /// Calls `work` for each unit in parallel. `work` may change the gradient of the unit and read its weights. The gradient
    /// is scaled and bounded as recorded so far.
    ///
    /// A unit is the weights of one output: a slice along the first axis of a parameter with two or more axes, or along the
    /// second in a transposed convolution. A parameter with one axis is one unit. Parameters without a gradient are skipped.
    ///
    /// # Errors
    /// If a parameter cannot be read from the device.
    pub fn each_unit(&mut self, work: impl Fn(Unit<'_>) + Sync) -> Result<()> {
        self.clip_units(UnitClip::Host(&work), &[])
    }

    /// Clips the gradients of units, except for those of the parameters `except`. The gradient is scaled and bounded as recorded so
    /// far. On a device, [`UnitClip::Adaptive`] runs there.
    ///
    /// # Errors
    /// If a parameter cannot be read from the device.
    pub fn clip_units(&mut self, clip: UnitClip<'_>, except: &[NodeParameter]) -> Result<()> {
        self.settle()?;
        self.store.clip_units(clip, except)
    }

    /// Applies factors that the optimizer's pass cannot apply in f32, because they are too small or too large.
    pub(crate) fn finish(&mut self) -> Result<()> {
        if self.measure.scales.iter().all(|&scale| is_single(scale)) { Ok(()) } else { self.settle() }
    }

    /// Adds normal noise with this standard deviation to every element, from a separate random stream for each parameter.
    pub(crate) fn add_noise(&mut self, std: f64, streams: &[Stream], at: StepIndex) -> Result<()> {
        self.settle()?;
        self.store.add_noise(std as f32, streams, at)
    }

    /// Applies the recorded changes as the optimizer's pass would.
    fn settle(&mut self) -> Result<()> {
        let measure = &mut *self.measure;
        self.store.scale(&measure.scales, measure.bound)?;
        measure.scales.fill(1.0);
        measure.bound = f64::INFINITY;
        Ok(())
    }
}

/// The norms of a step's gradients and the changes to apply in the optimizer's pass. It is reused from step to
/// step, so that nothing is allocated.
#[derive(Debug)]
pub(crate) struct GradientStats {
    /// [`Gradients::norm`]
    pub(crate) norm: f64,
    /// [`Gradients::norms`]
    pub(crate) norms: Vec<f64>,
    /// The factor for each parameter's summed gradient.
    pub(crate) scales: Vec<f64>,
    /// The bound on the magnitude of an element after that.
    pub(crate) bound: f64,
}

impl GradientStats {
    /// Allocates for a graph with that many parameters.
    pub(crate) fn new(parameters: usize) -> Self {
        Self { norm: 0.0, norms: vec![0.0; parameters], scales: vec![1.0; parameters], bound: f64::INFINITY }
    }

    /// Computes the norms of a window's summed gradients; `average` is the factor from a sum to an average.
    pub(crate) fn take(&mut self, store: &dyn ParameterStore, average: f64) -> Result<()> {
        store.squares(&mut self.norms)?;
        self.norm = norm_of_sums(&self.norms) * average;
        self.norms.iter_mut().for_each(|sum| *sum = sum.sqrt() * average);
        self.scales.fill(average);
        self.bound = f64::INFINITY;
        Ok(())
    }

    /// Returns whether an element, after all recorded changes, overflows f32; or, for an optimizer that stores `squares`,
    /// whether its square does. Such an optimizer would never change that weight again, since the inverse of infinity is 0.
    pub(crate) fn is_too_large(&self, store: &dyn ParameterStore, squares: bool) -> Result<bool> {
        /// The square root of the largest f32.
        const ROOT: f64 = 1.844_674_35e19;
        let most = if squares { ROOT } else { f64::from(f32::MAX) };
        if self.norm > most && self.bound > most { store.exceeds(&self.scales, most) } else { Ok(false) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An average over a weight below 1 can overflow although the sum is finite. It counts as too large for every optimizer,
    /// unless elements are bounded or scaled down first.
    #[test]
    fn average_above_f32_is_too_large_for_every_optimizer() {
        let mut training = crate::fixture::experiment();
        let graph = training.graph().unwrap();
        let mut engine = crate::engine::open(&graph, training.settings().unwrap()).unwrap();
        let store = engine.store_mut();
        store
            .edit(&mut |host| {
                host.gradients.iter_mut().for_each(|gradient| gradient.fill(0.0));
                host.gradients[0][..2].copy_from_slice(&[f32::MAX, 1.0]);
            })
            .unwrap();
        let mut stats = GradientStats::new(graph.parameters.len());
        stats.take(store, 2.0).unwrap();
        assert!(stats.norm.is_finite() && stats.is_too_large(store, false).unwrap());
        stats.bound = 1.0;
        assert!(!stats.is_too_large(store, true).unwrap());
        stats.take(store, 0.5).unwrap();
        assert!(!stats.is_too_large(store, false).unwrap() && stats.is_too_large(store, true).unwrap());
    }
}
