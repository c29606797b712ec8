//! The long short-term memory: a recurrent layer with a gated cell state.

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
    /// A long short-term memory, which reads a sequence from the first position to the last.
    ///
    /// At position `t`, with the hidden vector `h` and the cell state `c` of the previous position (both 0 before the
    /// first), the four gates are slices of the sum of one affine map of the input and one of the hidden vector,
    /// `[i, f, g, o] = W_ih x[t] + b_ih + W_hh h + b_hh`; then
    /// `c = sigmoid(f) * c + sigmoid(i) * tanh(g)` and `y[t] = h = sigmoid(o) * tanh(c)`.
    ///
    /// The parameters and their initialization are those of PyTorch's `LSTM`: `weight_ih [4 out, features]`,
    /// `weight_hh [4 out, out]`, `bias_ih [4 out]` and `bias_hh [4 out]`, all uniform within `1 / sqrt(out)`. `init` selects another
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
    /// ``lstm needs `out`, the length of the hidden vector``, or
    /// `lstm: the input is [64]; expected [length, features]`, at compile time.
    ///
    /// # Source
    /// Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000.
    ///
    /// # Example
    /// ```
    /// use trainspec::layer::Lstm;
    /// use trainspec::{Config, Shape};
    ///
    /// let layer = Lstm { out: 256, ..Lstm::DEFAULT };
    /// assert_eq!(layer.output(Shape::of(&[128, 64])), Ok(Shape::of(&[128, 256])));
    /// ```
    // four sums of the two maps; three sigmoids of four operations; two tanh; three products and a sum
    Lstm = "lstm", gates 4, flops 22, kernel trainspec_kernels::lstm::Lstm,
    step |cell, of_input, of_hidden, _hidden, memory| {
        let gates = (of_input + of_hidden)?;
        let keep = sigmoid(&cell.gate(&gates, 1)?)?;
        let write = (sigmoid(&cell.gate(&gates, 0)?)? * cell.gate(&gates, 2)?.tanh()?)?;
        *memory = ((keep * &*memory)? + write)?;
        Ok((sigmoid(&cell.gate(&gates, 3)?)? * memory.tanh()?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::alone;

    #[test]
    #[should_panic(expected = "lstm needs `out`, the length of the hidden vector")]
    fn out_must_be_given() {
        alone(&Lstm::DEFAULT, &["bias"], Lstm::DEFAULT.check());
    }

    #[test]
    fn lstm_parameters_have_four_gates() {
        let layer = Lstm { out: 3, ..Lstm::DEFAULT };
        assert!(layer.check().is_ok());
        assert!(Lstm { out: 0, ..layer }.check().is_err());
        assert_eq!(layer.output(Shape::of(&[7, 2])), Ok(Shape::of(&[7, 3])));
        assert_eq!(layer.parameters(&[Shape::of(&[7, 2])])[0].shape, Shape::of(&[12, 2]));
    }
}
