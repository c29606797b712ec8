//! Weight normalization: a weight as lengths and directions of its rows, and the gradients of both.
//!
//! `w_r = g_r v_r / n_r` with `n_r = |v_r|`, the Euclidean norm of row `r`; a row of zeros counts as one of norm 1. From the gradient `d` of
//! `w`, that of `g_r` is `d_r v_r / n_r`, and that of `v_r` is `g_r (d_r - v_r (d_r v_r) / n_r^2) / n_r`; for a row of zeros, `g_r d_r`.
//!
//! # Source
//! Salimans and Kingma, "Weight normalization: a simple reparameterization to accelerate training of deep neural networks", 2016.

#[cfg(test)]
mod tests;

use crate::matmul::WriteMode;
use crate::reduce::{WIDE, Wide, deviation, put, sums};
use crate::sizes::elements;
use crate::{simd, threads};

/// The sizes of a weight.
///
/// ```
/// use trainspec_kernels::weight_norm::WeightNorm;
///
/// let norm = WeightNorm { rows: 1, columns: 2 };
/// let mut w = [0.0; 2];
/// norm.forward(&[10.0], &[3.0, 4.0], &mut w);
/// assert_eq!(w, [6.0, 8.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightNorm {
    /// The number of rows: the first axis of the weight.
    pub rows: usize,
    /// The number of elements of a row.
    pub columns: usize,
}

impl WeightNorm {
    /// Writes the weight to `w`. A row whose squares overflow is NaN.
    ///
    /// # Shapes
    /// `g`: `[rows]`; `v` and `w`: `[rows, columns]`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn forward(&self, g: &[f32], v: &[f32], w: &mut [f32]) {
        self.check(g, v);
        assert_eq!(w.len(), v.len(), "w is [rows, columns]");
        let (columns, block) = (self.columns.max(1), self.block());
        threads::chunks(w, block * columns, |number, w| {
            for (row, w) in (number * block..).zip(w.chunks_exact_mut(columns)) {
                let v = &v[row * columns..][..columns];
                scale(g[row], v, w);
            }
        });
    }

    /// Writes the gradients of `g` and `v`, from that of the weight, `d`.
    ///
    /// # Panics
    /// As [`WeightNorm::forward`].
    pub fn backward(
        &self,
        g: &[f32],
        v: &[f32],
        d: &[f32],
        (dg, dv): (&mut [f32], &mut [f32]),
        onto: WriteMode,
    ) {
        self.check(g, v);
        assert!(d.len() == v.len() && dv.len() == v.len(), "d and dv are [rows, columns]");
        assert_eq!(dg.len(), g.len(), "dg is [rows]");
        let (columns, block) = (self.columns.max(1), self.block());
        threads::chunks2((dg, block), (dv, block * columns), |number, dg, dv| {
            let rows = dg.iter_mut().zip(dv.chunks_exact_mut(columns));
            for (row, (dg, dv)) in (number * block..).zip(rows) {
                let part = row * columns..(row + 1) * columns;
                gradients(g[row], &v[part.clone()], &d[part], dg, dv, onto);
            }
        });
    }

    /// Writes the norms of the rows of `v`, which make the weight `v` itself, to `g`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn norms(&self, v: &[f32], g: &mut [f32]) {
        self.check(g, v);
        for (g, v) in g.iter_mut().zip(v.chunks_exact(self.columns.max(1))) {
            *g = deviation(squares(v), 0.0) as f32;
        }
    }

    fn check(&self, g: &[f32], v: &[f32]) {
        assert!(self.columns > 0 || self.rows == 0, "a row has at least one element");
        assert_eq!(g.len(), self.rows, "g is [rows]");
        assert_eq!(v.len(), elements([self.rows, self.columns]), "v is [rows, columns]");
    }

    /// The rows of a block.
    fn block(&self) -> usize {
        let columns = self.columns.max(1);
        threads::block(self.rows * columns, columns) / columns
    }
}

/// The norm of a row with this sum of squares.
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#[inline(always)]
fn norm(square: f64) -> f64 {
    if square == 0.0 { 1.0 } else { deviation(square, 0.0) }
}

simd! {
    fn squares(v: &[f32]) -> f64 {
        let [square] = sums([v], [0.0], |[v]: [&Wide; 1], [sum]: &mut [Wide; 1]| {
            for lane in 0..WIDE {
                sum[lane] = v[lane].mul_add(v[lane], sum[lane]);
            }
        });
        square
    }
}

simd! {
    fn scale(g: f32, v: &[f32], w: &mut [f32]) {
        let factor = (f64::from(g) / norm(squares(v))) as f32;
        for (w, v) in w.iter_mut().zip(v) {
            *w = factor * v;
        }
    }
}

simd! {
    fn gradients(g: f32, v: &[f32], d: &[f32], dg: &mut f32, dv: &mut [f32], onto: WriteMode) {
        let [square, product] = sums([v, d], [0.0; 2], |[v, d]: [&Wide; 2], [square, product]: &mut [Wide; 2]| {
            for lane in 0..WIDE {
                square[lane] = v[lane].mul_add(v[lane], square[lane]);
                product[lane] = v[lane].mul_add(d[lane], product[lane]);
            }
        });
        let norm = norm(square);
        put(dg, (product / norm) as f32, onto);
        let scale = f64::from(g) / norm;
        let [along, across] = [-scale * product / (norm * norm), scale].map(|factor| factor as f32);
        for ((dv, v), d) in dv.iter_mut().zip(v).zip(d) {
            put(dv, across.mul_add(*d, along * v), onto);
        }
    }
}
