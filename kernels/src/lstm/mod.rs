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

pub use crate::recurrent::{Cell, Gradients, PackedWeights, Weights};

use crate::matmul::{Packed, View, WriteMode, product};
use crate::recurrent::{Kept, Prepared, Sizes, Steps};
use crate::scratch;

/// The number of gates: input, forget, cell and output.
const GATES: usize = 4;

/// The sizes of an LSTM. The data for backward, [`Cell::saved`], are the activated gates, then the cells.
///
/// ```
/// use trainspec_kernels::lstm::{Cell, Lstm, Weights};
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

impl Steps for Lstm {
    const PROJECTS: bool = false;
    const BIASES: usize = GATES;

    fn of(batch: usize, length: usize, inputs: usize, hidden: usize) -> Self {
        Self { batch, length, inputs, hidden }
    }

    fn sizes(&self) -> Sizes {
        let Self { batch, length, inputs, hidden } = *self;
        Sizes { batch, length, inputs, hidden, gates: GATES }
    }

    /// The sum of both.
    fn combine(&self, weights: &Weights<'_>, sum: &mut [f32]) {
        match weights.biases {
            Some([input, hidden]) => {
                for ((sum, input), hidden) in sum.iter_mut().zip(input).zip(hidden) {
                    *sum = input + hidden;
                }
            }
            None => sum.fill(0.0),
        }
    }

    fn walk(&self, weights: &Prepared<'_>, x: &[f32], y: &mut [f32], mut kept: Option<Kept<'_>>) {
        let Self { length, inputs, hidden, .. } = *self;
        let row = GATES * hidden;
        let samples = y.len() / (length * hidden);
        let Some(input_weight) = &weights.input else { return };
        scratch::with(2 * samples * (row + hidden), |room| {
            let (input, room) = room.split_at_mut(samples * row);
            let (recurrent, room) = room.split_at_mut(samples * row);
            let (cells, states) = room.split_at_mut(samples * hidden);
            recurrent.fill(0.0);
            cells.fill(0.0);
            for step in 0..length {
                let x = View::with_stride(&x[step * inputs..], samples, inputs, length * inputs);
                input_weight.serial(x, input, row, WriteMode::Overwrite);
                if step > 0 {
                    let states = View::new(states, samples, hidden);
                    weights.hidden.serial(states, recurrent, row, WriteMode::Overwrite);
                }
                let parts = input.chunks_exact(row).zip(recurrent.chunks_exact(row));
                let state = cells.chunks_exact_mut(hidden).zip(states.chunks_exact_mut(hidden));
                for (sample, ((input, recurrent), (cell, state))) in parts.zip(state).enumerate() {
                    let place = sample * length + step;
                    let kept = kept.as_mut().map(|Kept { gates, other }| Kept {
                        gates: &mut gates[place * row..][..row],
                        other: &mut other[place * hidden..][..hidden],
                    });
                    step::forward(input, recurrent, weights.bias, cell, state, kept);
                    y[place * hidden..][..hidden].copy_from_slice(state);
                }
            }
        });
    }

    fn walk_back(&self, w: &Packed<'_>, kept: Kept<'_>, _: &[f32], dy: &[f32]) {
        let (gates, cells) = (kept.gates, &*kept.other);
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

    fn hidden_gradient(
        &self,
        [gates, _]: [&[f32]; 2],
        previous: View<'_>,
        (gradient, onto): (&mut [f32], WriteMode),
    ) {
        let gates = View::new(gates, self.sizes().steps(), self.sizes().row());
        product(gates.transposed(), previous, gradient, onto);
    }

    fn bias_gradients(&self, [gates, _]: [&[f32]; 2], gradients: [(&mut [f32], WriteMode); 2]) {
        self.sizes().biases(gates, gradients);
    }
}
