//! Enlarging images.

use trainspec_kernels::upsample;

use crate::error::Result;
use crate::op::{Backward, Forward, Kernel, SavedForBackward};

/// An enlarged image; the number of planes is that of one sample.
#[derive(Debug)]
pub(crate) struct Upsample(pub(crate) upsample::Upsample);

/// Channels that become pixels; the number of planes is that of one sample.
#[derive(Debug)]
pub(crate) struct PixelShuffle(pub(crate) upsample::PixelShuffle);

macro_rules! kernel {
    ($type:ident) => {
        impl Kernel for $type {
            fn reads(&self) -> SavedForBackward {
                SavedForBackward::NOTHING
            }

            fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
                let sizes = upsample::$type { planes: pass.batch * self.0.planes, ..self.0 };
                sizes.forward(pass.inputs[0].floats(), pass.output);
                Ok(())
            }

            fn backward(&self, pass: &mut Backward<'_>) {
                if let Some(dx) = pass.d_inputs[0].take() {
                    let sizes = upsample::$type { planes: pass.batch * self.0.planes, ..self.0 };
                    sizes.backward(pass.d, dx);
                }
            }
        }
    };
}

kernel!(Upsample);
kernel!(PixelShuffle);
