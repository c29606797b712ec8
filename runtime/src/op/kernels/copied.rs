//! Layers that copy their input to other places.

use trainspec_kernels::matmul::WriteMode;
use trainspec_kernels::strided::Strided;

use crate::error::Result;
use crate::op::{Backward, Data, Forward, Kernel, SavedForBackward};

/// A strided copy of part of the input to part of the output.
#[derive(Debug)]
pub(crate) struct Copied {
    there: Strided,
    back: Strided,
    /// The number of elements per sample.
    input: usize,
    output: usize,
    /// The value of the other elements of the output, if there are any.
    fill: Option<f32>,
}

impl Copied {
    pub(crate) fn new(there: Strided, input: usize, output: usize, fill: Option<f32>) -> Self {
        Self { back: there.reversed(), there, input, output, fill }
    }
}

impl Kernel for Copied {
    fn reads(&self) -> SavedForBackward {
        SavedForBackward::NOTHING
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let [x, ..] = pass.inputs.map(Data::floats);
        if let Some(value) = self.fill {
            pass.output.fill(value);
        }
        self.there.copy((x, self.input), (pass.output, self.output), WriteMode::Overwrite);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let Some((dx, onto)) = pass.d_inputs[0].take() else { return };
        // Elements that are not in the output have no gradient.
        if onto == WriteMode::Overwrite && self.fill.is_none() && self.output < self.input {
            dx.fill(0.0);
        }
        self.back.copy((pass.d, self.output), (dx, self.input), onto);
    }
}
