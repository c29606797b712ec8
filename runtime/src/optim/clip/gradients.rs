//! The gradients of a step, as passed to clipping methods.

use std::ops::Range;

use trainspec_kernels::grad_norm::{norm_of_sums, squares_of_each};
use trainspec_kernels::noise::add_normal;
use trainspec_kernels::subnormal::in_callers_mode;
use trainspec_kernels::threads;

use crate::error::Result;
use crate::layer::GraphParameter;
use crate::optim::HostAccess;
use crate::optim::scaled::{is_single, multiply};
use crate::rng::{StepIndex, Stream};

/// The number of elements that one thread scales at a time.
const BLOCK: usize = 32 * 1024;

/// The gradients of one step, averaged over its window.
///
/// Scaling and bounding cost nothing: they are recorded and applied in the optimizer's pass. Changing single elements
/// ([`Gradients::each_unit`]) takes a separate pass.
pub struct Gradients<'a> {
    host: &'a mut dyn HostAccess,
    about: &'a [GraphParameter],
    last_layer: Range<usize>,
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
    /// Creates the gradients of an engine after they were measured, for parameters `about`; `last_layer` is the range of the last
    /// layer with a matrix or kernel.
    pub(crate) fn new(
        host: &'a mut dyn HostAccess,
        about: &'a [GraphParameter],
        last_layer: Range<usize>,
        measure: &'a mut GradientStats,
    ) -> Self {
        Self { host, about, last_layer, measure }
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
    pub fn last_layer(&self) -> Range<usize> {
        self.last_layer.clone()
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
    /// A unit is the weights of one output: see [`Fans::units`](crate::layer::Fans::units). Parameters without a gradient are skipped.
    ///
    /// # Errors
    /// If a parameter cannot be read from the device.
    pub fn each_unit(&mut self, work: impl Fn(Unit<'_>) + Sync) -> Result<()> {
        let (about, measure) = (self.about, &mut *self.measure);
        self.host.edit(&mut |numbers| {
            measure.settle(numbers.gradients);
            let tensors = numbers.gradients.iter_mut().zip(numbers.parameters).zip(about);
            for (parameter, ((gradient, weights), about)) in tensors.enumerate() {
                if gradient.is_empty() {
                    continue;
                }
                let length = about.unit_length();
                let block = threads::block(gradient.len(), length);
                threads::chunks2((gradient, block), (weights, block), |_, gradient, weights| {
                    for (gradient, weights) in gradient.chunks_mut(length).zip(weights.chunks(length)) {
                        in_callers_mode(|| work(Unit { parameter, gradient, weights }));
                    }
                });
            }
        })
    }

    /// Applies factors that the optimizer's pass cannot apply in f32, because they are too small or too large.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let measure = &mut *self.measure;
        if measure.scales.iter().all(|&scale| is_single(scale)) {
            return Ok(());
        }
        self.host.edit(&mut |numbers| measure.settle(numbers.gradients))
    }

    /// Adds normal noise with this standard deviation to every element, from a separate random stream for each parameter.
    pub(crate) fn add_noise(&mut self, std: f64, streams: &[Stream], at: StepIndex) -> Result<()> {
        let measure = &mut *self.measure;
        self.host.edit(&mut |numbers| {
            measure.settle(numbers.gradients);
            for (gradient, stream) in numbers.gradients.iter_mut().zip(streams) {
                add_normal(gradient, std as f32, stream.key(), at.place());
            }
        })
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
    pub(crate) fn take(&mut self, gradients: &[Vec<f32>], average: f64) {
        squares_of_each(gradients, &mut self.norms);
        self.norm = norm_of_sums(&self.norms) * average;
        self.norms.iter_mut().for_each(|sum| *sum = sum.sqrt() * average);
        self.scales.fill(average);
        self.bound = f64::INFINITY;
    }

    /// Returns whether an element, after all recorded changes, overflows f32; or, for an optimizer that stores `squares`,
    /// whether its square does. Such an optimizer would never change that weight again, since the inverse of infinity is 0.
    pub(crate) fn is_too_large(&self, gradients: &[Vec<f32>], squares: bool) -> bool {
        /// The square root of the largest f32.
        const ROOT: f64 = 1.844_674_35e19;
        let most = if squares { ROOT } else { f64::from(f32::MAX) };
        let is_large = |(gradient, scale): (&Vec<f32>, &f64)| {
            gradient.iter().any(|&value| f64::from(value.abs()) * scale.abs() > most)
        };
        self.norm > most && self.bound > most && gradients.iter().zip(&self.scales).any(is_large)
    }

    /// Applies the recorded changes as the optimizer's pass would.
    fn settle(&mut self, gradients: &mut [Vec<f32>]) {
        let bound = self.bound as f32;
        for (gradient, &scale) in gradients.iter_mut().zip(&self.scales) {
            threads::chunks(gradient, BLOCK, |_, gradient| {
                multiply(gradient, scale);
                for value in gradient {
                    *value = value.clamp(-bound, bound);
                }
            });
        }
        self.scales.fill(1.0);
        self.bound = f64::INFINITY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An average over a weight below 1 can overflow although the sum is finite. It counts as too large for every optimizer,
    /// unless elements are bounded or scaled down first.
    #[test]
    fn average_above_f32_is_too_large_for_every_optimizer() {
        let gradients = [vec![f32::MAX, 1.0]];
        let mut stats = GradientStats::new(1);
        stats.take(&gradients, 2.0);
        assert!(stats.norm.is_finite() && stats.is_too_large(&gradients, false));
        stats.bound = 1.0;
        assert!(!stats.is_too_large(&gradients, true));
        stats.take(&gradients, 0.5);
        assert!(!stats.is_too_large(&gradients, false) && stats.is_too_large(&gradients, true));
    }
}
