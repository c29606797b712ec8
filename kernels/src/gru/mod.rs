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

pub use crate::recurrent::{Gradients, PackedWeights, Weights};

use crate::matmul::{Packed, View, WriteMode, column_sums, product};
use crate::recurrent::{Prepared, SAMPLES, Sizes};
use crate::{scratch, threads};

/// The number of gates: reset, update and new.
const GATES: usize = 3;

/// The sizes of a GRU.
///
/// ```
/// use trainspec_kernels::gru::{Gru, Weights};
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
    fn sizes(&self) -> Sizes {
        let Self { batch, length, inputs, hidden } = *self;
        Sizes { batch, length, inputs, hidden, gates: GATES }
    }

    /// The number of elements that backward needs in addition to inputs and outputs: the activated gates
    /// (`[batch, length, 3 hidden]`), then the state's part of the new value, `n'` (`[batch, length, hidden]`).
    #[must_use]
    pub fn saved(&self) -> usize {
        self.sizes().steps() * (GATES + 1) * self.hidden
    }

    /// Writes the outputs of all steps to `y`, and the data for backward to `saved`.
    ///
    /// # Shapes
    /// `x`: `[batch, length, inputs]`; `y`: `[batch, length, hidden]`; `saved`: [`Gru::saved`] elements.
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
        let (gates, news) = saved.split_at_mut(sizes.steps() * sizes.row());
        sizes.project(x, weights, gates);
        self.prepare(weights, |hidden, bias| {
            let block = SAMPLES * self.length * self.hidden;
            threads::chunks3((gates, GATES * block), (news, block), (y, block), |_, gates, news, y| {
                self.walk(hidden, bias, y, |step, walk| {
                    walk.step(
                        (&mut gates[step * sizes.row()..], self.length * sizes.row()),
                        (&mut news[step * self.hidden..], self.length * self.hidden),
                        step,
                    );
                });
            });
        });
    }

    /// Writes the outputs of all steps to `y`, bit-identical to those of [`Gru::forward`]; nothing is kept.
    ///
    /// # Panics
    /// As [`Gru::forward`].
    pub fn infer(&self, x: &[f32], weights: &Weights<'_>, y: &mut [f32]) {
        let sizes = self.sizes();
        sizes.check(x, weights, y);
        if y.is_empty() {
            return;
        }
        sizes.with_packed(weights.input, self.inputs, |&input| {
            self.prepare(weights, |&hidden, bias| {
                self.walks(&Prepared { input, hidden, bias }, x, y);
            });
        });
    }

    /// Packs the weights for [`Gru::infer_packed`], for any number of samples.
    ///
    /// # Panics
    /// As [`Gru::forward`], about the weights.
    #[must_use]
    pub fn pack(&self, weights: &Weights<'_>) -> PackedWeights {
        self.sizes().check_weights(weights);
        let mut bias = vec![0.0; (GATES + 1) * self.hidden];
        self.combine(weights, &mut bias);
        self.sizes().pack(weights, bias)
    }

    /// [`Gru::infer`] with weights from [`Gru::pack`]: the same bits, in less time for few steps of few samples.
    ///
    /// # Panics
    /// As [`Gru::forward`], or if the weights are those of other sizes.
    pub fn infer_packed(&self, x: &[f32], weights: &PackedWeights, y: &mut [f32]) {
        self.sizes().check_values(x, y);
        self.sizes().check_packed(weights);
        if !y.is_empty() {
            self.walks(&weights.prepared(), x, y);
        }
    }

    /// Computes the gradients of the weights and of `x`, from that of `y`, `dy`.
    ///
    /// `y` and `saved` are the outputs of [`Gru::forward`] for the same `x` and `weights`. Gradients overwrite the values
    /// in `saved`, so it can be used only once.
    ///
    /// # Panics
    /// As [`Gru::forward`], or if a gradient is not as long as its value.
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
        let steps = sizes.steps();
        let (gates, news) = saved.split_at_mut(steps * sizes.row());
        if !y.is_empty() {
            let block = SAMPLES * self.length * hidden;
            sizes.with_packed_back(weights.hidden, |w| {
                threads::chunks2((gates, GATES * block), (news, block), |number, gates, news| {
                    self.walk_back(w, gates, news, &y[number * block..], &dy[number * block..]);
                });
            });
        }

        // The gradients of r, z and n, and that of n'; those of r' and z' are those of r and z.
        let (gates, new) = (View::new(gates, steps, sizes.row()), View::new(news, steps, hidden));
        let both = View { columns: 2 * hidden, ..gates };
        let (d_weight, onto) = gradients.input;
        product(gates.transposed(), View::new(x, steps, self.inputs), d_weight, onto);
        let (d_weight, onto) = gradients.hidden;
        let (d_both, d_new) = d_weight.split_at_mut(2 * hidden * hidden);
        scratch::with(y.len(), |previous| {
            sizes.previous(y, previous);
            let previous = View::new(previous, steps, hidden);
            product(both.transposed(), previous, d_both, onto);
            product(new.transposed(), previous, d_new, onto);
        });
        if let Some([(input, input_onto), (state, state_onto)]) = gradients.biases {
            let (d_both, d_new) = state.split_at_mut(2 * hidden);
            column_sums(gates.data, steps, sizes.row(), input, input_onto);
            column_sums(gates.data, steps, sizes.row(), d_both, state_onto);
            column_sums(new.data, steps, hidden, d_new, state_onto);
        }
        if let Some((dx, onto)) = dx {
            product(gates, View::new(weights.input, sizes.row(), self.inputs), dx, onto);
        }
    }

    /// Passes `run` the state's weight, packed, and the combined biases.
    fn prepare(&self, weights: &Weights<'_>, run: impl FnOnce(&Packed<'_>, &[f32])) {
        scratch::with((GATES + 1) * self.hidden, |bias| {
            self.combine(weights, bias);
            self.sizes().with_packed(weights.hidden, self.hidden, |w| run(w, bias));
        });
    }

    /// The biases of r, z (each the sum of both), n and n', zeros without biases.
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

    /// Runs all samples through all steps, and keeps nothing.
    fn walks(&self, weights: &Prepared<'_>, x: &[f32], y: &mut [f32]) {
        let row = GATES * self.hidden;
        threads::chunks(y, SAMPLES * self.length * self.hidden, |number, y| {
            let x = &x[number * SAMPLES * self.length * self.inputs..];
            let samples = y.len() / (self.length * self.hidden);
            scratch::with(samples * (row + self.hidden), |room| {
                let (gates, news) = room.split_at_mut(samples * row);
                self.walk(&weights.hidden, weights.bias, y, |step, walk| {
                    let (first, stride) = (step * self.inputs, self.length * self.inputs);
                    let x = View::with_stride(&x[first..], samples, self.inputs, stride);
                    weights.input.serial(x, gates, row, WriteMode::Overwrite);
                    walk.step((gates, row), (news, self.hidden), step);
                });
            });
        });
    }

    /// Runs a block of samples, whose outputs are `y`, through all steps; `each` calls [`Walk::step`].
    fn walk(&self, w: &Packed<'_>, bias: &[f32], y: &mut [f32], mut each: impl FnMut(usize, &mut Walk<'_>)) {
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

    /// Runs a block of samples backward through all steps: their gates become the gradients of r, z and n, and
    /// `news` that of n'.
    fn walk_back(&self, w: &Packed<'_>, gates: &mut [f32], news: &mut [f32], y: &[f32], dy: &[f32]) {
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
