//! Probabilities along the last axis.

use trainspec_kernels::softmax;

use crate::error::Result;
use crate::op::{Backward, Forward, Kernel, SavedForBackward};

/// `exp(x) / sum(exp(x))` of each vector.
#[derive(Debug)]
pub(crate) struct Softmax {
    /// The number of vectors per sample.
    pub(crate) vectors: usize,
    pub(crate) classes: usize,
}

impl Softmax {
    fn sizes(&self, batch: usize) -> softmax::Softmax {
        softmax::Softmax { rows: batch * self.vectors, classes: self.classes }
    }
}

impl Kernel for Softmax {
    fn reads(&self) -> SavedForBackward {
        SavedForBackward::OUTPUT
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        self.sizes(pass.batch).forward(pass.inputs[0].floats(), pass.output);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        if let Some(dx) = pass.d_inputs[0].take() {
            self.sizes(pass.batch).backward(pass.output, pass.d, dx);
        }
    }
}
