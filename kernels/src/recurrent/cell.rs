//! What both recurrent layers do in the same way: checks, blocks of samples, and the products over all steps.

use std::fmt::Debug;

use super::{Gradients, PackedWeights, Prepared, SAMPLES, Sizes, Weights};
use crate::matmul::{Packed, View, WriteMode, product};
use crate::{scratch, threads};

/// A recurrent layer of one direction: an [`Lstm`](crate::lstm::Lstm) or a [`Gru`](crate::gru::Gru).
///
/// With `gates` gates, `x` is `[batch, length, inputs]`, `y` is `[batch, length, hidden]`, and the weights are [`Weights`].
pub trait Cell: Debug + Copy + Send + Sync {
    /// The layer for `batch` samples of `length` steps with `inputs` inputs each, and a state of `hidden` elements.
    fn new(batch: usize, length: usize, inputs: usize, hidden: usize) -> Self;

    /// The number of elements that backward needs in addition to inputs and outputs: the activated gates
    /// (`[batch, length, gates hidden]`), then another value of each step (`[batch, length, hidden]`).
    #[must_use]
    fn saved(&self) -> usize;

    /// Writes the outputs of all steps to `y`, and the data for backward, [`Cell::saved`] elements, to `saved`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    fn forward(&self, x: &[f32], weights: &Weights<'_>, y: &mut [f32], saved: &mut [f32]);

    /// Writes the outputs of all steps to `y`, bit-identical to those of [`Cell::forward`]; nothing is kept.
    ///
    /// # Panics
    /// As [`Cell::forward`].
    fn infer(&self, x: &[f32], weights: &Weights<'_>, y: &mut [f32]);

    /// Packs the weights for [`Cell::infer_packed`], for any number of samples.
    ///
    /// # Panics
    /// As [`Cell::forward`], about the weights.
    #[must_use]
    fn pack(&self, weights: &Weights<'_>) -> PackedWeights;

    /// [`Cell::infer`] with weights from [`Cell::pack`]: the same bits, in less time for few steps of few samples.
    ///
    /// # Panics
    /// As [`Cell::forward`], or if the weights are those of other sizes.
    fn infer_packed(&self, x: &[f32], weights: &PackedWeights, y: &mut [f32]);

    /// Computes the gradients of the weights and of `x`, from that of `y`, `dy`.
    ///
    /// `y` and `saved` are the outputs of [`Cell::forward`] for the same `x` and `weights`. Gradients overwrite the values
    /// in `saved`, so it can be used only once.
    ///
    /// # Panics
    /// As [`Cell::forward`], or if a gradient is not as long as its value.
    #[allow(clippy::too_many_arguments, reason = "each is an array of its own")]
    fn backward(
        &self,
        x: &[f32],
        weights: &Weights<'_>,
        y: &[f32],
        saved: &mut [f32],
        dy: &[f32],
        dx: Option<(&mut [f32], WriteMode)>,
        gradients: Gradients<'_>,
    );
}

/// The data that the steps of a block of samples keep for backward.
pub(crate) struct Kept<'a> {
    /// The values of the gates: `[samples, length, gates hidden]`.
    pub(crate) gates: &'a mut [f32],
    /// Another value of each step: `[samples, length, hidden]`.
    pub(crate) other: &'a mut [f32],
}

/// The steps of a recurrent layer: all that differs between them.
pub(crate) trait Steps: Debug + Copy + Send + Sync {
    /// Whether a forward pass that keeps the gates finds the input's part of all steps in them.
    const PROJECTS: bool;
    /// The length of the combined biases, in multiples of the state.
    const BIASES: usize;

    fn of(batch: usize, length: usize, inputs: usize, hidden: usize) -> Self;

    fn sizes(&self) -> Sizes;

    /// Combines both biases; zeros without biases.
    fn combine(&self, weights: &Weights<'_>, bias: &mut [f32]);

    /// Runs a block of samples, whose outputs are `y` and whose inputs `x` begins with, through all steps; `kept` receives
    /// the data for backward.
    fn walk(&self, weights: &Prepared<'_>, x: &[f32], y: &mut [f32], kept: Option<Kept<'_>>);

    /// Runs a block of samples backward through all steps: what was kept becomes the gradients of the sums, of the input's part for the
    /// gates.
    fn walk_back(&self, w: &Packed<'_>, kept: Kept<'_>, y: &[f32], dy: &[f32]);

    /// Writes the gradient of the state's weight, from what was kept after [`Steps::walk_back`] and the outputs of the steps before.
    fn hidden_gradient(&self, kept: [&[f32]; 2], previous: View<'_>, gradient: (&mut [f32], WriteMode));

    /// Writes the gradients of both biases.
    fn bias_gradients(&self, kept: [&[f32]; 2], gradients: [(&mut [f32], WriteMode); 2]);

    /// Passes `run` the weights, packed, and the combined biases. The input's weight is packed if `reads_input`.
    fn prepare(&self, weights: &Weights<'_>, reads_input: bool, run: impl FnOnce(&Prepared<'_>)) {
        let sizes = self.sizes();
        scratch::with(Self::BIASES * sizes.hidden, |bias| {
            self.combine(weights, bias);
            sizes.with_packed(weights.hidden, sizes.hidden, |&hidden| {
                if reads_input {
                    sizes.with_packed(weights.input, sizes.inputs, |&input| {
                        run(&Prepared { input: Some(input), hidden, bias });
                    });
                } else {
                    run(&Prepared { input: None, hidden, bias });
                }
            });
        });
    }

    /// Runs all samples through all steps, and keeps nothing.
    fn walks(&self, weights: &Prepared<'_>, x: &[f32], y: &mut [f32]) {
        let Sizes { length, inputs, hidden, .. } = self.sizes();
        threads::chunks(y, SAMPLES * length * hidden, |number, y| {
            self.walk(weights, &x[number * SAMPLES * length * inputs..], y, None);
        });
    }
}

impl<S: Steps> Cell for S {
    fn new(batch: usize, length: usize, inputs: usize, hidden: usize) -> Self {
        S::of(batch, length, inputs, hidden)
    }

