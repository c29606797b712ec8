//! Long short-term memory over a sequence, from a state of zeros.
//!
//! With `[i, f, g, o] = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh`:
//! `c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g)`, `h_t = sigmoid(o) tanh(c_t)`, and the outputs are all `h_t`.
//!
//! # Source
//! Hochreiter and Schmidhuber, "Long short-term memory", 1997; the forget gate: Gers, Schmidhuber and Cummins,
//! "Learning to forget", 2000. The parameters and the order of the gates are PyTorch's.

mod step;

#[cfg(test)]
mod tests;

pub use crate::recurrent::{Gradients, PackedWeights, Weights};

use crate::matmul::{Packed, View, WriteMode, product};
use crate::recurrent::{Prepared, SAMPLES, Sizes};
use crate::{scratch, threads};
use step::Kept;

/// The number of gates: input, forget, cell and output.
const GATES: usize = 4;

/// The sizes of an LSTM.
///
/// ```
/// use trainspec_kernels::lstm::{Lstm, Weights};
///
/// let lstm = Lstm { batch: 1, length: 2, inputs: 1, hidden: 1 };
/// // The gates are always open; the cell adds tanh of the input, and each step keeps half of it.
/// let weights = Weights {
///     input: &[0.0, 0.0, 1.0, 0.0],
///     hidden: &[0.0; 4],
///     biases: Some([&[100.0, 0.0, 0.0, 100.0], &[0.0; 4]]),
/// };
/// let mut y = [0.0; 2];
/// lstm.infer(&[1.0, 0.0], &weights, &mut y);
/// assert!((y[0] - 1.0_f32.tanh().tanh()).abs() < 1e-6);
/// assert!((y[1] - (0.5 * 1.0_f32.tanh()).tanh()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Lstm {
    /// The number of samples.
    pub batch: usize,
    /// The number of steps of a sample.
    pub length: usize,
    /// The number of inputs of a step.
    pub inputs: usize,
    /// The size of the state.
    pub hidden: usize,
}

impl Lstm {
    fn sizes(&self) -> Sizes {
        let Self { batch, length, inputs, hidden } = *self;
        Sizes { batch, length, inputs, hidden, gates: GATES }
    }

    /// The number of elements that backward needs in addition to inputs and outputs: the activated gates
    /// (`[batch, length, 4 hidden]`), then the cells (`[batch, length, hidden]`).
    #[must_use]
    pub fn saved(&self) -> usize {
        self.sizes().steps() * (GATES + 1) * self.hidden
    }

