//! One step of one sample.

use crate::math::{LANES, load, load_each, parts, sigmoid, store, tanh, zip};
use crate::simd;

simd! {
    /// Computes from the input's part of the gates in `gates` and the state's in `recurrent` the values of the gates, `n'` in
    /// `new` and the output; `before` is the last one, empty for 0.
    pub(super) fn forward(
        gates: &mut [f32],
        recurrent: &[f32],
        bias: &[f32],
        before: &[f32],
        new: &mut [f32],
        y: &mut [f32],
    ) {
        let hidden = y.len();
        for start in (0..hidden).step_by(LANES) {
            let [input_r, input_z, input_n] = load_each(parts(gates, hidden), start);
            let [state_r, state_z, state_n] = load_each(parts(recurrent, hidden), start);
            let [bias_r, bias_z, input_bias, state_bias] = load_each(parts(bias, hidden), start);
            let before = if before.is_empty() { [0.0; LANES] } else { load(before, start) };
            let sigmoid_of = |[input, recurrent, bias]: [f32; 3]| [sigmoid(input + recurrent + bias)];
            let [r] = zip([input_r, state_r, bias_r], sigmoid_of);
            let [z] = zip([input_z, state_z, bias_z], sigmoid_of);
            let values = [input_n, state_n, input_bias, state_bias, r];
            let [n, state] = zip(values, |[input, recurrent, input_bias, state_bias, r]| {
                let state = recurrent + state_bias;
                [r.mul_add(state, input + input_bias), state]
            });
            let [n] = zip([n], |[n]| [tanh(n)]);
            let [out] = zip([z, n, before], |[z, n, before]| [z.mul_add(before - n, n)]);
            store(new, start, state);
            store(y, start, out);
            for (gate, values) in [r, z, n].into_iter().enumerate() {
                store(&mut gates[gate * hidden..][..hidden], start, values);
            }
        }
    }
}

simd! {
    /// Computes from the values of the gates the gradients of their sums, in `gates` for the input's part, with that of
    /// `n'` in `new`, and in `d_recurrent` for the state's; `d_state` changes from the sum of later steps to this step's
    /// output to what goes past the gates to the output before, of which the value is `before`, empty for 0.
    pub(super) fn back(
        gates: &mut [f32],
        new: &mut [f32],
        before: &[f32],
        dy: &[f32],
        d_state: &mut [f32],
        d_recurrent: &mut [f32],
    ) {
        let hidden = dy.len();
        for start in (0..hidden).step_by(LANES) {
            let [r, z, n] = load_each(parts(gates, hidden), start);
            let before = if before.is_empty() { [0.0; LANES] } else { load(before, start) };
            let values = [r, z, n, load(new, start), before, load(dy, start), load(d_state, start)];
            let [dr, dz, dn, d_new, past] = zip(values, |[r, z, n, new, before, dy, d_state]| {
                let dy = dy + d_state;
                let dn = dy * (1.0 - z) * (-n).mul_add(n, 1.0);
                let dz = dy * (before - n) * z * (1.0 - z);
                [dn * new * r * (1.0 - r), dz, dn, dn * r, dy * z]
            });
            store(d_state, start, past);
            store(new, start, d_new);
            for (gate, (input, state)) in [(dr, dr), (dz, dz), (dn, d_new)].into_iter().enumerate() {
                store(&mut gates[gate * hidden..][..hidden], start, input);
                store(&mut d_recurrent[gate * hidden..][..hidden], start, state);
            }
        }
    }
}
