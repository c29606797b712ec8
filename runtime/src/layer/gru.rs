//! The gated recurrent unit: a recurrent layer whose state is its output.

use candle_core::Tensor;
use candle_nn::ops::sigmoid;
use serde::{Deserialize, Serialize};

use super::recurrent::{Cell, recurrent};
use super::{Axis, Initializer, Layer, LayerKind, OutputRule, Parameter, ParameterAxes, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

recurrent! {
    /// A gated recurrent unit, which reads a sequence from the first position to the last.
    ///
    /// At position `t`, with the hidden vector `h` of the previous position (0 before the first), the two affine maps are
    /// `[r_x, z_x, n_x] = W_ih x[t] + b_ih` and `[r_h, z_h, n_h] = W_hh h + b_hh`; then
    /// `r = sigmoid(r_x + r_h)`, `z = sigmoid(z_x + z_h)`, `n = tanh(n_x + r * n_h)` and
    /// `y[t] = h = (1 - z) * n + z * h`.
    ///
    /// The parameters and their initialization are those of PyTorch's `GRU`: `weight_ih [3 out, features]`,
    /// `weight_hh [3 out, out]`, `bias_ih [3 out]` and `bias_hh [3 out]`, all uniform within `1 / sqrt(out)`. `init` selects another
    /// initializer of the two weights, each taken as one matrix with its gates stacked along the rows.
    ///
    /// With `layers`, further layers read the output of the one before. With `bidirectional`, each layer also reads the sequence from the
    /// last position to the first, with parameters of its own; its output is the hidden vectors of both directions, one after the other.
    /// The parameters of the others have PyTorch's names: `weight_ih_l1`, `weight_ih_l0_reverse`.
    ///
    /// # Shapes
    /// `[length, features]` to `[length, directions out]`: the hidden vectors of every position. With `last` to `[directions out]`: those
    /// after the last position that each direction of the last layer reads, which is the first position for the second direction.
    ///
    /// # Errors
    /// ``gru needs `out`, the length of the hidden vector``, or
    /// `gru: the input is [64]; expected [length, features]`, at compile time.
    ///
    /// # Source
    /// Cho et al. 2014; `r` is applied after the matrix product, as in PyTorch and cuDNN.
    ///
    /// # Example
    /// ```
    /// use trainspec::layer::Gru;
    /// use trainspec::{Config, Shape};
    ///
    /// let layer = Gru { out: 256, ..Gru::DEFAULT };
    /// assert_eq!(layer.output(Shape::of(&[128, 64])), Ok(Shape::of(&[128, 256])));
    /// ```
    // three sums of the two maps; two sigmoids of four operations; tanh; two products, a difference, a sum
    Gru = "gru", gates 3, flops 16, kernel trainspec_kernels::gru::Gru,
    step |cell, of_input, of_hidden, hidden, _memory| {
        let both = |index| -> Result<Tensor> {
            Ok(sigmoid(&(cell.gate(of_input, index)? + cell.gate(of_hidden, index)?)?)?)
        };
        let (reset, update) = (both(0)?, both(1)?);
        let new = (cell.gate(of_input, 2)? + (reset * cell.gate(of_hidden, 2)?)?)?.tanh()?;
        // (1 - z) n + z h, with one product
        Ok((&new + (update * (hidden - &new)?)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::alone;

    #[test]
    #[should_panic(expected = "gru needs `out`, the length of the hidden vector")]
    fn out_must_be_given() {
        alone(&Gru::DEFAULT, &["bias"], Gru::DEFAULT.check());
    }

    #[test]
    fn gru_parameters_have_three_gates() {
        let layer = Gru { out: 3, ..Gru::DEFAULT };
        assert!(layer.check().is_ok());
        assert!(Gru { out: 0, ..layer }.check().is_err());
        assert_eq!(layer.output(Shape::of(&[7, 2])), Ok(Shape::of(&[7, 3])));
        assert_eq!(layer.parameters(&[Shape::of(&[7, 2])])[0].shape, Shape::of(&[9, 2]));
    }
}
