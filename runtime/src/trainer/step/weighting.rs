//! How the losses of several outputs are added.
//!
//! The loss of a window is `sum_o f_o * S_o / W_o`, where `S_o` is the sum of the losses of output `o` over the window, `W_o` that of
//! their weights (1 for a loss that is summed), and `f_o` the output's `loss_weights`. The gradients of all outputs are added to the
//! same parameters before the window is complete. So the weights are computed from the targets before its first micro-batch, and
//! the gradient of output `o` is scaled by `f_o * W / W_o`, where `W` is that of the first output with a weight. At the end the sum
//! of the gradients is divided by `W`. With one output the scale is 1.

use super::TrainStep;
use crate::data::{Batch, BatchTensor};
use crate::error::{Error, Result};
use crate::loss::Reduction;
use crate::shape::Few;
use crate::spec::TrainConfig;
use crate::trainer::Totals;
use crate::world::World;

impl TrainStep<'_> {
    /// Sets the scales of a window, of which this process has some micro-batches.
    pub(super) fn weigh(&mut self, rounds: usize, window: &[Batch]) -> Result<()> {
        let loss_scale = self.scaler.scale();
        if self.settings.loss.len() == 1 {
            // The divisor is applied at the end, whatever it is.
            self.scales = [loss_scale].into_iter().collect();
            return Ok(());
        }
        let own = window.iter().map(|batch| weights(self.settings, batch)).collect::<Result<Vec<_>>>();
        let weights = sum(&self.world, rounds, self.settings.loss.len(), own)?;
        self.scales = scales(self.settings, &weights, loss_scale);
        self.weights = Some(weights);
        Ok(())
    }

    /// Checks that the weights of the losses are those by which the gradients were scaled.
    pub(super) fn check_weights(&self, totals: &Totals) -> Result<()> {
        let Some(weights) = &self.weights else { return Ok(()) };
        // Sums of the same numbers in another order.
        let differ = |a: f64, b: f64| (a - b).abs() > 1e-9 * a.abs().max(b.abs());
        let outputs = weights.iter().zip(&totals.losses).zip(&*self.settings.loss);
        for ((&weight, total), loss) in outputs {
            if differ(weight, total.weight) {
                let (name, found) = (loss.setting().name(), total.weight);
                return Err(Error::Batch(format!(
                    "the weight of `{name}` is {found} according to its `sum`, but {weight} according to its `weight`, which \
                     models with several outputs need; implement `Loss::weight`"
                )));
            }
        }
        Ok(())
    }
}

/// Returns the weight of each output's loss for a micro-batch, from its targets.
fn weights(settings: &TrainConfig, batch: &Batch) -> Result<Few<f64>> {
    let mut weights = Few::default();
    for (output, loss) in settings.loss.iter().enumerate() {
        let weight = |targets: &[BatchTensor]| {
            let target = targets.get(output).ok_or(Error::Internal("a batch without a target"))?;
            Ok::<_, Error>(loss.weight(target.elements.numbers(), batch.size))
        };
        let first = weight(&batch.targets)?;
        weights.push(match &batch.mixed {
            Some(mixed) => mixed.of(first, weight(&mixed.targets)?),
            None => first,
        });
    }
    Ok(weights)
}

/// Returns the sum of the weights of all processes' micro-batches, in the order of the micro-batches.
fn sum(world: &World, rounds: usize, outputs: usize, own: Result<Vec<Few<f64>>>) -> Result<Few<f64>> {
    let mut total: Few<f64> = std::iter::repeat_n(0.0, outputs).collect();
    let mut add = |weights: &mut dyn Iterator<Item = f64>| {
        total = total.iter().zip(weights).map(|(total, weight)| total + weight).collect();
    };
    if world.is_single() {
        own?.iter().for_each(|weights| add(&mut weights.iter().copied()));
        return Ok(total);
    }
    let bytes = |own: Vec<Few<f64>>| {
        let bytes = own.iter().flat_map(|weights| weights.iter().flat_map(|weight| weight.to_le_bytes()));
        Some(bytes.collect::<Vec<u8>>())
    };
    let all = world.exchange(own.map(bytes))?;
    for round in 0..rounds {
        for bytes in all.iter().flatten() {
            let weights = bytes.as_chunks::<8>().0.chunks(outputs).nth(round).unwrap_or_default();
            if !weights.is_empty() {
                add(&mut weights.iter().map(|weight| f64::from_le_bytes(*weight)));
            }
        }
    }
    Ok(total)
}

/// Returns the divisor of the sum of the gradients, `W`; 0 if nothing counts.
pub(super) fn divisor(settings: &TrainConfig, weights: &[f64]) -> f64 {
    let divisors = settings.loss.iter().zip(weights).map(|(loss, &weight)| match loss.reduction() {
        Reduction::Mean => weight,
        Reduction::Sum => 1.0,
    });
    divisors.into_iter().find(|divisor| *divisor > 0.0).unwrap_or(0.0)
}

/// Returns the scale of each output's gradient, for a loss that is multiplied by `loss_scale`.
fn scales(settings: &TrainConfig, weights: &[f64], loss_scale: f32) -> Few<f32> {
    let divisor = divisor(settings, weights);
    let outputs = settings.loss.iter().zip(&settings.loss_weights).zip(weights);
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
