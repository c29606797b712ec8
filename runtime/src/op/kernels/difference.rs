//! The difference of two values.

use trainspec_kernels::element;
use trainspec_kernels::epilogue::Epilogue;

use crate::error::Result;
use crate::op::{Backward, Data, Forward, Kernel, SavedForBackward};

/// `a - b`
#[derive(Debug)]
pub(crate) struct Difference;

impl Kernel for Difference {
    fn reads(&self) -> SavedForBackward {
        SavedForBackward::NOTHING
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let [a, b, ..] = pass.inputs.map(Data::floats);
        element::sub(a, b, pass.output, &Epilogue::NONE);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        for (d_input, factor) in pass.d_inputs.iter_mut().zip([1.0, -1.0]) {
            if let Some((d_input, onto)) = d_input.take() {
                element::scaled(pass.d, factor, d_input, onto);
            }
        }
    }
}
