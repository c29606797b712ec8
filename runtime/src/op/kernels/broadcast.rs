//! Operators on two values, of which one may be repeated along some axes.

use trainspec_kernels::broadcast::{Broadcast as Kernels, Operator};

use crate::error::Result;
use crate::op::{Backward, Data, Forward, Kernel};
use crate::shape::Shape;

/// `a + b`, `a - b`, `a * b` or `a / b`
#[derive(Debug)]
pub(crate) struct Broadcast {
    kernels: Kernels,
    /// Whether the first operand is the one that may be repeated.
    is_swapped: bool,
}

impl Broadcast {
    /// For operands of these shapes; one of them has the shape of the result.
    pub(crate) fn new(operator: Operator, a: Shape, b: Shape) -> Self {
        let is_swapped = a.elements() < b.elements();
        let (full, small) = if is_swapped { (b, a) } else { (a, b) };
        Self { kernels: Kernels::new(operator, full.axes(), small.axes(), is_swapped), is_swapped }
    }

    /// Of two operands, the full and the small one.
    fn order<T>(&self, [a, b]: [T; 2]) -> [T; 2] {
        if self.is_swapped { [b, a] } else { [a, b] }
    }
}

impl Kernel for Broadcast {
    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let [a, b, ..] = pass.inputs.map(Data::floats);
        let [full, small] = self.order([a, b]);
        self.kernels.forward(full, small, pass.output);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let [a, b, ..] = pass.inputs.map(Data::floats);
        let [full, small] = self.order([a, b]);
        let [d_a, d_b, ..] = &mut pass.d_inputs;
        let [d_full, d_small] = self.order([d_a.take(), d_b.take()]);
        if let Some(d_full) = d_full {
            self.kernels.backward_full(full, small, pass.d, d_full);
        }
        if let Some(d_small) = d_small {
            self.kernels.backward_small(full, small, pass.d, d_small);
        }
    }
}
