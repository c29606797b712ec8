//! Fully connected: `y = epilogue(x W^T + b)`.
//!
//! Forward is one product; the bias and the epilogue are applied to each block while it is in cache. With `d_pre` the
//! gradient of the epilogue's input: `dW = d_pre^T x`, `db` is the sum of the rows of `d_pre`, `dx = d_pre W`.
//! The bits of a row do not depend on how many rows there are.

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use crate::epilogue::Epilogue;
use crate::matmul::{PackedMatrix, Right, View, WriteMode, column_sums, product, product_then};
use crate::shared::Shared;
use crate::simd;
use crate::sizes::elements;
use crate::weight::Weight;

/// The sizes of a fully connected layer.
///
/// ```
/// use trainspec_kernels::epilogue::{Activation, Epilogue};
/// use trainspec_kernels::linear::Linear;
/// use trainspec_kernels::matmul::WriteMode;
///
/// let linear = Linear { rows: 1, inputs: 2, outputs: 2 };
/// let (x, weight, bias) = ([1.0, 2.0], [1.0, 1.0, 3.0, -4.0], [0.5, 0.5]);
/// let relu = Epilogue { activation: Activation::Relu, ..Epilogue::NONE };
/// let (mut pre, mut y) = ([0.0; 2], [0.0; 2]);
/// linear.forward(&x, &weight, Some(&bias), &relu, Some(&mut pre), &mut y);
/// assert_eq!((pre, y), ([3.5, -4.5], [3.5, 0.0]));
///
/// let mut d_weight = [0.0; 4];
/// linear.backward_weight(&x, &[1.0, 0.0], (&mut d_weight, WriteMode::Overwrite), None);
/// assert_eq!(d_weight, [1.0, 2.0, 0.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    /// The number of rows: samples, or positions of samples.
    pub rows: usize,
    /// The number of inputs of a row.
    pub inputs: usize,
    /// The number of outputs of a row.
    pub outputs: usize,
}

impl Linear {
    /// `y = epilogue(x W^T + b)`; the element of row `i` and column `j` has the index `i * outputs + j` for the
    /// epilogue, and `pre`, if passed, receives the epilogue's input. A packed weight gives the same bits, in less time for
    /// few rows.
    ///
    /// # Shapes
    /// `x`: `[rows, inputs]`; `weight`: `[outputs, inputs]`; `bias`: `[outputs]`; `pre` and `y`: `[rows, outputs]`.
    ///
    /// # Panics
    /// If a slice has the wrong length, the packed weight has other sizes, or the epilogue's residual is shorter than `y`.
    pub fn forward<'w>(
        &self,
        x: &[f32],
        weight: impl Into<Weight<'w, PackedMatrix>>,
        bias: Option<&[f32]>,
        epilogue: &Epilogue<'_>,
        pre: Option<&mut [f32]>,
        y: &mut [f32],
    ) {
        let Self { rows, inputs, outputs } = *self;
        let Weight { values, packed } = weight.into();
        self.check(x, values);
        let packed_size = packed.map_or([inputs, outputs], PackedMatrix::size);
        assert_eq!(packed_size, [inputs, outputs], "the packed weight is of this layer");
        assert_eq!(y.len(), elements([rows, outputs]), "y is [rows, outputs]");
        assert!(bias.is_none_or(|bias| bias.len() == outputs), "the bias is [outputs]");
        assert!(pre.as_ref().is_none_or(|pre| pre.len() == y.len()), "pre is [rows, outputs]");
        let pre = pre.map(Shared::new);
        let is_identity = epilogue.is_identity();
        let w = packed.map_or_else(|| Right::View(self.transposed(values)), |packed| packed.packed().into());
        product_then(View::new(x, rows, inputs), w, y, WriteMode::Overwrite, |row, first, run| {
            if let Some(bias) = bias {
                add(&bias[first..first + run.len()], run);
            }
            let number = row * outputs + first;
            if let Some(pre) = &pre {
                // SAFETY: the runs contain every element of the product once, and this is the same part of `pre`.
                unsafe { pre.part(number..number + run.len()) }.copy_from_slice(run);
            }
            if !is_identity {
                epilogue.forward_in_place(number, run);
            }
        });
    }

    /// Packs a weight for any number of rows. `None` for so few outputs that it gains nothing.
    ///
    /// # Panics
    /// If `weight` is not `[outputs, inputs]`.
    #[must_use]
    pub fn pack(&self, weight: &[f32]) -> Option<PackedMatrix> {
        /// Products with at most as many columns are computed otherwise if they have many rows.
        const FEW: usize = 4;
        assert_eq!(weight.len(), elements([self.outputs, self.inputs]), "the weight is [outputs, inputs]");
        (self.outputs > FEW).then(|| PackedMatrix::new(self.transposed(weight)))
    }

    /// The gradients of the weight and of the bias, from that of the epilogue's input.
    ///
    /// # Shapes
    /// `x`: `[rows, inputs]`; `d_pre`: `[rows, outputs]`; `d_weight`: `[outputs, inputs]`; `d_bias`: `[outputs]`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn backward_weight(
        &self,
        x: &[f32],
        d_pre: &[f32],
        d_weight: (&mut [f32], WriteMode),
        d_bias: Option<(&mut [f32], WriteMode)>,
    ) {
        let Self { rows, inputs, outputs } = *self;
        let (d_weight, onto) = d_weight;
        self.check(x, d_weight);
        assert_eq!(d_pre.len(), elements([rows, outputs]), "the gradient is [rows, outputs]");
        product(View::new(d_pre, rows, outputs).transposed(), View::new(x, rows, inputs), d_weight, onto);
        if let Some((d_bias, onto)) = d_bias {
            assert_eq!(d_bias.len(), outputs, "the bias is [outputs]");
            column_sums(d_pre, rows, outputs, d_bias, onto);
        }
    }

    /// The gradient of `x`, from that of the epilogue's input.
    ///
    /// # Shapes
    /// `d_pre`: `[rows, outputs]`; `weight`: `[outputs, inputs]`; `dx`: `[rows, inputs]`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn backward_input(&self, d_pre: &[f32], weight: &[f32], dx: (&mut [f32], WriteMode)) {
        let Self { rows, inputs, outputs } = *self;
        let (dx, onto) = dx;
        self.check(dx, weight);
        assert_eq!(d_pre.len(), elements([rows, outputs]), "the gradient is [rows, outputs]");
        product(View::new(d_pre, rows, outputs), View::new(weight, outputs, inputs), dx, onto);
    }

    /// The weight as the right-hand side of a product.
    fn transposed<'a>(&self, weight: &'a [f32]) -> View<'a> {
        View::new(weight, self.outputs, self.inputs).transposed()
    }

    fn check(&self, x: &[f32], weight: &[f32]) {
        let Self { rows, inputs, outputs } = *self;
        assert_eq!(x.len(), elements([rows, inputs]), "x is [rows, inputs]");
        assert_eq!(weight.len(), elements([outputs, inputs]), "the weight is [outputs, inputs]");
    }
}

simd! {
    fn add(bias: &[f32], run: &mut [f32]) {
        for (value, bias) in run.iter_mut().zip(bias) {
            *value += bias;
        }
    }
}
