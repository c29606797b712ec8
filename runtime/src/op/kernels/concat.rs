//! Two values behind each other.

use trainspec_kernels::element::copy_rows;
use trainspec_kernels::matmul::WriteMode;

use crate::error::Result;
use crate::op::{Backward, Data, Forward, Kernel, SavedForBackward};

/// Two values behind each other along an axis.
#[derive(Debug)]
pub(crate) struct Concat {
    /// How many numbers the axes before it have, of a sample.
    pub(crate) rows: usize,
    /// How many numbers each value has for one of these, from the axis on.
    pub(crate) widths: [usize; 2],
}

impl Concat {
    /// Where each value begins in a row of the output, and its width.
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
        for (input, (start, width)) in pass.inputs.map(Data::real).into_iter().zip(self.parts()) {
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
