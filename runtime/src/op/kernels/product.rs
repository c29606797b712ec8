//! The elementwise product of two values.

use trainspec_kernels::element;
use trainspec_kernels::epilogue::Epilogue;

use crate::error::Result;
use crate::op::{Backward, Data, Forward, Kernel};

/// `a * b`
#[derive(Debug)]
pub(crate) struct Product;

impl Kernel for Product {
    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let [a, b, ..] = pass.inputs.map(Data::floats);
        element::mul(a, b, pass.output, &Epilogue::NONE);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let [a, b, ..] = pass.inputs.map(Data::floats);
        for (d_input, other) in pass.d_inputs.iter_mut().zip([b, a]) {
            if let Some((d_input, onto)) = d_input.take() {
                element::product_into(pass.d, other, d_input, onto);
            }
        }
    }
}
