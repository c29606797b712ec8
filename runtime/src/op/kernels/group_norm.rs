//! Normalization of groups of channels.

use trainspec_kernels::group_norm;

use crate::error::{Error, Result};
use crate::op::{Backward, Forward, Kernel, Workspace};

/// Normalizes each group of channels of a sample to mean 0 and variance 1; the number of samples is set when it is called.
#[derive(Debug)]
pub(crate) struct GroupNorm(pub(crate) group_norm::GroupNorm);

impl GroupNorm {
    fn sizes(&self, batch: usize) -> group_norm::GroupNorm {
        group_norm::GroupNorm { batch, ..self.0 }
    }
}

impl Kernel for GroupNorm {
    fn needs(&self, batch: usize) -> Workspace {
        Workspace { saved: 3 * batch * self.0.groups, ..Workspace::default() }
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let [weight, bias] = &*pass.parameters else {
            return Err(Error::Internal("group norm received other parameters than it declared"));
        };
        let (sizes, x) = (self.sizes(pass.batch), pass.inputs[0].floats());
        if pass.training {
            sizes.forward(x, weight, bias, pass.saved, pass.output);
        } else {
            sizes.infer(x, weight, bias, pass.output);
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let [weight, _] = pass.parameters else { return };
        let [d_weight, d_bias] = &mut *pass.gradients else { return };
        self.sizes(pass.batch).backward(
            pass.inputs[0].floats(),
            weight,
            pass.saved,
            pass.d,
            pass.d_inputs[0].take(),
            (d_weight, pass.onto),
            (d_bias, pass.onto),
        );
    }
}
