//! Gated recurrent unit over a sequence, from a state of zeros.
//!
//! With `[r, z, n] = W_ih x_t + b_ih` and `[r', z', n'] = W_hh h_{t-1} + b_hh`:
//! `m = tanh(n + sigmoid(r + r') n')`, `h_t = (1 - u) m + u h_{t-1}` with `u = sigmoid(z + z')`, and the outputs are
//! all `h_t`.
//!
//! # Source
//! Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014. The parameters, the order of the
//! gates (reset, update, new) and the position of the reset gate, after the product, are PyTorch's.

mod step;

#[cfg(test)]
mod tests;

pub use crate::recurrent::{Cell, Gradients, PackedWeights, Weights};

use crate::matmul::{Packed, View, WriteMode, column_sums, product};
use crate::recurrent::{Kept, Prepared, Sizes, Steps};
use crate::scratch;

/// The number of gates: reset, update and new.
const GATES: usize = 3;

/// The sizes of a GRU. The data for backward, [`Cell::saved`], are the activated gates, then the state's part of the new value, `n'`.
///
/// ```
/// use trainspec_kernels::gru::{Cell, Gru, Weights};
///
/// let gru = Gru { batch: 1, length: 2, inputs: 1, hidden: 1 };
/// // The new value is tanh of the input, and each step moves half of the way to it.
/// let weights = Weights { input: &[0.0, 0.0, 1.0], hidden: &[0.0; 3], biases: None };
/// let mut y = [0.0; 2];
/// gru.infer(&[1.0, 1.0], &weights, &mut y);
/// assert!((y[0] - 0.5 * 1.0_f32.tanh()).abs() < 1e-6);
/// assert!((y[1] - 0.75 * 1.0_f32.tanh()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gru {
    /// The number of samples.
    pub batch: usize,
    /// The number of steps of a sample.
    pub length: usize,
    /// The number of inputs of a step.
    pub inputs: usize,
    /// The size of the state.
    pub hidden: usize,
}

impl Gru {
    /// Runs a block of samples, whose outputs are `y`, through all steps; `each` calls [`Walk::step`].
    fn each_step(
        &self,
        w: &Packed<'_>,
        bias: &[f32],
        y: &mut [f32],
        mut each: impl FnMut(usize, &mut Walk<'_>),
    ) {
        let samples = y.len() / (self.length * self.hidden);
        let row = GATES * self.hidden;
        scratch::with(samples * row, |recurrent| {
            recurrent.fill(0.0);
            let mut walk = Walk { gru: self, bias, recurrent, y };
            for step in 0..self.length {
                if step > 0 {
                    let last = &walk.y[(step - 1) * self.hidden..];
                    let last = View::with_stride(last, samples, self.hidden, self.length * self.hidden);
                    w.serial(last, walk.recurrent, row, WriteMode::Overwrite);
                }
                each(step, &mut walk);
            }
        });
    }
}

impl Steps for Gru {
    const PROJECTS: bool = true;
    const BIASES: usize = GATES + 1;

    fn of(batch: usize, length: usize, inputs: usize, hidden: usize) -> Self {
        Self { batch, length, inputs, hidden }
    }

    fn sizes(&self) -> Sizes {
        let Self { batch, length, inputs, hidden } = *self;
        Sizes { batch, length, inputs, hidden, gates: GATES }
    }

    /// The biases of r, z (each the sum of both), n and n'.
    fn combine(&self, weights: &Weights<'_>, bias: &mut [f32]) {
        match weights.biases {
            Some([input, hidden]) => {
                let (both, news) = bias.split_at_mut(2 * self.hidden);
                for ((both, input), hidden) in both.iter_mut().zip(input).zip(hidden) {
                    *both = input + hidden;
                }
                let (new, state) = news.split_at_mut(self.hidden);
                new.copy_from_slice(&input[2 * self.hidden..]);
                state.copy_from_slice(&hidden[2 * self.hidden..]);
            }
            None => bias.fill(0.0),
        }
    }

