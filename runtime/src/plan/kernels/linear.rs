//! An affine map, with what follows it.

use trainspec_kernels::linear;

use super::{gradient, parameter};
use crate::error::Result;
use crate::plan::{Backward, Forward, Joins, Kernel};

/// `y = W x + b` for each vector of a sample.
#[derive(Debug)]
pub(crate) struct Linear {
    /// Vectors of a sample.
    pub(crate) vectors: usize,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl Linear {
    fn sizes(&self, batch: usize) -> linear::Linear {
        linear::Linear { rows: batch * self.vectors, inputs: self.inputs, outputs: self.outputs }
    }
}

impl Kernel for Linear {
    fn joins(&self) -> Joins {
        Joins::Forward
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let weight = parameter(pass.parameters, 0).unwrap_or_default();
        let bias = parameter(pass.parameters, 1);
        let pre = pass.pre.as_deref_mut();
        self.sizes(pass.batch).forward(pass.inputs[0].real(), weight, bias, &pass.epilogue, pre, pass.output);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let sizes = self.sizes(pass.batch);
        if let Some((weight, biases)) = pass.gradients.split_first_mut() {
            let bias = gradient(biases, 0, pass.onto);
            sizes.backward_weight(pass.inputs[0].real(), pass.d, (weight, pass.onto), bias);
        }
        if let Some(dx) = pass.d_inputs[0].take() {
            sizes.backward_input(pass.d, parameter(pass.parameters, 0).unwrap_or_default(), dx);
        }
    }
}
