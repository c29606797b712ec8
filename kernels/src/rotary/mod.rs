//! Rotary position embedding: pairs of elements of each head, rotated by an angle that depends on the position.
//!
//! `[u, v]` becomes `[u cos a - v sin a, u sin a + v cos a]`; the gradient is rotated back.
//!
//! # Source
//! Su et al., "`RoFormer`", 2021.

#[cfg(test)]
mod tests;

use crate::matmul::WriteMode;
use crate::sizes::elements;
use crate::{simd, threads};

/// The sizes of a rotation.
///
/// ```
/// use trainspec_kernels::rotary::Rotary;
///
/// let rotary = Rotary { length: 2, heads: 1, width: 2, interleaved: false };
/// // The cosines, then the sines: by nothing at the first position, and by a right angle at the second.
/// let table = [1.0, 0.0, 0.0, 1.0];
/// let mut y = [0.0; 4];
/// rotary.forward(&[3.0, 4.0, 3.0, 4.0], &table, &mut y);
/// assert_eq!(y, [3.0, 4.0, -4.0, 3.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Rotary {
    /// The number of positions of a sample.
    pub length: usize,
    /// The number of heads.
    pub heads: usize,
    /// The width of a head, an even number.
    pub width: usize,
    /// Whether a pair consists of adjacent elements, instead of element `i` and `i + width / 2`.
    pub interleaved: bool,
}

impl Rotary {
    /// Writes the rotated values to `y`.
    ///
    /// # Shapes
    /// `x`, `y`: `[batch, length, heads * width]`; `table`: the cosines, then the sines of the angles, each
    /// `[length, width / 2]`.
    ///
    /// # Panics
    /// If a slice has the wrong length, or `width` is odd.
    pub fn forward(&self, x: &[f32], table: &[f32], y: &mut [f32]) {
        self.run(x, table, y, 1.0, WriteMode::Overwrite);
    }

    /// Computes the gradient of `x` from that of `y`, `dy`.
    ///
    /// # Panics
    /// As [`Rotary::forward`].
    pub fn backward(&self, dy: &[f32], table: &[f32], (dx, onto): (&mut [f32], WriteMode)) {
        self.run(dy, table, dx, -1.0, onto);
    }

    fn run(&self, x: &[f32], table: &[f32], y: &mut [f32], sign: f32, onto: WriteMode) {
        let Self { length, heads, width, interleaved } = *self;
        let sample = elements([length, heads, width]);
        assert!(width.is_multiple_of(2), "a head consists of pairs");
        assert_eq!(x.len(), y.len(), "input and output");
        assert!(x.len().is_multiple_of(sample.max(1)), "x is [batch, length, heads width]");
        assert_eq!(table.len(), elements([length, width]), "two tables of [length, width / 2]");
        let (cosines, sines) = table.split_at(table.len() / 2);
        let row = heads * width;
        if y.is_empty() {
            return;
        }
        /// Positions per block.
        const BLOCK: usize = 64;
        threads::chunks(y, BLOCK * row, |block, y| {
            for (place, y) in y.chunks_exact_mut(row).enumerate() {
                let place = block * BLOCK + place;
                let half = width / 2;
                let angles = place % length * half..(place % length + 1) * half;
                let (cosines, sines) = (&cosines[angles.clone()], &sines[angles]);
                let x = &x[place * row..][..row];
                let onto = onto == WriteMode::Accumulate;
                if interleaved {
                    adjacent(x, cosines, sines, sign, onto, y);
                } else {
                    halves(x, cosines, sines, sign, onto, y);
                }
            }
        });
    }
}

simd! {
    /// Rotates the heads of a position, of which the pairs are in two halves; `sign` is that of the angle.
    fn halves(x: &[f32], cosines: &[f32], sines: &[f32], sign: f32, adds: bool, y: &mut [f32]) {
        let half = cosines.len();
        for (x, y) in x.chunks_exact(2 * half).zip(y.chunks_exact_mut(2 * half)) {
            let ((x_u, x_v), (y_u, y_v)) = (x.split_at(half), y.split_at_mut(half));
            let pairs = x_u.iter().zip(x_v).zip(y_u.iter_mut().zip(y_v)).zip(cosines.iter().zip(sines));
            for (((&u, &v), (to_u, to_v)), (&cos, &sin)) in pairs {
                let sin = sign * sin;
                let (new_u, new_v) = (u.mul_add(cos, -(v * sin)), u.mul_add(sin, v * cos));
                *to_u = if adds { *to_u + new_u } else { new_u };
                *to_v = if adds { *to_v + new_v } else { new_v };
            }
        }
    }
}

simd! {
    /// The same with adjacent elements as pairs.
    fn adjacent(x: &[f32], cosines: &[f32], sines: &[f32], sign: f32, adds: bool, y: &mut [f32]) {
        let width = 2 * cosines.len();
        for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
            let pairs = x.as_chunks::<2>().0.iter().zip(y.as_chunks_mut::<2>().0);
            for ((&[u, v], to), (&cos, &sin)) in pairs.zip(cosines.iter().zip(sines)) {
                let sin = sign * sin;
                let new = [u.mul_add(cos, -(v * sin)), u.mul_add(sin, v * cos)];
                *to = if adds { [to[0] + new[0], to[1] + new[1]] } else { new };
            }
        }
    }
}
