//! Rotation by the position.

use trainspec_kernels::rotary;

use crate::error::Result;
use crate::op::{Backward, Forward, Kernel, SavedForBackward};

/// Rotates pairs of elements of each head by an angle that depends on the position.
#[derive(Debug)]
pub(crate) struct Rotary {
    pub(crate) sizes: rotary::Rotary,
    /// The cosine and the sine of each angle: twice `[length, width / 2]`.
    pub(crate) table: Vec<f32>,
}

impl Kernel for Rotary {
    fn reads(&self) -> SavedForBackward {
        SavedForBackward::NOTHING
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        self.sizes.forward(pass.inputs[0].floats(), &self.table, pass.output);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        if let Some(dx) = pass.d_inputs[0].take() {
            self.sizes.backward(pass.d, &self.table, dx);
        }
    }
}
