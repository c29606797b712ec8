//! Functions of each element.

use trainspec_kernels::unary::Unary;

use crate::error::Result;
use crate::op::{Backward, Data, Forward, Kernel, SavedForBackward};

/// `y = f(x)`
#[derive(Debug)]
pub(crate) struct Function(pub(crate) Unary);

impl Kernel for Function {
    fn reads(&self) -> SavedForBackward {
        if self.0.reads_input() { SavedForBackward::INPUT } else { SavedForBackward::NOTHING }
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let [x, ..] = pass.inputs.map(Data::floats);
        self.0.forward(x, pass.output);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let [x, ..] = pass.inputs.map(Data::floats);
        if let Some((dx, onto)) = pass.d_inputs[0].take() {
            self.0.backward(x, pass.d, dx, onto);
        }
    }
}
