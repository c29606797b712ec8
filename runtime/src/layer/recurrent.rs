//! Shared by the recurrent layers: a cell that reads a sequence position by position.

use candle_core::Tensor;

use super::linear::affine;
use super::rule::{self, hold};
use super::{Init, Initializer, Parameter, Role};
use crate::error::Result;
use crate::layer::Pass;
use crate::op::kernels::Stack;
use crate::shape::{CheckError, CheckResult, Shape};

/// The most layers of one recurrent layer.
const MOST_LAYERS: usize = 8;

/// The names in PyTorch of the parameters of each layer and direction: the weights and biases of the input and of the hidden vector.
const NAMES: [[[&str; 4]; 2]; MOST_LAYERS] = {
    macro_rules! names {
        ($($layer:literal)*) => {
            [$([
                [
                    concat!("weight_ih_l", $layer),
                    concat!("weight_hh_l", $layer),
                    concat!("bias_ih_l", $layer),
                    concat!("bias_hh_l", $layer),
                ],
                [
                    concat!("weight_ih_l", $layer, "_reverse"),
                    concat!("weight_hh_l", $layer, "_reverse"),
                    concat!("bias_ih_l", $layer, "_reverse"),
                    concat!("bias_hh_l", $layer, "_reverse"),
                ],
            ]),*]
        };
    }
    names!(0 1 2 3 4 5 6 7)
};

/// The names of the parameters of the first layer and direction.
const FIRST: [&str; 4] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];

/// The keys of a recurrent layer, whose cells have `gates` affine maps to vectors of length `out`, both of the input and of the
/// hidden vector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) out: usize,
    pub(super) gates: usize,
    pub(super) bias: bool,
    pub(super) layers: usize,
    pub(super) bidirectional: bool,
    pub(super) last: bool,
    pub(super) init: Initializer,
}

impl Cell {
    pub(super) const fn check(&self) -> CheckResult {
        hold!(rule::count("out", self.out));
        hold!(rule::count("layers", self.layers));
        if self.layers > MOST_LAYERS {
            return Err(CheckError::new("layers is ")
                .number(self.layers)
                .text("; expected at most ")
                .number(MOST_LAYERS));
        }
        self.init.check()
    }

    const fn directions(&self) -> usize {
        if self.bidirectional { 2 } else { 1 }
    }