    fn walk(&self, weights: &Prepared<'_>, x: &[f32], y: &mut [f32], kept: Option<Kept<'_>>) {
        let Self { length, inputs, hidden, .. } = *self;
        let row = GATES * hidden;
        if let Some(Kept { gates, other: news }) = kept {
            return self.each_step(&weights.hidden, weights.bias, y, |step, walk| {
                let gates = (&mut gates[step * row..], length * row);
                walk.step(gates, (&mut news[step * hidden..], length * hidden), step);
            });
        }
        let Some(input) = &weights.input else { return };
        let samples = y.len() / (length * hidden);
        scratch::with(samples * (row + hidden), |room| {
            let (gates, news) = room.split_at_mut(samples * row);
            self.each_step(&weights.hidden, weights.bias, y, |step, walk| {
                let x = View::with_stride(&x[step * inputs..], samples, inputs, length * inputs);
                input.serial(x, gates, row, WriteMode::Overwrite);
                walk.step((gates, row), (news, hidden), step);
            });
        });
    }

    /// The gates become the gradients of r, z and n, and the other values that of n'.
    fn walk_back(&self, w: &Packed<'_>, kept: Kept<'_>, y: &[f32], dy: &[f32]) {
        let Kept { gates, other: news } = kept;
        let (hidden, row) = (self.hidden, GATES * self.hidden);
        let samples = news.len() / (self.length * hidden);
        scratch::with(samples * (row + hidden), |room| {
            let (d_recurrent, d_states) = room.split_at_mut(samples * row);
            d_states.fill(0.0);
            for step in (0..self.length).rev() {
                let rows = d_recurrent.chunks_exact_mut(row).zip(d_states.chunks_exact_mut(hidden));
                for (sample, (d_recurrent, d_state)) in rows.enumerate() {
                    let place = sample * self.length + step;
                    let at = |place: usize| place * hidden..(place + 1) * hidden;
                    let before = if step > 0 { &y[at(place - 1)] } else { &[] };
                    let gates = &mut gates[place * row..][..row];
                    step::back(gates, &mut news[at(place)], before, &dy[at(place)], d_state, d_recurrent);
                }
                if step > 0 {
                    w.serial(View::new(d_recurrent, samples, row), d_states, hidden, WriteMode::Accumulate);
                }
            }
        });
    }

    /// The gradients of r' and z' are those of r and z.
    fn hidden_gradient(
        &self,
        [gates, news]: [&[f32]; 2],
        previous: View<'_>,
        (gradient, onto): (&mut [f32], WriteMode),
    ) {
        let (sizes, hidden) = (self.sizes(), self.hidden);
        let both = View { columns: 2 * hidden, ..View::new(gates, sizes.steps(), sizes.row()) };
        let (d_both, d_new) = gradient.split_at_mut(2 * hidden * hidden);
        product(both.transposed(), previous, d_both, onto);
        product(View::new(news, sizes.steps(), hidden).transposed(), previous, d_new, onto);
    }

    fn bias_gradients(&self, [gates, news]: [&[f32]; 2], gradients: [(&mut [f32], WriteMode); 2]) {
        let (sizes, hidden) = (self.sizes(), self.hidden);
        let [(input, input_onto), (state, state_onto)] = gradients;
        let (d_both, d_new) = state.split_at_mut(2 * hidden);
        column_sums(gates, sizes.steps(), sizes.row(), input, input_onto);
        column_sums(gates, sizes.steps(), sizes.row(), d_both, state_onto);
        column_sums(news, sizes.steps(), hidden, d_new, state_onto);
    }
}

/// A block of samples between two steps.
struct Walk<'a> {
    gru: &'a Gru,
    bias: &'a [f32],
    /// The state's part of the gates.
    recurrent: &'a mut [f32],
    y: &'a mut [f32],
}

impl Walk<'_> {
    /// Takes a step. The gates of the samples begin a stride apart, hold the input's part, and are replaced by
    /// their values; so do the new values, which are written.
    fn step(
        &mut self,
        (gates, gates_stride): (&mut [f32], usize),
        (news, news_stride): (&mut [f32], usize),
        step: usize,
    ) {
        let Gru { length, hidden, .. } = *self.gru;
        let row = GATES * hidden;
        for (sample, recurrent) in self.recurrent.chunks_exact(row).enumerate() {
            let gates = &mut gates[sample * gates_stride..][..row];
            let new = &mut news[sample * news_stride..][..hidden];
            let (earlier, y) =
                self.y[sample * length * hidden..][..(step + 1) * hidden].split_at_mut(step * hidden);
            let before = &earlier[step.saturating_sub(1) * hidden..];
            step::forward(gates, recurrent, self.bias, before, new, y);
        }
    }
}
