//! The loss of a batch with a kernel: for both targets if the batch is mixed.

use crate::data::{Batch, BatchTensor};
use crate::engine::OutputLoss;
use crate::error::{Error, Result};
use crate::loss::LossKernel;
use crate::shape::Elements;

/// The loss, and its gradient if a buffer is passed for it; `second` is memory that is reused across batches.
pub(super) fn loss(
    kernel: &dyn LossKernel,
    (output, prediction): (usize, &[f32]),
    batch: &Batch,
    mut gradient: Option<&mut [f32]>,
    second: &mut Vec<f32>,
) -> Result<OutputLoss> {
    let first = kernel.sum(prediction, target(&batch.targets, output)?, gradient.as_deref_mut())?;
    let Some(mixed) = &batch.mixed else { return Ok(OutputLoss { loss: first.0, weight: first.1 }) };
    let second_gradient = gradient.is_some().then(|| {
        second.resize(prediction.len(), 0.0);
        second.as_mut_slice()
    });
    let other = kernel.sum(prediction, target(&mixed.targets, output)?, second_gradient)?;
    if let Some(gradient) = gradient {
        combine(gradient, second, mixed.share);
    }
    Ok(OutputLoss { loss: mixed.of(first.0, other.0), weight: mixed.of(first.1, other.1) })
}

fn target(targets: &[BatchTensor], output: usize) -> Result<&Elements> {
    let target = targets.get(output).ok_or(Error::Internal("a batch without a target"))?;
    Ok(&target.elements)
}

/// `share * gradient + (1 - share) * second`; a term with weight 0 is not read.
fn combine(gradient: &mut [f32], second: &[f32], share: f64) {
    if share == 0.0 {
        gradient.copy_from_slice(second);
    } else if share < 1.0 {
        let (share, rest) = (share as f32, (1.0 - share) as f32);
        for (d, second) in gradient.iter_mut().zip(second) {
            *d = share * *d + rest * second;
        }
    }
}