    /// `[length, features]` to `[length, directions out]`, or with `last` to `[directions out]`.
    pub(super) const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(input.reals_of_rank(2, "[length, features]"));
        let features = hold!(rule::vectors(input));
        hold!(self.check());
        hold!(rule::possible("weight", Shape::of(&[self.gates, self.out, features])));
        hold!(rule::possible("weight", Shape::of(&[self.gates, self.out, self.out])));
        let out = self.directions().saturating_mul(self.out);
        rule::given(if self.last { Shape::of(&[out]) } else { input.with_last(out) })
    }

    /// The name of a parameter of a direction of a layer, and its name in PyTorch.
    fn name(layer: usize, direction: usize, kind: usize) -> (&'static str, &'static str) {
        let torch = NAMES[layer.min(MOST_LAYERS - 1)][direction][kind];
        (if layer == 0 && direction == 0 { FIRST[kind] } else { torch }, torch)
    }

    /// For each layer and direction `weight_ih`, `weight_hh`, and with `bias` one bias for each, all uniform within
    /// `1 / sqrt(out)`; `init` applies to the weights.
    pub(super) fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let rows = self.gates.saturating_mul(self.out);
        let init = Init::fan_in(self.out);
        let mut parameters = Vec::new();
        for layer in 0..self.layers {
            let features = match layer {
                0 => inputs.first().map_or(1, |input| input.last()),
                _ => self.directions() * self.out,
            };
            for direction in 0..self.directions() {
                for (kind, columns) in [(0, features), (1, self.out)] {
                    let (name, torch) = Self::name(layer, direction, kind);
                    let weight = Parameter::new(name, &[rows, columns], Role::Matrix, init);
                    parameters.push(weight.with_init(self.init).named_in_torch(torch));
                }
                for kind in if self.bias { 2..4 } else { 0..0 } {
                    let (name, torch) = Self::name(layer, direction, kind);
                    parameters.push(Parameter::new(name, &[rows], Role::Bias, init).named_in_torch(torch));
                }
            }
        }
        parameters
    }

    /// The matrix products of all positions, plus `each` operations per element of the hidden vector.
    pub(super) fn flops(&self, inputs: &[Shape], each: usize) -> u64 {
        let Some(&[length, features]) = inputs.first().map(Shape::axes) else { return 0 };
        let of_layer = |features: usize| {
            let summed = features.saturating_add(self.out);
            let products = rule::operations(&[2, length, self.gates, self.out, summed]);
            products.saturating_add(rule::operations(&[each, length, self.out]))
        };
        let others = (self.layers as u64 - 1).saturating_mul(of_layer(self.directions() * self.out));
        (self.directions() as u64).saturating_mul(of_layer(features).saturating_add(others))
    }

    /// The sizes of the planned form.
    pub(super) fn stack(&self, inputs: &[Shape]) -> Option<Stack> {
        let &[length, inputs] = inputs.first()?.axes() else { return None };
        let Self { out: hidden, layers, last, .. } = *self;
        Some(Stack { length, inputs, hidden, layers, directions: self.directions(), last })
    }

    /// The output of the last layer. Calls `step` for each position of each layer and direction, with the
    /// contributions of the input and of the previous hidden vector to the gates, each `[batch, gates * out]`, with that vector and
    /// with another state of the cell, both `[batch, out]` and 0 at first; `step` returns the next hidden vector.
    ///
    /// A position is sliced from `x` rather than from the product of the whole sequence: candle's gradient of a slice
    /// is as large as the sliced tensor, and `x` is smaller.
    pub(super) fn run(
        &self,
        x: &Tensor,
        pass: &Pass<'_>,
        step: impl Fn(&Tensor, &Tensor, &Tensor, &mut Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let (batch, length, _) = x.dims3()?;
        let mut x = x.clone();
        for layer in 0..self.layers {
            let (mut joined, mut ends) = (Vec::new(), Vec::new());
            for direction in 0..self.directions() {
                let parameter = |kind| pass.parameter(Self::name(layer, direction, kind).0);
                let bias = |kind| if self.bias { parameter(kind).map(Some) } else { Ok(None) };
                let (weight_ih, weight_hh) = (parameter(0)?, parameter(1)?);
                let (bias_ih, bias_hh) = (bias(2)?, bias(3)?);
                let mut hidden = Tensor::zeros((batch, self.out), x.dtype(), x.device())?;
                let mut memory = hidden.clone();
                let mut all = Vec::with_capacity(length);
                for place in 0..length {
                    let place = if direction == 0 { place } else { length - 1 - place };
                    let x = x.narrow(1, place, 1)?.squeeze(1)?;
                    let of_input = affine(&x, weight_ih, bias_ih)?;
                    let of_hidden = affine(&hidden, weight_hh, bias_hh)?;
                    hidden = step(&of_input, &of_hidden, &hidden, &mut memory)?;
                    all.push(hidden.clone());
                }
                if direction > 0 {
                    all.reverse();
                }
                joined.push(Tensor::stack(&all, 1)?);
                ends.push(hidden);
            }
            if self.last && layer + 1 == self.layers {
                return Ok(Tensor::cat(&ends, 1)?);
            }
            x = Tensor::cat(&joined, 2)?;
        }
        Ok(x)
    }

    /// Gate `index` of `[batch, gates * out]`, as `[batch, out]`.
    pub(super) fn gate(&self, gates: &Tensor, index: usize) -> Result<Tensor> {
        Ok(gates.narrow(1, index * self.out, self.out)?)
    }
}

