//! Shared by the recurrent layers: a cell that reads a sequence position by position.

use candle_core::Tensor;

use super::linear::affine;
use super::rule::{self, hold};
use super::{Init, Initializer, Parameter, Role};
use crate::error::Result;
use crate::layer::Pass;
use crate::shape::{CheckResult, Shape};

/// A cell with a hidden vector of length `out`, and `gates` affine maps to that length, both of the input
/// and of the hidden vector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) out: usize,
    pub(super) gates: usize,
    pub(super) bias: bool,
    pub(super) init: Initializer,
}

impl Cell {
    /// `[length, features]` to `[length, out]`.
    pub(super) const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(input.reals_of_rank(2, "[length, features]"));
        let features = hold!(rule::vectors(input));
        hold!(rule::count("out", self.out));
        hold!(rule::possible("weight", Shape::of(&[self.gates, self.out, features])));
        hold!(rule::possible("weight", Shape::of(&[self.gates, self.out, self.out])));
        rule::given(input.with_last(self.out))
    }

    /// `weight_ih`, `weight_hh`, and with `bias` one bias for each, all uniform within `1 / sqrt(out)`; `init`
    /// applies to the weights.
    pub(super) fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let features = inputs.first().map_or(1, |input| input.last());
        let rows = self.gates.saturating_mul(self.out);
        let init = Init::fan_in(self.out);
        let mut parameters = vec![
            Parameter::new("weight_ih", &[rows, features], Role::Matrix, init)
                .with_init(self.init)
                .named_in_torch("weight_ih_l0"),
            Parameter::new("weight_hh", &[rows, self.out], Role::Matrix, init)
                .with_init(self.init)
                .named_in_torch("weight_hh_l0"),
        ];
        if self.bias {
            parameters
                .push(Parameter::new("bias_ih", &[rows], Role::Bias, init).named_in_torch("bias_ih_l0"));
            parameters
                .push(Parameter::new("bias_hh", &[rows], Role::Bias, init).named_in_torch("bias_hh_l0"));
        }
        parameters
    }

    /// The matrix products of all positions, plus `each` operations per element of the hidden vector.
    pub(super) fn flops(&self, inputs: &[Shape], each: usize) -> u64 {
        let Some(&[length, features]) = inputs.first().map(Shape::axes) else { return 0 };
        let summed = features.saturating_add(self.out);
        let products = rule::operations(&[2, length, self.gates, self.out, summed]);
        products.saturating_add(rule::operations(&[each, length, self.out]))
    }

    /// The hidden vector at every position, `[batch, length, out]`. Calls `step` for each position in order, with the
    /// contributions of the input and of the previous hidden vector to the gates, each
    /// `[batch, gates * out]`, and with that vector, `[batch, out]`; `step` returns the next one.
    ///
    /// A position is sliced from `x` rather than from the product of the whole sequence: candle's gradient of a slice
    /// is as large as the sliced tensor, and `x` is smaller.
    pub(super) fn run(
        &self,
        x: &Tensor,
        pass: &Pass<'_>,
        mut step: impl FnMut(&Tensor, &Tensor, &Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let (batch, length, _) = x.dims3()?;
        let bias = |name| if self.bias { pass.parameter(name).map(Some) } else { Ok(None) };
        let (weight_ih, weight_hh) = (pass.parameter("weight_ih")?, pass.parameter("weight_hh")?);
        let (bias_ih, bias_hh) = (bias("bias_ih")?, bias("bias_hh")?);
        let mut hidden = Tensor::zeros((batch, self.out), x.dtype(), x.device())?;
        let mut all = Vec::with_capacity(length);
        for place in 0..length {
            let x = x.narrow(1, place, 1)?.squeeze(1)?;
            let of_input = affine(&x, weight_ih, bias_ih)?;
            let of_hidden = affine(&hidden, weight_hh, bias_hh)?;
            hidden = step(&of_input, &of_hidden, &hidden)?;
            all.push(hidden.clone());
        }
        Ok(Tensor::stack(&all, 1)?)
    }

    /// Gate `index` of `[batch, gates * out]`, as `[batch, out]`.
    pub(super) fn gate(&self, gates: &Tensor, index: usize) -> Result<Tensor> {
        Ok(gates.narrow(1, index * self.out, self.out)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: Cell = Cell { out: 5, gates: 3, bias: true, init: Initializer::Default };

    #[test]
    fn recurrent_layer_returns_sequence() {
        assert_eq!(CELL.output(Shape::of(&[7, 2])), Ok(Shape::of(&[7, 5])));
        assert_eq!(CELL.output(Shape::of(&[Shape::ANY, 2])), Ok(Shape::of(&[Shape::ANY, 5])));
        let problem = CELL.output(Shape::of(&[4])).unwrap_err();
        assert_eq!(problem.as_str(), "the input is [4]; expected [length, features]");
        for bad in [Shape::tokens(65, 4), Shape::of(&[0, 2]), Shape::of(&[4, Shape::ANY])] {
            assert!(CELL.output(bad).is_err());
        }
        assert!(Cell { out: 0, ..CELL }.output(Shape::of(&[7, 2])).is_err());
        assert!(Cell { out: 1 << 20, ..CELL }.output(Shape::of(&[7, 2])).is_err());
        assert!(Cell { out: 1 << 10, ..CELL }.output(Shape::of(&[7, 1 << 30])).is_err());
    }

    #[test]
    fn recurrent_layer_has_two_weights_and_biases() {
        let axes = |cell: Cell| -> Vec<(&str, Vec<usize>)> {
            let parameters = cell.parameters(&[Shape::of(&[7, 2])]);
            parameters.iter().map(|each| (each.name, each.shape.axes().to_vec())).collect()
        };
        let matrices = [("weight_ih", vec![15, 2]), ("weight_hh", vec![15, 5])];
        assert_eq!(axes(Cell { bias: false, ..CELL }), matrices);
        assert_eq!(axes(CELL)[2..], [("bias_ih", vec![15]), ("bias_hh", vec![15])]);
        // Seven positions: fifteen sums over 2 + 5 products, and ten operations for each of five elements.
        assert_eq!(CELL.flops(&[Shape::of(&[7, 2])], 10), 7 * (2 * 15 * (2 + 5) + 10 * 5));
    }
}
