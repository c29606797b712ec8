//! Pooling.

use trainspec_kernels::arena::{as_words, as_words_ref};
use trainspec_kernels::pool::{self, Pool};

use crate::error::Result;
use crate::op::{Backward, Forward, Kernel, SavedForBackward, Workspace};

/// The maximum of each window; the number of planes is that of one sample.
#[derive(Debug)]
pub(crate) struct MaxPool(pub(crate) Pool);

/// The mean of each window; the number of planes is that of one sample.
#[derive(Debug)]
pub(crate) struct AveragePool(pub(crate) Pool);

/// The mean of each channel.
#[derive(Debug)]
pub(crate) struct GlobalAveragePool {
    pub(crate) channels: usize,
    /// The number of elements per channel.
    pub(crate) places: usize,
}

fn of_batch(sample: &Pool, batch: usize) -> Pool {
    Pool { planes: batch * sample.planes, ..*sample }
}

impl Kernel for MaxPool {
    fn needs(&self, batch: usize) -> Workspace {
        // The position of each window's maximum.
        let pool = of_batch(&self.0, batch);
        Workspace { saved: pool.planes * pool.out_height() * pool.out_width(), ..Workspace::default() }
    }

    fn reads(&self) -> SavedForBackward {
        SavedForBackward::NOTHING
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let winners = pass.training.then(|| as_words(pass.saved));
        of_batch(&self.0, pass.batch).max_forward(pass.inputs[0].floats(), pass.output, winners);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        if let Some(dx) = pass.d_inputs[0].take() {
            of_batch(&self.0, pass.batch).max_backward(as_words_ref(pass.saved), pass.d, dx);
        }
    }
}

impl Kernel for AveragePool {
    fn reads(&self) -> SavedForBackward {
        SavedForBackward::NOTHING
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        of_batch(&self.0, pass.batch).average_forward(pass.inputs[0].floats(), pass.output);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        if let Some(dx) = pass.d_inputs[0].take() {
            of_batch(&self.0, pass.batch).average_backward(pass.d, dx);
        }
    }
}

impl Kernel for GlobalAveragePool {
    fn reads(&self) -> SavedForBackward {
        SavedForBackward::NOTHING
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let planes = pass.batch * self.channels;
        pool::global_average(pass.inputs[0].floats(), planes, self.places, pass.output);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        if let Some(dx) = pass.d_inputs[0].take() {
            pool::global_average_backward(pass.d, pass.batch * self.channels, self.places, dx);
        }
    }
}
