//! Concatenation of two values.

use trainspec_kernels::element::copy_rows;
use trainspec_kernels::matmul::WriteMode;

use crate::error::Result;
use crate::op::{Backward, Data, Forward, Kernel, SavedForBackward};

/// Concatenates two values along an axis.
#[derive(Debug)]
pub(crate) struct Concat {
    /// The number of elements per sample in the axes before it.
    pub(crate) rows: usize,
    /// The number of elements of each value from the axis on.
    pub(crate) widths: [usize; 2],
}

impl Concat {
    /// The start of each value in a row of the output, and its width.
    fn parts(&self) -> [(usize, usize); 2] {
        let [a, b] = self.widths;
        [(0, a), (a, b)]
    }
}

impl Kernel for Concat {
    fn reads(&self) -> SavedForBackward {
        SavedForBackward::NOTHING
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let (rows, stride) = (pass.batch * self.rows, self.widths.iter().sum());
        for (input, (start, width)) in pass.inputs.map(Data::floats).into_iter().zip(self.parts()) {
            copy_rows(input, width, &mut pass.output[start..], stride, width, rows, WriteMode::Overwrite);
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let (rows, stride) = (pass.batch * self.rows, self.widths.iter().sum());
        for (d_input, (start, width)) in pass.d_inputs.iter_mut().zip(self.parts()) {
            if let Some((d_input, onto)) = d_input.take() {
                copy_rows(&pass.d[start..], stride, d_input, width, width, rows, onto);
            }
        }
    }
}
