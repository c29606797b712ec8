//! One step of one sample.

use crate::math::{LANES, load, load_each, parts, sigmoid, store, tanh, zip};
use crate::recurrent::Kept;
use crate::simd;

simd! {
    /// From the input's part of the gates in `input` and the state's in `recurrent` to the new cell and the output;
    /// `kept` receives the values of the gates and the cell.
    pub(super) fn forward(
        input: &[f32],
        recurrent: &[f32],
        bias: &[f32],
        cell: &mut [f32],
        y: &mut [f32],
        kept: Option<Kept<'_>>,
    ) {
        let mut kept = kept;
        let hidden = cell.len();
        for start in (0..hidden).step_by(LANES) {
            let mut sums = load_each::<4>(parts(input, hidden), start);
            let recurrent = load_each::<4>(parts(recurrent, hidden), start);
            let bias = load_each::<4>(parts(bias, hidden), start);
            for ((sum, recurrent), bias) in sums.iter_mut().zip(recurrent).zip(bias) {
                [*sum] = zip([*sum, recurrent, bias], |[input, recurrent, bias]| [input + recurrent + bias]);
            }
            let [i, f, g, o] = sums;
            let [i, f, o] = zip([i, f, o], |[i, f, o]| [sigmoid(i), sigmoid(f), sigmoid(o)]);
            let [g] = zip([g], |[g]| [tanh(g)]);
            let [new, out] = zip([i, f, g, o, load(cell, start)], |[i, f, g, o, cell]| {
                let new = f.mul_add(cell, i * g);
                [new, o * tanh(new)]
            });
            store(cell, start, new);
            store(y, start, out);
            if let Some(kept) = &mut kept {
                store(kept.other, start, new);
                for (gate, values) in [i, f, g, o].into_iter().enumerate() {
                    store(&mut kept.gates[gate * hidden..][..hidden], start, values);
                }
            }
        }
    }
}

simd! {
    /// Computes from the values of the gates the gradients of their sums, also written to `copy`; `d_cell` goes from the gradient of the cell to
    /// that of the one before, of which the value is `before`, empty for 0.
    pub(super) fn back(
        gates: &mut [f32],
        copy: &mut [f32],
        cell: &[f32],
        before: &[f32],
        dy: &[f32],
        d_state: &[f32],
        d_cell: &mut [f32],
    ) {
        let hidden = cell.len();
        for start in (0..hidden).step_by(LANES) {
            let [i, f, g, o] = load_each(parts(gates, hidden), start);
            let before = if before.is_empty() { [0.0; LANES] } else { load(before, start) };
            let [cell, dy, d_state] = load_each([cell, dy, d_state], start);
            let d_cell_after = load(d_cell, start);
            let [shape] = zip([cell], |[cell]| [tanh(cell)]);
            let [di, df, dg, d_o, d_cell_before] =
                zip([i, f, g, o, before, shape, dy, d_state, d_cell_after], |values| {
                    let [i, f, g, o, before, shape, dy, d_state, d_cell] = values;
                    let dy = dy + d_state;
                    let d_cell = (dy * o).mul_add((-shape).mul_add(shape, 1.0), d_cell);
                    [
                        d_cell * g * i * (1.0 - i),
                        d_cell * before * f * (1.0 - f),
                        d_cell * i * (-g).mul_add(g, 1.0),
                        dy * shape * o * (1.0 - o),
                        d_cell * f,
                    ]
                });
            store(d_cell, start, d_cell_before);
            for (gate, values) in [di, df, dg, d_o].into_iter().enumerate() {
                store(&mut gates[gate * hidden..][..hidden], start, values);
                store(&mut copy[gate * hidden..][..hidden], start, values);
            }
        }
    }
}
