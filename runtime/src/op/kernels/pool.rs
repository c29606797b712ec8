//! Pooling.

use trainspec_kernels::arena::{as_words, as_words_ref};
use trainspec_kernels::pool::{self, AdaptivePool, AxisPool, Pool};

use crate::error::Result;
use crate::op::{Backward, Forward, Kernel, SavedForBackward, Workspace};
use crate::shape::Shape;

/// The maximum of each window; the number of planes is that of one sample.
#[derive(Debug)]
pub(crate) struct MaxPool(pub(crate) Pool);

/// The mean of each window; the number of planes is that of one sample.
#[derive(Debug)]
pub(crate) struct AveragePool(pub(crate) Pool);

/// The root of the sum of powers of each window; the number of planes is that of one sample.
#[derive(Debug)]
pub(crate) struct PowerPool {
    pub(crate) pool: Pool,
    pub(crate) p: u32,
}

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

impl PowerPool {
    fn of(&self, batch: usize) -> pool::PowerPool {
        pool::PowerPool { pool: of_batch(&self.pool, batch), p: self.p }
    }
}

impl Kernel for PowerPool {
    fn needs(&self, batch: usize) -> Workspace {
        let pool = of_batch(&self.pool, batch);
        let inputs = pool.planes * pool.height * pool.width;
        let outputs = pool.planes * pool.out_height() * pool.out_width();
        Workspace { forward: inputs, backward: inputs + outputs, evaluation: inputs, ..Workspace::default() }
    }

    fn reads(&self) -> SavedForBackward {
        SavedForBackward::BOTH
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let x = pass.inputs[0].floats();
        self.of(pass.batch).forward(x, &mut pass.scratch[..x.len()], pass.output);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        if let Some(dx) = pass.d_inputs[0].take() {
            let (x, y) = (pass.inputs[0].floats(), pass.output);
            let (slopes, sums) = pass.scratch.split_at_mut(y.len());
            self.of(pass.batch).backward((x, y), pass.d, (slopes, &mut sums[..x.len()]), dx);
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

/// The maximum of each of a fixed number of windows; the number of planes is that of one sample.
#[derive(Debug)]
pub(crate) struct AdaptiveMaxPool(pub(crate) AdaptivePool);

/// The mean of each of a fixed number of windows; the number of planes is that of one sample.
#[derive(Debug)]
pub(crate) struct AdaptiveAveragePool(pub(crate) AdaptivePool);

/// The mean along an axis; `outer` is that of one sample.
#[derive(Debug)]
pub(crate) struct AxisMean(pub(crate) AxisPool);

/// The maximum along an axis; `outer` is that of one sample.
#[derive(Debug)]
pub(crate) struct AxisMax(pub(crate) AxisPool);

/// The last element along an axis; `outer` is that of one sample.
#[derive(Debug)]
pub(crate) struct AxisLast(pub(crate) AxisPool);

/// The sizes of a pooling of one sample of this shape along an axis.
pub(crate) fn along(input: Shape, axis: usize) -> Option<AxisPool> {
    let axes = input.axes();
    let (&length, outer, inner) = (axes.get(axis)?, axes.get(..axis)?, axes.get(axis + 1..)?);
    Some(AxisPool { outer: outer.iter().product(), length, inner: inner.iter().product() })
}

/// The sizes of a batch.
trait OfBatch: Copy {
    fn of(&self, batch: usize) -> Self;
    fn outputs(&self) -> usize;
}

impl OfBatch for AdaptivePool {
    fn of(&self, batch: usize) -> Self {
        Self { planes: batch * self.planes, ..*self }
    }

    fn outputs(&self) -> usize {
        self.planes * self.rows * self.columns
    }
}

impl OfBatch for AxisPool {
    fn of(&self, batch: usize) -> Self {
        Self { outer: batch * self.outer, ..*self }
    }

    fn outputs(&self) -> usize {
        self.outer * self.inner
    }
}

/// Kernels whose gradient depends on that of the output alone.
macro_rules! linear {
    ($($type:ident: $forward:ident, $backward:ident;)+) => { $(
        impl Kernel for $type {
            fn reads(&self) -> SavedForBackward {
                SavedForBackward::NOTHING
            }

            fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
                self.0.of(pass.batch).$forward(pass.inputs[0].floats(), pass.output);
                Ok(())
            }

            fn backward(&self, pass: &mut Backward<'_>) {
                if let Some(dx) = pass.d_inputs[0].take() {
                    self.0.of(pass.batch).$backward(pass.d, dx);
                }
            }
        }
    )+ };
}

linear! {
    AdaptiveAveragePool: average_forward, average_backward;
    AxisMean: mean_forward, mean_backward;
    AxisLast: last_forward, last_backward;
}

/// Kernels that keep the positions of the maxima.
macro_rules! largest {
    ($($type:ident)+) => { $(
        impl Kernel for $type {
            fn needs(&self, batch: usize) -> Workspace {
                Workspace { saved: self.0.of(batch).outputs(), ..Workspace::default() }
            }

            fn reads(&self) -> SavedForBackward {
                SavedForBackward::NOTHING
            }

            fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
                let winners = pass.training.then(|| as_words(pass.saved));
                self.0.of(pass.batch).max_forward(pass.inputs[0].floats(), pass.output, winners);
                Ok(())
            }

            fn backward(&self, pass: &mut Backward<'_>) {
                if let Some(dx) = pass.d_inputs[0].take() {
                    self.0.of(pass.batch).max_backward(as_words_ref(pass.saved), pass.d, dx);
                }
            }
        }
    )+ };
}

largest!(AdaptiveMaxPool AxisMax);