/// A layer made of [`Cell`]s: its keys, rules and parameters, which LSTM and GRU share. `flops` are those of an element of the
/// hidden vector in addition to the products, and `step` is the cell.
macro_rules! recurrent {
    (
        $(#[$docs:meta])*
        $layer:ident = $name:literal, gates $gates:literal, flops $flops:literal, kernel $kernel:ty,
        step |$cell:ident, $of_input:ident, $of_hidden:ident, $hidden:ident, $memory:ident| $step:expr
    ) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {
            /// The length of the hidden vector, at least 1; required.
            pub out: usize,
            /// Whether the affine maps have biases; `true` by default.
            pub bias: bool,
            /// The number of layers, from 1 to 8, each of which reads the output of the one before; 1 by default.
            pub layers: usize,
            /// Whether each layer also reads the sequence from the last position to the first; `false` by default.
            pub bidirectional: bool,
            /// Whether the output is only the hidden vector after the last position that was read; `false` by default.
            pub last: bool,
            /// Initializer of the weights; [`Initializer::Default`], as in PyTorch, by default.
            pub init: Initializer,
        }

        impl $layer {
            /// `out` is at least 1, `layers` from 1 to 8, and `init` is valid.
            pub const fn check(&self) -> CheckResult {
                self.cell().check()
            }

            /// `[length, directions out]`, or with `last` `[directions out]`.
            pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
                self.cell().output(input)
            }

            const fn cell(&self) -> Cell {
                let Self { out, bias, layers, bidirectional, last, init } = *self;
                Cell { out, gates: $gates, bias, layers, bidirectional, last, init }
            }
        }

        impl Config for $layer {
            const NAME: &'static str = $name;
            const DEFAULT: Self = Self {
                out: 0,
                bias: true,
                layers: 1,
                bidirectional: false,
                last: false,
                init: Initializer::Default,
            };
            const REQUIRED: &'static [(&'static str, &'static str)] =
                &[("out", "the length of the hidden vector")];
            const CHECK: fn(&Self) -> CheckResult = Self::check;
        }

        impl Layer for $layer {
            const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
            const PARAMETERS: ParameterAxes = &[
                ("weight_ih", &[Axis::Other, Axis::LastOfInput]),
                ("weight_hh", &[Axis::Other, Axis::Other]),
                ("bias_ih", &[Axis::Other]),
                ("bias_hh", &[Axis::Other]),
            ];

            fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
                self.cell().parameters(inputs)
            }

            fn flops(&self, inputs: &[Shape], _: Shape) -> u64 {
                self.cell().flops(inputs, $flops)
            }

            fn kind(&self) -> LayerKind {
                LayerKind::Recurrent
            }

            fn lowering(&self, inputs: &[Shape]) -> Lowering {
                let stack = self.cell().stack(inputs);
                stack.map_or(Lowering::Fallback, |stack| {
                    Lowering::kernel(kernels::Recurrent::<$kernel>::new(stack))
                })
            }

            fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
                let $cell = self.cell();
                $cell.run(one(inputs, self)?, pass, |$of_input, $of_hidden, $hidden, $memory| $step)
            }
        }
    };
}
pub(super) use recurrent;

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: Cell = Cell {
        out: 5,
        gates: 3,
        bias: true,
        layers: 1,
        bidirectional: false,
        last: false,
        init: Initializer::Default,
    };

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
    fn layers_and_directions_have_parameters_of_their_own() {
        let cell = Cell { layers: 2, bidirectional: true, ..CELL };
        assert_eq!(cell.output(Shape::of(&[7, 2])), Ok(Shape::of(&[7, 10])));
        assert_eq!(Cell { last: true, ..cell }.output(Shape::of(&[7, 2])), Ok(Shape::of(&[10])));
        let parameters = cell.parameters(&[Shape::of(&[7, 2])]);
        let names: Vec<_> = parameters.iter().map(|each| each.name).collect();
        let first = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];
        assert_eq!(names[..4], first);
        assert_eq!(
            [names[4], names[8], names[15]],
            ["weight_ih_l0_reverse", "weight_ih_l1", "bias_hh_l1_reverse"]
        );
        assert_eq!(parameters[8].shape, Shape::of(&[15, 10]));
        assert_eq!(parameters[0].torch, "weight_ih_l0");
        let problem = Cell { layers: 9, ..CELL }.check().unwrap_err();
        assert_eq!(problem.as_str(), "layers is 9; expected at most 8");
        assert!(Cell { layers: 0, ..CELL }.check().is_err());
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
