//! What the totals read of a micro-batch, on whichever process it was computed.

use std::borrow::Cow;

use crate::data::{Batch, TargetUnits};
use crate::engine::{Engine, MicroBatch, OutputLoss};
use crate::error::{Error, Result};
use crate::shape::{Elements, Few, Shape};
use crate::world::World;

/// The result of a micro-batch, for totals and metrics.
#[derive(Debug)]
pub(super) struct BatchResult<'a> {
    /// The loss of each output and its weight.
    pub(super) part: MicroBatch,
    /// The number of samples.
    pub(super) size: usize,
    /// Each output and its target; none if they are not read.
    pub(super) outputs: Few<OutputResult<'a>>,
    /// The tokens of each input; none if they are not read.
    pub(super) tokens: Few<Cow<'a, [u32]>>,
}

/// The result of a micro-batch for one output.
#[derive(Debug, Default)]
pub(super) struct OutputResult<'a> {
    /// The shape of one sample's prediction.
    pub(super) shape: Shape,
    /// The predictions in sample order, in the units of the data.
    pub(super) predictions: Cow<'a, [f32]>,
    /// The targets in the units of the data; of a mixed batch, those with the larger share.
    pub(super) targets: Option<Cow<'a, Elements>>,
}

/// Which parts of a result are read. The others are not copied from a device, and not sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Read {
    /// Predictions and targets.
    pub(super) predictions: bool,
    /// The tokens of the inputs.
    pub(super) tokens: bool,
}

impl<'a> BatchResult<'a> {
    /// The result of `engine` on `batch`, which it has just computed; predictions and targets in the units of the data.
    pub(super) fn of(
        engine: &'a dyn Engine,
        part: MicroBatch,
        batch: &'a Batch,
        read: Read,
        units: &TargetUnits,
    ) -> Result<Self> {
        let targets = match &batch.mixed {
            Some(mixed) if mixed.share < 0.5 => &mixed.targets,
            _ => &batch.targets,
        };
        let mut outputs = Few::default();
        for (output, target) in targets.iter().enumerate().filter(|_| read.predictions) {
            let mut targets = Cow::Borrowed(&target.elements);
            let (shape, mut predictions) = (engine.prediction_shape(output), engine.predictions(output)?);
            if units.normalizers().of(output).is_some() {
                units.restore_targets(output, targets.to_mut());
                units.restore_predictions(output, shape, predictions.to_mut());
            }
            outputs.push(OutputResult { shape, predictions, targets: Some(targets) });
        }
        let tokens = batch.inputs.iter().filter(|_| read.tokens).map(|input| match &input.elements {
            Elements::Int(tokens) => Cow::Borrowed(tokens.as_slice()),
            Elements::Float(_) => Cow::default(),
        });
        Ok(Self { part, size: batch.size, outputs, tokens: tokens.collect() })
    }

    /// The result as bytes for another process. Every bit of a value is kept.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Bytes::default();
        let counts = [self.part.len(), self.size, self.outputs.len(), self.tokens.len()];
        for count in counts {
            bytes.number(count as u64);
        }
        for part in &*self.part {
            bytes.number(part.loss.to_bits());
            bytes.number(part.weight.to_bits());
        }
        for output in &*self.outputs {
            bytes.words(output.predictions.iter().map(|value| value.to_bits()));
            match output.targets.as_deref() {
                Some(Elements::Int(values)) => {
                    bytes.number(1);
                    bytes.words(values.iter().copied());
                }
                Some(Elements::Float(values)) => {
                    bytes.number(0);
                    bytes.words(values.iter().map(|value| value.to_bits()));
                }
                None => bytes.number(2),
            }
        }
        for tokens in &*self.tokens {
            bytes.words(tokens.iter().copied());
        }
        bytes.0
    }
}

impl BatchResult<'static> {
    /// Reads the bytes of another process that trains the same model.
    fn from_bytes(mut bytes: &[u8], shapes: &[Shape]) -> Option<Self> {
        let bytes = &mut bytes;
        let [parts, size, outputs, tokens] = [next(bytes)?, next(bytes)?, next(bytes)?, next(bytes)?];
        let mut result = Self {
            part: Few::default(),
            size: size as usize,
            outputs: Few::default(),
            tokens: Few::default(),
        };
        for _ in 0..parts {
            let [loss, weight] = [f64::from_bits(next(bytes)?), f64::from_bits(next(bytes)?)];
            result.part.push(OutputLoss { loss, weight });
        }
        for output in 0..outputs as usize {
            let shape = *shapes.get(output)?;
            let predictions = words(bytes)?.map(f32::from_bits).collect();
            let targets = match next(bytes)? {
                0 => Some(Elements::Float(words(bytes)?.map(f32::from_bits).collect())),
                1 => Some(Elements::Int(words(bytes)?.collect())),
                _ => None,
            };
            let targets = targets.map(Cow::Owned);
            result.outputs.push(OutputResult { shape, predictions: Cow::Owned(predictions), targets });
        }
        for _ in 0..tokens {
            result.tokens.push(Cow::Owned(words(bytes)?.collect()));
        }
        Some(result)
    }
}

/// Calls `see` with the results of one round of micro-batches in their order: this process's own, and those of the others.
///
/// # Errors
/// If one of the processes failed or was interrupted.
pub(super) fn for_each_result(
    world: &World,
    shapes: &[Shape],
    own: Result<Option<BatchResult<'_>>>,
    mut see: impl FnMut(&BatchResult<'_>) -> Result<()>,
) -> Result<()> {
    if world.is_single() {
        return own?.map_or(Ok(()), |own| see(&own));
    }
    for bytes in world.exchange(own.map(|own| own.map(|own| own.to_bytes())))?.iter().flatten() {
        let result = BatchResult::from_bytes(bytes, shapes);
        see(&result.ok_or(Error::Internal("a process sent an incomplete result"))?)?;
    }
    Ok(())
}

#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn number(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    fn words(&mut self, words: impl Iterator<Item = u32>) {
        let words: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        self.number(words.len() as u64);
        self.0.extend(words);
    }
}

fn next(bytes: &mut &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*first))
}

fn words<'a>(bytes: &mut &'a [u8]) -> Option<impl Iterator<Item = u32> + use<'a>> {
    let length = next(bytes)?;
    let (list, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(list.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_keep_every_bit() {
        for targets in
            [Elements::Int(vec![7, u32::MAX]), Elements::Float(vec![-0.0, f32::NAN]), Elements::Int(vec![])]
        {
            let loss = OutputLoss { loss: f64::NEG_INFINITY, weight: -0.0 };
            let shapes = [Shape::of(&[3]); 2];
            let output = |targets: Elements| OutputResult {
                shape: shapes[0],
                predictions: Cow::Owned(vec![f32::NAN, -0.0, 1e-45]),
                targets: Some(Cow::Owned(targets)),
            };
            let result = BatchResult {
                part: [loss; 2].into_iter().collect(),
                size: 2,
                outputs: [output(targets), output(Elements::Int(vec![1]))].into_iter().collect(),
                tokens: [Cow::Owned(vec![3]), Cow::default()].into_iter().collect(),
            };
            let bytes = result.to_bytes();
            let read = BatchResult::from_bytes(&bytes, &shapes).unwrap();
            assert_eq!(read.to_bytes(), bytes);
            assert_eq!((read.size, read.tokens[0].as_ref()), (2, [3].as_slice()));
            assert!((0..bytes.len()).all(|end| BatchResult::from_bytes(&bytes[..end], &shapes).is_none()));
        }
    }
}
