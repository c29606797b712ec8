//! Affine maps with a fused epilogue: linear, convolution and transposed convolution.

use trainspec_kernels::conv2d::PackedWeight;
use trainspec_kernels::matmul::PackedMatrix;
use trainspec_kernels::{conv2d, linear};

use super::{gradient, parameter};
use crate::error::Result;
use crate::op::{Backward, EpilogueSupport, Forward, Kernel, Prepared};

/// `y = W x + b` for each vector of a sample.
#[derive(Debug)]
pub(crate) struct Linear {
    /// The number of vectors per sample.
    pub(crate) vectors: usize,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl Linear {
    fn sizes(&self, batch: usize) -> linear::Linear {
        linear::Linear { rows: batch * self.vectors, inputs: self.inputs, outputs: self.outputs }
    }

    fn pack(&self, weight: &[f32]) -> Option<PackedMatrix> {
        self.sizes(1).pack(weight)
    }
}

/// A convolution of images; the number of images is set when it is called.
#[derive(Debug)]
pub(crate) struct Conv2d(pub(crate) conv2d::Conv2d);

impl Conv2d {
    fn sizes(&self, batch: usize) -> conv2d::Conv2d {
        conv2d::Conv2d { batch, ..self.0 }
    }

    #[expect(clippy::unnecessary_wraps, reason = "as of the other kernels")]
    fn pack(&self, weight: &[f32]) -> Option<PackedWeight> {
        Some(self.0.pack(weight))
    }
}

/// A transposed convolution of images; the number of images is set when it is called.
#[derive(Debug)]
pub(crate) struct ConvTranspose2d(pub(crate) conv2d::Transposed);

impl ConvTranspose2d {
    fn sizes(&self, batch: usize) -> conv2d::Transposed {
        conv2d::Transposed(conv2d::Conv2d { batch, ..self.0.0 })
    }

    #[expect(clippy::unused_self, reason = "as of the other kernels")]
    fn pack(&self, _: &[f32]) -> Option<PackedWeight> {
        None
    }
}

/// All kernels have the same interface: a weight, an optional bias, and an epilogue.
macro_rules! kernel {
    ($type:ident, $packed:ident, |$values:ident, $other:ident| $weight:expr) => {
        impl Kernel for $type {
            fn epilogue_support(&self) -> EpilogueSupport {
                EpilogueSupport::Forward
            }

            fn skips_frozen(&self) -> bool {
                true
            }

            fn prepare(&self, parameters: &[Vec<f32>]) -> Option<Prepared> {
                self.pack(parameter(parameters, 0)?).map(Prepared::new)
            }

            fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
                let $other = pass.prepared.and_then(Prepared::get::<$packed>);
                let $values = parameter(&pass.parameters, 0).unwrap_or_default();
                let bias = parameter(&pass.parameters, 1);
                let (x, pre) = (pass.inputs[0].floats(), pass.pre.as_deref_mut());
                self.sizes(pass.batch).forward(x, $weight, bias, &pass.epilogue, pre, pass.output);
                Ok(())
            }

            fn backward(&self, pass: &mut Backward<'_>) {
                let sizes = self.sizes(pass.batch);
                if let Some((weight, biases)) = pass.gradients.split_first_mut()
                    && !weight.is_empty()
                {
                    let bias = gradient(biases, 0, pass.onto);
                    sizes.backward_weight(pass.inputs[0].floats(), pass.d, (weight, pass.onto), bias);
                }
                if let Some(dx) = pass.d_inputs[0].take() {
                    let weight = parameter(pass.parameters, 0).unwrap_or_default();
                    sizes.backward_input(pass.d, weight, dx);
                }
            }
        }
    };
}

kernel!(Linear, PackedMatrix, |values, packed| (values, packed));
kernel!(Conv2d, PackedWeight, |values, packed| (values, packed));
kernel!(ConvTranspose2d, PackedWeight, |values, _packed| values);
