//! Layers that read sequences.

use trainspec_kernels::matmul::WriteMode;
use trainspec_kernels::recurrent::{Gradients, PackedWeights, Weights};
use trainspec_kernels::{gru, lstm};

use crate::error::{Error, Result};
use crate::op::{Backward, Forward, Kernel, Prepared, SavedForBackward, Workspace};

/// Long short-term memory; the number of samples is set when it is called.
#[derive(Debug)]
pub(crate) struct Lstm(pub(crate) lstm::Lstm);

/// A gated recurrent unit; the number of samples is set when it is called.
#[derive(Debug)]
pub(crate) struct Gru(pub(crate) gru::Gru);

/// The parameters as the kernels take them.
fn weights(parameters: &[Vec<f32>]) -> Option<Weights<'_>> {
    match parameters {
        [input, hidden] => Some(Weights { input, hidden, biases: None }),
        [input, hidden, of_input, of_hidden] => {
            Some(Weights { input, hidden, biases: Some([of_input, of_hidden]) })
        }
        _ => None,
    }
}

/// The destinations of the gradients, as the kernels take them.
fn gradients<'a>(gradients: &'a mut [&mut [f32]], onto: WriteMode) -> Option<Gradients<'a>> {
    match gradients {
        [input, hidden] => Some(Gradients { input: (input, onto), hidden: (hidden, onto), biases: None }),
        [input, hidden, of_input, of_hidden] => Some(Gradients {
            input: (input, onto),
            hidden: (hidden, onto),
            biases: Some([(of_input, onto), (of_hidden, onto)]),
        }),
        _ => None,
    }
}

/// Both kernels have the same interface.
macro_rules! kernel {
    ($type:ident, $sizes:path) => {
        impl $type {
            fn sizes(&self, batch: usize) -> $sizes {
                let mut sizes = self.0;
                sizes.batch = batch;
                sizes
            }
        }

        impl Kernel for $type {
            fn needs(&self, batch: usize) -> Workspace {
                // Gates and gated values: all of these are values of the layer.
                let saved = self.sizes(batch).saved();
                Workspace { saved, values: saved, ..Workspace::default() }
            }

            fn reads(&self) -> SavedForBackward {
                SavedForBackward::BOTH
            }

            fn prepare(&self, parameters: &[Vec<f32>]) -> Option<Prepared> {
                weights(parameters).map(|weights| Prepared::new(self.0.pack(&weights)))
            }

            fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
                let (sizes, x) = (self.sizes(pass.batch), pass.inputs[0].floats());
                if let Some(packed) = pass.prepared.and_then(Prepared::get::<PackedWeights>) {
                    sizes.infer_packed(x, packed, pass.output);
                    return Ok(());
                }
                let missing = Error::Internal("a recurrent layer received other parameters than it declared");
                let weights = weights(&pass.parameters).ok_or(missing)?;
                if pass.training {
                    sizes.forward(x, &weights, pass.output, pass.saved);
                } else {
                    sizes.infer(x, &weights, pass.output);
                }
                Ok(())
            }

            fn backward(&self, pass: &mut Backward<'_>) {
                let (Some(weights), Some(gradients)) =
                    (weights(pass.parameters), gradients(pass.gradients, pass.onto))
                else {
                    return;
                };
                let x = pass.inputs[0].floats();
                let dx = pass.d_inputs[0].take();
                self.sizes(pass.batch).backward(x, &weights, pass.output, pass.saved, pass.d, dx, gradients);
            }
        }
    };
}

kernel!(Lstm, lstm::Lstm);
kernel!(Gru, gru::Gru);
