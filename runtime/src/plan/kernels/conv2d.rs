//! A convolution, with what follows it.

use trainspec_kernels::conv2d;

use super::{gradient, parameter};
use crate::error::Result;
use crate::plan::{Backward, Forward, Joins, Kernel};

/// A convolution of images; the number of images is set when it is called.
#[derive(Debug)]
pub(crate) struct Conv2d(pub(crate) conv2d::Conv2d);

impl Conv2d {
    fn sizes(&self, batch: usize) -> conv2d::Conv2d {
        conv2d::Conv2d { batch, ..self.0 }
    }
}

impl Kernel for Conv2d {
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