    fn saved(&self) -> usize {
        let sizes = self.sizes();
        sizes.steps() * (sizes.gates + 1) * sizes.hidden
    }

    fn forward(&self, x: &[f32], weights: &Weights<'_>, y: &mut [f32], saved: &mut [f32]) {
        let sizes = self.sizes();
        sizes.check(x, weights, y);
        assert_eq!(saved.len(), self.saved(), "saved has the length that it should");
        if y.is_empty() {
            return;
        }
        let (gates, other) = saved.split_at_mut(sizes.steps() * sizes.row());
        if S::PROJECTS {
            sizes.project(x, weights, gates);
        }
        self.prepare(weights, !S::PROJECTS, |weights| {
            let block = SAMPLES * sizes.length * sizes.hidden;
            let (gates, other) = ((gates, sizes.gates * block), (other, block));
            threads::chunks3(gates, other, (y, block), |number, gates, other, y| {
                let x = &x[number * SAMPLES * sizes.length * sizes.inputs..];
                self.walk(weights, x, y, Some(Kept { gates, other }));
            });
        });
    }

    fn infer(&self, x: &[f32], weights: &Weights<'_>, y: &mut [f32]) {
        self.sizes().check(x, weights, y);
        if !y.is_empty() {
            self.prepare(weights, true, |weights| self.walks(weights, x, y));
        }
    }

    fn pack(&self, weights: &Weights<'_>) -> PackedWeights {
        let sizes = self.sizes();
        sizes.check_weights(weights);
        let mut bias = vec![0.0; S::BIASES * sizes.hidden];
        self.combine(weights, &mut bias);
        sizes.pack(weights, bias)
    }

    fn infer_packed(&self, x: &[f32], weights: &PackedWeights, y: &mut [f32]) {
        self.sizes().check_values(x, y);
        self.sizes().check_packed(weights);
        if !y.is_empty() {
            self.walks(&weights.prepared(), x, y);
        }
    }

    fn backward(
        &self,
        x: &[f32],
        weights: &Weights<'_>,
        y: &[f32],
        saved: &mut [f32],
        dy: &[f32],
        dx: Option<(&mut [f32], WriteMode)>,
        gradients: Gradients<'_>,
    ) {
        let sizes = self.sizes();
        let Sizes { length, inputs, hidden, .. } = sizes;
        sizes.check(x, weights, y);
        sizes.check_gradients(&gradients);
        assert_eq!(saved.len(), self.saved(), "saved has the length that it should");
        assert_eq!(dy.len(), y.len(), "the gradient of y is as long as y");
        let dx_length = dx.as_ref().map_or(x.len(), |(dx, _)| dx.len());
        assert_eq!(dx_length, x.len(), "the gradient of x is as long as x");
        let (gates, other) = saved.split_at_mut(sizes.steps() * sizes.row());
        if !y.is_empty() {
            let block = SAMPLES * length * hidden;
            sizes.with_packed_back(weights.hidden, |w| {
                threads::chunks2(
                    (&mut *gates, sizes.gates * block),
                    (&mut *other, block),
                    |number, gates, other| {
                        let start = number * block;
                        self.walk_back(w, Kept { gates, other }, &y[start..], &dy[start..]);
                    },
                );
            });
        }

        let kept = [&*gates, &*other];
        let gates = View::new(gates, sizes.steps(), sizes.row());
        let (d_weight, onto) = gradients.input;
        product(gates.transposed(), View::new(x, sizes.steps(), inputs), d_weight, onto);
        scratch::with(y.len(), |previous| {
            sizes.previous(y, previous);
            let previous = View::new(previous, sizes.steps(), hidden);
            self.hidden_gradient(kept, previous, gradients.hidden);
        });
        if let Some(biases) = gradients.biases {
            self.bias_gradients(kept, biases);
        }
        if let Some((dx, onto)) = dx {
            product(gates, View::new(weights.input, sizes.row(), inputs), dx, onto);
        }
    }
}