    /// Writes the outputs of all steps to `y`, and the data for backward to `saved`.
    ///
    /// # Shapes
    /// `x`: `[batch, length, inputs]`; `y`: `[batch, length, hidden]`; `saved`: [`Lstm::saved`] elements.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn forward(&self, x: &[f32], weights: &Weights<'_>, y: &mut [f32], saved: &mut [f32]) {
        let sizes = self.sizes();
        sizes.check(x, weights, y);
        assert_eq!(saved.len(), self.saved(), "saved has the length that it should");
        if y.is_empty() {
            return;
        }
        let (gates, cells) = saved.split_at_mut(sizes.steps() * sizes.row());
        self.prepare(weights, |weights| {
            let block = SAMPLES * self.length * self.hidden;
            threads::chunks3(
                (gates, GATES * block),
                (cells, block),
                (y, block),
                |number, gates, cells, y| {
                    let x = &x[number * SAMPLES * self.length * self.inputs..];
                    self.walk(weights, x, y, Some(Kept { gates, cells }));
                },
            );
        });
    }

    /// Writes the outputs of all steps to `y`, bit-identical to those of [`Lstm::forward`]; nothing is kept.
    ///
    /// # Panics
    /// As [`Lstm::forward`].
    pub fn infer(&self, x: &[f32], weights: &Weights<'_>, y: &mut [f32]) {
        let sizes = self.sizes();
        sizes.check(x, weights, y);
        if !y.is_empty() {
            self.prepare(weights, |weights| self.walks(weights, x, y));
        }
    }

    /// Packs the weights for [`Lstm::infer_packed`], for any number of samples.
    ///
    /// # Panics
    /// As [`Lstm::forward`], about the weights.
    #[must_use]
    pub fn pack(&self, weights: &Weights<'_>) -> PackedWeights {
        self.sizes().check_weights(weights);
        let mut bias = vec![0.0; self.sizes().row()];
        combine(weights, &mut bias);
        self.sizes().pack(weights, bias)
    }

    /// [`Lstm::infer`] with weights from [`Lstm::pack`]: the same bits, in less time for few steps of few samples.
    ///
    /// # Panics
    /// As [`Lstm::forward`], or if the weights are those of other sizes.
    pub fn infer_packed(&self, x: &[f32], weights: &PackedWeights, y: &mut [f32]) {
        self.sizes().check_values(x, y);
        self.sizes().check_packed(weights);
        if !y.is_empty() {
            self.walks(&weights.prepared(), x, y);
        }
    }

    /// Computes the gradients of the weights and of `x`, from that of `y`, `dy`.
    ///
    /// `y` and `saved` are the outputs of [`Lstm::forward`] for the same `x` and `weights`. The gradients of the gates' sums
    /// overwrite the gates in `saved`, so it can be used only once.
    ///
    /// # Panics
    /// As [`Lstm::forward`], or if a gradient is not as long as its value.
    #[allow(clippy::too_many_arguments, reason = "each is an array of its own")]
    pub fn backward(
        &self,
        x: &[f32],
        weights: &Weights<'_>,
        y: &[f32],
        saved: &mut [f32],
        dy: &[f32],
        dx: Option<(&mut [f32], WriteMode)>,
        gradients: Gradients<'_>,
    ) {
        let (sizes, hidden) = (self.sizes(), self.hidden);
        sizes.check(x, weights, y);
        sizes.check_gradients(&gradients);
        assert_eq!(saved.len(), self.saved(), "saved has the length that it should");
        assert_eq!(dy.len(), y.len(), "the gradient of y is as long as y");
        let dx_length = dx.as_ref().map_or(x.len(), |(dx, _)| dx.len());
        assert_eq!(dx_length, x.len(), "the gradient of x is as long as x");
        let (gates, cells) = saved.split_at_mut(sizes.steps() * sizes.row());
        if !y.is_empty() {
            let block = SAMPLES * self.length * hidden;
            sizes.with_packed_back(weights.hidden, |w| {
                threads::chunks(gates, GATES * block, |number, gates| {
                    self.walk_back(w, gates, &cells[number * block..], &dy[number * block..]);
                });
            });
        }

        let gates = View::new(gates, sizes.steps(), sizes.row());
        let (d_weight, onto) = gradients.input;
        product(gates.transposed(), View::new(x, sizes.steps(), self.inputs), d_weight, onto);
        let (d_weight, onto) = gradients.hidden;
        scratch::with(y.len(), |previous| {
            sizes.previous(y, previous);
            product(gates.transposed(), View::new(previous, sizes.steps(), hidden), d_weight, onto);
        });
        if let Some(biases) = gradients.biases {
            sizes.biases(gates.data, biases);
        }
        if let Some((dx, onto)) = dx {
            product(gates, View::new(weights.input, sizes.row(), self.inputs), dx, onto);
        }
    }

    /// Passes `run` the weights, packed, and the sum of both biases.
    fn prepare(&self, weights: &Weights<'_>, run: impl FnOnce(&Prepared<'_>)) {
        let sizes = self.sizes();
        scratch::with(sizes.row(), |bias| {
            combine(weights, bias);
            sizes.with_packed(weights.input, self.inputs, |&input| {
                sizes.with_packed(weights.hidden, self.hidden, |&hidden| {
                    run(&Prepared { input, hidden, bias });
                });
            });
        });
    }

    /// Runs all samples through all steps, and keeps nothing.
    fn walks(&self, weights: &Prepared<'_>, x: &[f32], y: &mut [f32]) {
        threads::chunks(y, SAMPLES * self.length * self.hidden, |number, y| {
            self.walk(weights, &x[number * SAMPLES * self.length * self.inputs..], y, None);
        });
    }

    /// Runs a block of samples, whose outputs are `y` and whose inputs `x` begins with, through all steps; `kept` receives
    /// the data for backward.
    fn walk(&self, weights: &Prepared<'_>, x: &[f32], y: &mut [f32], mut kept: Option<Kept<'_>>) {
        let Self { length, inputs, hidden, .. } = *self;
        let row = GATES * hidden;
        let samples = y.len() / (length * hidden);
        scratch::with(2 * samples * (row + hidden), |room| {
            let (input, room) = room.split_at_mut(samples * row);
            let (recurrent, room) = room.split_at_mut(samples * row);
            let (cells, states) = room.split_at_mut(samples * hidden);
            recurrent.fill(0.0);
            cells.fill(0.0);
            for step in 0..length {
                let x = View::with_stride(&x[step * inputs..], samples, inputs, length * inputs);
                weights.input.serial(x, input, row, WriteMode::Overwrite);
                if step > 0 {
                    let states = View::new(states, samples, hidden);
                    weights.hidden.serial(states, recurrent, row, WriteMode::Overwrite);
                }
                let parts = input.chunks_exact(row).zip(recurrent.chunks_exact(row));
                let state = cells.chunks_exact_mut(hidden).zip(states.chunks_exact_mut(hidden));
                for (sample, ((input, recurrent), (cell, state))) in parts.zip(state).enumerate() {
                    let place = sample * length + step;
                    let kept = kept.as_mut().map(|Kept { gates, cells }| Kept {
                        gates: &mut gates[place * row..][..row],
                        cells: &mut cells[place * hidden..][..hidden],
                    });
                    step::forward(input, recurrent, weights.bias, cell, state, kept);
                    y[place * hidden..][..hidden].copy_from_slice(state);
                }
            }
        });
    }

    /// Runs a block of samples backward through all steps: their gates become the gradients of their sums.
    fn walk_back(&self, w: &Packed<'_>, gates: &mut [f32], cells: &[f32], dy: &[f32]) {
        let (hidden, row) = (self.hidden, GATES * self.hidden);
        let samples = gates.len() / (self.length * row);
        // Where the gates of samples lie together: not a power of 2 apart, which would map them to the same cache
        // sets.
        let stride = row + 32;
        scratch::with(samples * (2 * hidden + stride), |room| {
            let (d_states, room) = room.split_at_mut(samples * hidden);
            let (d_cells, together) = room.split_at_mut(samples * hidden);
            d_states.fill(0.0);
            d_cells.fill(0.0);
            for step in (0..self.length).rev() {
                let rows = d_states.chunks_exact(hidden).zip(d_cells.chunks_exact_mut(hidden));
                let rows = rows.zip(together.chunks_exact_mut(stride));
                for (sample, ((d_state, d_cell), together)) in rows.enumerate() {
                    let place = sample * self.length + step;
                    let at = |place: usize| place * hidden..(place + 1) * hidden;
                    let before = if step > 0 { &cells[at(place - 1)] } else { &[] };
                    let gates = &mut gates[place * row..][..row];
                    let together = &mut together[..row];
                    step::back(gates, together, &cells[at(place)], before, &dy[at(place)], d_state, d_cell);
                }
                if step > 0 {
                    let gates = View::with_stride(together, samples, row, stride);
                    w.serial(gates, d_states, hidden, WriteMode::Overwrite);
                }
            }
        });
    }
}

/// The sum of both biases, zeros without biases.
fn combine(weights: &Weights<'_>, sum: &mut [f32]) {
    match weights.biases {
        Some([input, hidden]) => {
            for ((sum, input), hidden) in sum.iter_mut().zip(input).zip(hidden) {
                *sum = input + hidden;
            }
        }
        None => sum.fill(0.0),
    }
}
