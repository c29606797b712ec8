//! The loss of a batch with a kernel: for both targets if the batch is mixed.

use crate::data::Batch;
use crate::engine::MicroBatch;
use crate::error::Result;
use crate::loss::LossKernel;

/// The loss, and its gradient if a buffer is passed for it; `second` is memory that is reused across batches.
pub(super) fn loss(
    kernel: &dyn LossKernel,
    prediction: &[f32],
    batch: &Batch,
    mut gradient: Option<&mut [f32]>,
    second: &mut Vec<f32>,
) -> Result<MicroBatch> {
    let first = kernel.sum(prediction, &batch.target.elements, gradient.as_deref_mut())?;
    let Some(mixed) = &batch.mixed else { return Ok(MicroBatch { loss: first.0, weight: first.1 }) };
    let second_gradient = gradient.is_some().then(|| {
        second.resize(prediction.len(), 0.0);
        second.as_mut_slice()
    });
    let other = kernel.sum(prediction, &mixed.target.elements, second_gradient)?;
    if let Some(gradient) = gradient {
        combine(gradient, second, mixed.share);
    }
    Ok(MicroBatch { loss: mixed.of(first.0, other.0), weight: mixed.of(first.1, other.1) })
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
