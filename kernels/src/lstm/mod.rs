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

pub use crate::recurrent::{Gradients, Weights};

use crate::product::{Onto, Packed, View, column_sums, product};
use crate::recurrent::{SAMPLES, Sizes};
use crate::{scratch, threads};

/// The number of gates: input, forget, cell and output.
const GATES: usize = 4;

/// The sizes of an LSTM.
///
/// ```
/// use trainspec_kernels::lstm::{Lstm, Weights};
///
/// let lstm = Lstm { batch: 1, length: 2, inputs: 1, hidden: 1 };
/// // The gates are open, whatever comes; the cell takes tanh of the input, and half of it is left at each step.
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

    /// How many numbers backward needs besides inputs and outputs: the gates after their functions
    /// (`[batch, length, 4 hidden]`), then the cells (`[batch, length, hidden]`).
    #[must_use]
    pub fn saved(&self) -> usize {
        self.sizes().steps() * (GATES + 1) * self.hidden
    }

    /// The outputs of all steps, into `y`, and what backward needs, into `saved`.
    ///
    /// # Shapes
    /// `x`: `[batch, length, inputs]`; `y`: `[batch, length, hidden]`; `saved`: [`Lstm::saved`] numbers.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn forward(&self, x: &[f32], weights: &Weights<'_>, y: &mut [f32], saved: &mut [f32]) {
        let sizes = self.sizes();
        sizes.check(x, weights, y);
        assert_eq!(saved.len(), self.saved(), "saved has the length that it should");
        if y.is_empty() {
            return;
        }
        let (gates, cells) = saved.split_at_mut(sizes.steps() * sizes.row());
        sizes.project(x, weights, gates);
        self.prepare(weights, |hidden, bias| {
            let block = SAMPLES * self.length * self.hidden;
            threads::chunks3((gates, GATES * block), (cells, block), (y, block), |_, gates, cells, y| {
                self.walk(hidden, bias, y, |step, walk| {
                    walk.step(step, gates, step * GATES * self.hidden, self.length * GATES * self.hidden);
                    let rows = cells.chunks_exact_mut(self.length * self.hidden);
                    for (row, cell) in rows.zip(walk.cells.chunks_exact(self.hidden)) {
                        row[step * self.hidden..][..self.hidden].copy_from_slice(cell);
                    }
                });
            });
        });
    }

    /// The outputs of all steps, into `y`, with the same bits as those of [`Lstm::forward`]; nothing is kept.
    ///
    /// # Panics
    /// As [`Lstm::forward`].
    pub fn infer(&self, x: &[f32], weights: &Weights<'_>, y: &mut [f32]) {
        let sizes = self.sizes();
        sizes.check(x, weights, y);
        if y.is_empty() {
            return;
        }
        sizes.with_packed(weights.input, self.inputs, |input| {
            self.prepare(weights, |hidden, bias| {
                threads::chunks(y, SAMPLES * self.length * self.hidden, |number, y| {
                    let x = &x[number * SAMPLES * self.length * self.inputs..];
                    let samples = y.len() / (self.length * self.hidden);
                    scratch::with(samples * sizes.row(), |gates| {
                        self.walk(hidden, bias, y, |step, walk| {
                            let (first, stride) = (step * self.inputs, self.length * self.inputs);
                            let x = View::with_stride(&x[first..], samples, self.inputs, stride);
                            input.serial(x, gates, sizes.row(), Onto::Replace);
                            walk.step(step, gates, 0, sizes.row());
                        });
                    });
                });
            });
        });
    }

    /// The gradients of the weights and of `x`, from that of `y`, `dy`.
    ///
    /// `y` and `saved` are what [`Lstm::forward`] wrote for the same `x` and `weights`. In `saved` the gates
    /// give way to the gradients of their sums, so that it serves once.
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
        dx: Option<(&mut [f32], Onto)>,
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
        for (bias, onto) in gradients.biases.into_iter().flatten() {
            column_sums(gates.data, sizes.steps(), sizes.row(), bias, onto);
        }
        if let Some((dx, onto)) = dx {
            product(gates, View::new(weights.input, sizes.row(), self.inputs), dx, onto);
        }
    }

    /// Lends `run` the state's weight, packed, and the sum of both biases, zeros if there are none.
    fn prepare(&self, weights: &Weights<'_>, run: impl FnOnce(&Packed<'_>, &[f32])) {
        scratch::with(GATES * self.hidden, |sum| {
            match weights.biases {
                Some([input, hidden]) => {
                    for ((sum, input), hidden) in sum.iter_mut().zip(input).zip(hidden) {
                        *sum = input + hidden;
                    }
                }
                None => sum.fill(0.0),
            }
            self.sizes().with_packed(weights.hidden, self.hidden, |w| run(w, sum));
        });
    }

    /// Takes a block of samples, whose outputs are `y`, through all steps; `each` is to call [`Walk::step`].
    fn walk(&self, w: &Packed<'_>, bias: &[f32], y: &mut [f32], mut each: impl FnMut(usize, &mut Walk<'_>)) {
        let samples = y.len() / (self.length * self.hidden);
        let row = GATES * self.hidden;
        scratch::with(samples * (row + self.hidden), |room| {
            let (recurrent, cells) = room.split_at_mut(samples * row);
            recurrent.fill(0.0);
            cells.fill(0.0);
            let mut walk = Walk { lstm: self, bias, recurrent, cells, y };
            for step in 0..self.length {
                if step > 0 {
                    let last = &walk.y[(step - 1) * self.hidden..];
                    let last = View::with_stride(last, samples, self.hidden, self.length * self.hidden);
                    w.serial(last, walk.recurrent, row, Onto::Replace);
                }
                each(step, &mut walk);
            }
        });
    }

    /// Takes a block of samples back through all steps: their gates become the gradients of their sums.
    fn walk_back(&self, w: &Packed<'_>, gates: &mut [f32], cells: &[f32], dy: &[f32]) {
        let (hidden, row) = (self.hidden, GATES * self.hidden);
        let samples = gates.len() / (self.length * row);
        scratch::with(2 * samples * hidden, |room| {
            room.fill(0.0);
            let (d_states, d_cells) = room.split_at_mut(samples * hidden);
            for step in (0..self.length).rev() {
                let rows = d_states.chunks_exact(hidden).zip(d_cells.chunks_exact_mut(hidden));
                for (sample, (d_state, d_cell)) in rows.enumerate() {
                    let place = sample * self.length + step;
                    let at = |place: usize| place * hidden..(place + 1) * hidden;
                    let before = if step > 0 { &cells[at(place - 1)] } else { &[] };
                    let gates = &mut gates[place * row..][..row];
                    step::back(gates, &cells[at(place)], before, &dy[at(place)], d_state, d_cell);
                }
                if step > 0 {
                    let gates = View::with_stride(&gates[step * row..], samples, row, self.length * row);
                    w.serial(gates, d_states, hidden, Onto::Replace);
                }
            }
        });
    }
}

/// A block of samples between two steps.
struct Walk<'a> {
    lstm: &'a Lstm,
    bias: &'a [f32],
    /// The state's part of the gates.
    recurrent: &'a mut [f32],
    cells: &'a mut [f32],
    y: &'a mut [f32],
}

impl Walk<'_> {
    /// Takes a step; the gates of a sample begin at `first` and `stride` numbers after those of the sample
    /// before, hold the input's part, and are replaced by their values.
    fn step(&mut self, step: usize, gates: &mut [f32], first: usize, stride: usize) {
        let Lstm { length, hidden, .. } = *self.lstm;
        let row = GATES * hidden;
        let samples = self.cells.chunks_exact_mut(hidden).zip(self.recurrent.chunks_exact(row));
        for (sample, (cell, recurrent)) in samples.enumerate() {
            let gates = &mut gates[first + sample * stride..][..row];
            let y = &mut self.y[(sample * length + step) * hidden..][..hidden];
            step::forward(gates, recurrent, self.bias, cell, y);
        }
    }
}
