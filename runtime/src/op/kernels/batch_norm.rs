//! Batch normalization with a fused epilogue.

use trainspec_kernels::batch_norm;

use crate::error::{Error, Result};
use crate::op::{Backward, EpilogueSupport, Forward, Kernel, Workspace};

/// Normalizes each channel to mean 0 and variance 1 over the batch.
#[derive(Debug)]
pub(crate) struct BatchNorm {
    pub(crate) channels: usize,
    /// The number of elements per channel of a sample.
    pub(crate) places: usize,
    pub(crate) eps: f64,
    /// The weight of the new value in the running statistics.
    pub(crate) update: f64,
}

impl BatchNorm {
    fn sizes(&self, batch: usize) -> batch_norm::BatchNorm {
        let Self { channels, places, eps, .. } = *self;
        batch_norm::BatchNorm { batch, channels, places, eps: eps as f32 }
    }

    /// Updates a running statistic towards the batch's, times `scale`.
    fn follow(&self, running: &mut [f32], new: &[f32], scale: f64) {
        let (keep, take) = ((1.0 - self.update) as f32, (self.update * scale) as f32);
        for (running, new) in running.iter_mut().zip(new) {
            *running = *running * keep + new * take;
        }
    }
}

impl Kernel for BatchNorm {
    fn epilogue_support(&self) -> EpilogueSupport {
        EpilogueSupport::Both
    }

    fn needs(&self, _: usize) -> Workspace {
        Workspace { saved: 3 * self.channels, ..Workspace::default() }
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        const OTHERS: Error = Error::Internal("batch norm received other parameters than it declared");
        let [weight, bias, running_mean, running_var] = &*pass.parameters else { return Err(OTHERS) };
        let (sizes, x) = (self.sizes(pass.batch), pass.inputs[0].floats());
        if !pass.training {
            sizes.infer(x, weight, bias, running_mean, running_var, &pass.epilogue, pass.output);
            return Ok(());
        }
        let count = pass.batch * self.places;
        if count < 2 {
            return Err(Error::no_variance(count));
        }
        sizes.forward(x, weight, bias, &pass.epilogue, pass.saved, pass.output);
        let (mean, others) = pass.saved.split_at(self.channels);
        let variance = &others[..self.channels];
        let Some([_, _, running_mean, running_var]) = pass.parameters.exclusive() else { return Err(OTHERS) };
        self.follow(running_mean, mean, 1.0);
        self.follow(running_var, variance, count as f64 / (count as f64 - 1.0));
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let [weight, bias, ..] = pass.parameters else { return };
        let [d_weight, d_bias, ..] = &mut *pass.gradients else { return };
        self.sizes(pass.batch).backward(
            pass.inputs[0].floats(),
            weight,
            bias,
            pass.saved,
            &pass.epilogue,
            pass.output,
            pass.d,
            pass.d_inputs[0].take(),
            (d_weight, pass.onto),
            (d_bias, pass.onto),
        );
    }
}
