//! Functions of each element: `y = f(x)`, and the gradient `dx = dy f'(x)`.
//!
//! Large slices are split into blocks for all threads. `onto` selects whether a gradient overwrites the destination or is added
//! to it.
//!
//! ```
//! use trainspec_kernels::matmul::WriteMode;
//! use trainspec_kernels::unary::Unary;
//!
//! let (x, mut y, mut dx) = ([-2.0, 3.0], [0.0; 2], [1.0; 2]);
//! Unary::Square.forward(&x, &mut y);
//! assert_eq!(y, [4.0, 9.0]);
//! Unary::Square.backward(&x, &[1.0, 10.0], &mut dx, WriteMode::Accumulate);
//! assert_eq!(dx, [-3.0, 61.0]);
//! ```

#[cfg(test)]
mod tests;

use crate::math::{each_with, each_with_two, exp, ln};
use crate::matmul::WriteMode;
use crate::{simd, threads};

/// Elements per block.
const BLOCK: usize = 32 << 10;

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary {
    /// `factor x + shift`, rounded once.
    Affine {
        /// The factor.
        factor: f32,
        /// What is added to the product.
        shift: f32,
    },
    /// `numerator / x`
    Reciprocal {
        /// The numerator.
        numerator: f32,
    },
    /// `|x|`; the derivative at 0 is 0.
    Abs,
    /// `x^2`
    Square,
    /// The square root; the derivative at 0 is infinite.
    Sqrt,
    /// `exp(x)`
    Exp,
    /// The natural logarithm.
    Log,
    /// `x` between `min` and `max`, otherwise the nearer one; the derivative is 1 from `min` to `max`, and 0 elsewhere.
    Clamp {
        /// The smallest result.
        min: f32,
        /// The largest result.
        max: f32,
    },
}

impl Unary {
    /// Whether the gradient depends on the input.
    #[must_use]
    pub fn reads_input(self) -> bool {
        !matches!(self, Self::Affine { .. })
    }

    /// `y = f(x)`
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn forward(self, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), y.len(), "the slices have equal lengths");
        threads::chunks(y, BLOCK, |number, y| {
            let x = &x[number * BLOCK..][..y.len()];
            match self {
                Self::Affine { factor, shift } => map(x, y, |x| x.mul_add(factor, shift)),
                Self::Reciprocal { numerator } => map(x, y, |x| numerator / x),
                Self::Abs => map(x, y, f32::abs),
                Self::Square => map(x, y, |x| x * x),
                Self::Sqrt => map(x, y, f32::sqrt),
                Self::Exp => map(x, y, exp),
                Self::Log => map(x, y, ln),
                Self::Clamp { min, max } => map(x, y, |x| {
                    // NaN passes both.
                    let x = if x < min { min } else { x };
                    if x > max { max } else { x }
                }),
            }
        });
    }

    /// `dx = dy f'(x)`, or `dx += dy f'(x)`. `x` may be empty if the gradient [does not depend](Self::reads_input) on it.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn backward(self, x: &[f32], dy: &[f32], dx: &mut [f32], onto: WriteMode) {
        assert_eq!(dy.len(), dx.len(), "the slices have equal lengths");
        if let Self::Affine { factor, .. } = self {
            crate::element::scaled(dy, factor, dx, onto);
            return;
        }
        assert_eq!(x.len(), dx.len(), "the slices have equal lengths");
        threads::chunks(dx, BLOCK, |number, dx| {
            let [x, dy] = [x, dy].map(|values| &values[number * BLOCK..][..dx.len()]);
            match self {
                Self::Affine { .. } => {}
                Self::Reciprocal { numerator } => slopes(x, dy, dx, onto, |x, dy| -(dy * numerator / x) / x),
                Self::Abs => slopes(x, dy, dx, onto, |x, dy| {
                    let sign = if x < 0.0 { -dy } else { dy };
                    if x == 0.0 { 0.0 } else { sign }
                }),
                Self::Square => slopes(x, dy, dx, onto, |x, dy| 2.0 * x * dy),
                Self::Sqrt => slopes(x, dy, dx, onto, |x, dy| dy / (2.0 * x.sqrt())),
                Self::Exp => slopes(x, dy, dx, onto, |x, dy| dy * exp(x)),
                Self::Log => slopes(x, dy, dx, onto, |x, dy| dy / x),
                Self::Clamp { min, max } => {
                    slopes(x, dy, dx, onto, |x, dy| if x >= min && x <= max { dy } else { 0.0 });
                }
            }
        });
    }
}

simd! {
    fn map[F: Fn(f32) -> f32][F](x: &[f32], y: &mut [f32], f: F) {
        each_with(y, x, |_, x| f(x));
    }
}

simd! {
    fn slopes[F: Fn(f32, f32) -> f32][F](x: &[f32], dy: &[f32], dx: &mut [f32], onto: WriteMode, f: F) {
        match onto {
            WriteMode::Overwrite => each_with_two(dx, x, dy, |_, x, dy| f(x, dy)),
            WriteMode::Accumulate => each_with_two(dx, x, dy, |dx, x, dy| dx + f(x, dy)),
        }
    }
}
