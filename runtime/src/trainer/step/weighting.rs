//! How the losses of several outputs are added.
//!
//! The loss of a window is `sum_o f_o * S_o / W_o`, where `S_o` is the sum of the losses of output `o` over the window, `W_o` that of
//! their weights (1 for a loss that is summed), and `f_o` the output's `loss_weights`. The gradients of all outputs are added to the
//! same parameters before the window is complete. So the weights are computed from the targets before its first micro-batch, and
//! the gradient of output `o` is scaled by `f_o * W / W_o`, where `W` is that of the first output with a weight. At the end the sum
//! of the gradients is divided by `W`. With one output the scale is 1.

use crate::data::{Batch, BatchTensor};
use crate::error::{Error, Result};
use crate::loss::Reduction;
use crate::shape::Few;
use crate::spec::TrainConfig;

/// Returns the weight of each output's loss over a window, from its targets.
pub(super) fn weights(settings: &TrainConfig, window: &[Batch]) -> Result<Few<f64>> {
    let mut weights = Few::default();
    for (output, loss) in settings.losses.iter().enumerate() {
        let mut sum = 0.0;
        for batch in window {
            let weight = |targets: &[BatchTensor]| {
                let target = targets.get(output).ok_or(Error::Internal("a batch without a target"))?;
                Ok::<_, Error>(loss.weight(target.elements.numbers(), batch.size))
            };
            let first = weight(&batch.targets)?;
            sum += match &batch.mixed {
                Some(mixed) => mixed.of(first, weight(&mixed.targets)?),
                None => first,
            };
        }
        weights.push(sum);
    }
    Ok(weights)
}

/// Returns the divisor of the sum of the gradients, `W`; 0 if nothing counts.
pub(super) fn divisor(settings: &TrainConfig, weights: &[f64]) -> f64 {
    let divisors = settings.losses.iter().zip(weights).map(|(loss, &weight)| match loss.reduction() {
        Reduction::Mean => weight,
        Reduction::Sum => 1.0,
    });
    divisors.into_iter().find(|divisor| *divisor > 0.0).unwrap_or(0.0)
}

/// Returns the scale of each output's gradient, for a loss that is multiplied by `loss_scale`.
pub(super) fn scales(settings: &TrainConfig, weights: &[f64], loss_scale: f32) -> Few<f32> {
    let divisor = divisor(settings, weights);
    let outputs = settings.losses.iter().zip(&settings.loss_weights).zip(weights);
    let scale = outputs.map(|((loss, factor), &weight)| {
        let ratio = match loss.reduction() {
            Reduction::Mean if weight == 0.0 => 0.0,
            Reduction::Mean => divisor / weight,
            Reduction::Sum => divisor,
        };
        (factor * ratio * f64::from(loss_scale)) as f32
    });
    scale.collect()
}
