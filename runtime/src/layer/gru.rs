//! The gated recurrent unit: a recurrent layer whose state is its output.

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

/// A gated recurrent unit of one layer, which reads a sequence from the first position to the last.
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
/// # Shapes
/// `[length, features]` to `[length, out]`: the hidden vector of every position.
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
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gru {
    /// The length of the hidden vector, at least 1; required.
    pub out: usize,
    /// Whether the two affine maps have biases; `true` by default.
    pub bias: bool,
    /// Initializer of `weight_ih` and `weight_hh`; [`Initializer::Default`], as in PyTorch, by default.
    pub init: Initializer,
}

impl Gru {
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
        Cell { out: self.out, gates: 3, bias: self.bias, init: self.init }
    }
}

impl Config for Gru {
    const NAME: &'static str = "gru";
    const DEFAULT: Self = Self { out: 0, bias: true, init: Initializer::Default };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("out", "the length of the hidden vector")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Gru {
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
        // three sums of the two maps; two sigmoids of four operations; tanh; two products, a difference, a sum
        self.cell().flops(inputs, 16)
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Recurrent
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&[length, inputs]) = inputs.first().map(Shape::axes) else { return Lowering::Fallback };
        let sizes = trainspec_kernels::gru::Gru { batch: 1, length, inputs, hidden: self.out };
        Lowering::kernel(kernels::Gru(sizes))
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let cell = self.cell();
        cell.run(x, pass, |of_input, of_hidden, hidden| {
            let both = |index| -> Result<Tensor> {
                Ok(sigmoid(&(cell.gate(of_input, index)? + cell.gate(of_hidden, index)?)?)?)
            };
            let (reset, update) = (both(0)?, both(1)?);
            let new = (cell.gate(of_input, 2)? + (reset * cell.gate(of_hidden, 2)?)?)?.tanh()?;
            // (1 - z) n + z h, with one product
            Ok((&new + (update * (hidden - &new)?)?)?)
        })
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
