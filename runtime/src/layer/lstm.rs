//! The long short-term memory: a recurrent layer with a gated cell state.

use candle_core::Tensor;
use candle_nn::ops::sigmoid;
use serde::{Deserialize, Serialize};

use super::recurrent::Cell;
use super::rule::{self, hold};
use super::{Axis, Initializer, Layer, LayerKind, OutputRule, Parameter, ParameterAxes, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// A long short-term memory of one layer, which reads a sequence from the first position to the last.
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
/// # Shapes
/// `[length, features]` to `[length, out]`: the hidden vector of every position.
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
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lstm {
    /// The length of the hidden vector, at least 1; required.
    pub out: usize,
    /// Whether the two affine maps have biases; `true` by default.
    pub bias: bool,
    /// Initializer of `weight_ih` and `weight_hh`; [`Initializer::Default`], as in PyTorch, by default.
    pub init: Initializer,
}

impl Lstm {
    /// `out` is at least 1, and `init` is valid.
    pub const fn check(&self) -> CheckResult {
        hold!(rule::count("out", self.out));
        self.init.check()
    }

    /// `[length, out]`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        self.cell().output(input)
    }

    const fn cell(&self) -> Cell {
        Cell { out: self.out, gates: 4, bias: self.bias, init: self.init }
    }
}

impl Config for Lstm {
    const NAME: &'static str = "lstm";
    const DEFAULT: Self = Self { out: 0, bias: true, init: Initializer::Default };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("out", "the length of the hidden vector")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Lstm {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[
        ("weight_ih", &[Axis::Other, Axis::LastOfInput]),
        ("weight_hh", &[Axis::Other, Axis::LastOfOutput]),
        ("bias_ih", &[Axis::Other]),
        ("bias_hh", &[Axis::Other]),
    ];

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        self.cell().parameters(inputs)
    }

    fn flops(&self, inputs: &[Shape], _: Shape) -> u64 {
        // four sums of the two maps; three sigmoids of four operations; two tanh; three products and a sum
        self.cell().flops(inputs, 22)
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Recurrent
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&[length, inputs]) = inputs.first().map(Shape::axes) else { return Lowering::Fallback };
        let sizes = trainspec_kernels::lstm::Lstm { batch: 1, length, inputs, hidden: self.out };
        Lowering::kernel(kernels::Lstm(sizes))
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let cell = self.cell();
        let mut memory = Tensor::zeros((x.dim(0)?, self.out), x.dtype(), x.device())?;
        cell.run(x, pass, |of_input, of_hidden, _| {
            let gates = (of_input + of_hidden)?;
            let keep = sigmoid(&cell.gate(&gates, 1)?)?;
            let write = (sigmoid(&cell.gate(&gates, 0)?)? * cell.gate(&gates, 2)?.tanh()?)?;
            memory = ((keep * &memory)? + write)?;
            Ok((sigmoid(&cell.gate(&gates, 3)?)? * memory.tanh()?)?)
        })
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
