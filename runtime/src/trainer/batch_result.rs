//! What the totals read of a micro-batch, on whichever process it was computed.

use std::borrow::Cow;

use crate::data::Batch;
use crate::engine::{Engine, MicroBatch};
use crate::error::{Error, Result};
use crate::shape::{Elements, Shape};
use crate::world::World;

/// The result of a micro-batch, for totals and metrics.
#[derive(Debug)]
pub(super) struct BatchResult<'a> {
    /// The loss and its weight.
    pub(super) part: MicroBatch,
    /// The number of samples.
    pub(super) size: usize,
    /// The shape of one sample's prediction.
    pub(super) shape: Shape,
    /// The predictions in sample order; empty if they are not read.
    pub(super) predictions: Cow<'a, [f32]>,
    /// The targets; of a mixed batch, those with the larger share.
    pub(super) targets: Cow<'a, Elements>,
    /// The tokens of the input; empty if they are not read.
    pub(super) tokens: Cow<'a, [u32]>,
}

/// Which parts of a result are read. The others are not copied from a device, and not sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Read {
    /// Predictions and targets.
    pub(super) predictions: bool,
    /// The tokens of the input.
    pub(super) tokens: bool,
}

impl<'a> BatchResult<'a> {
    /// The result of `engine` on `batch`, which it has just computed.
    pub(super) fn of(engine: &'a dyn Engine, part: MicroBatch, batch: &'a Batch, read: Read) -> Result<Self> {
        let targets = match &batch.mixed {
            Some(mixed) if mixed.share < 0.5 => &mixed.target.elements,
            _ => &batch.target.elements,
        };
        let tokens = match &batch.input.elements {
            Elements::Int(tokens) if read.tokens => tokens.as_slice(),
            _ => &[],
        };
        Ok(Self {
            part,
            size: batch.size,
            shape: engine.prediction_shape(),
            predictions: if read.predictions { engine.predictions()? } else { Cow::Borrowed(&[]) },
            targets: Cow::Borrowed(targets),
            tokens: Cow::Borrowed(tokens),
        })
    }

    /// The result as bytes for another process. Every bit of a value is kept.
    fn to_bytes(&self) -> Vec<u8> {
        let MicroBatch { loss, weight } = self.part;
        let is_class = matches!(*self.targets, Elements::Int(_));
        let head = [loss.to_bits(), weight.to_bits(), self.size as u64, u64::from(is_class)];
        let mut bytes = head.map(u64::to_le_bytes).concat();
        let mut put = |words: &mut dyn Iterator<Item = u32>| {
            let words: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
            bytes.extend((words.len() as u64).to_le_bytes());
            bytes.extend(words);
        };
        put(&mut self.predictions.iter().map(|value| value.to_bits()));
        match &*self.targets {
            Elements::Float(values) => put(&mut values.iter().map(|value| value.to_bits())),
            Elements::Int(values) => put(&mut values.iter().copied()),
        }
        put(&mut self.tokens.iter().copied());
        bytes
    }
}

impl BatchResult<'static> {
    /// Reads the bytes of another process that trains the same model.
    fn from_bytes(mut bytes: &[u8], shape: Shape) -> Option<Self> {
        let bytes = &mut bytes;
        let [loss, weight, size, is_class] = [next(bytes)?, next(bytes)?, next(bytes)?, next(bytes)?];
        let predictions = words(bytes)?.map(f32::from_bits).collect();
        let targets = words(bytes)?;
        Some(Self {
            part: MicroBatch { loss: f64::from_bits(loss), weight: f64::from_bits(weight) },
            size: size as usize,
            shape,
            predictions: Cow::Owned(predictions),
            targets: Cow::Owned(if is_class == 1 {
                Elements::Int(targets.collect())
            } else {
                Elements::Float(targets.map(f32::from_bits).collect())
            }),
            tokens: Cow::Owned(words(bytes)?.collect()),
        })
    }
}

/// Calls `see` with the results of one round of micro-batches in their order: this process's own, and those of the others.
///
/// # Errors
/// If one of the processes failed or was interrupted.
pub(super) fn for_each_result(
    world: &World,
    shape: Shape,
    own: Result<Option<BatchResult<'_>>>,
    mut see: impl FnMut(&BatchResult<'_>) -> Result<()>,
) -> Result<()> {
    if world.is_single() {
        return own?.map_or(Ok(()), |own| see(&own));
    }
    for bytes in world.exchange(own.map(|own| own.map(|own| own.to_bytes())))?.iter().flatten() {
        let result = BatchResult::from_bytes(bytes, shape);
        see(&result.ok_or(Error::Internal("a process sent an incomplete result"))?)?;
    }
    Ok(())
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
            let result = BatchResult {
                part: MicroBatch { loss: f64::NEG_INFINITY, weight: -0.0 },
                size: 2,
                shape: Shape::class(3),
                predictions: Cow::Owned(vec![f32::NAN, -0.0, 1e-45]),
                targets: Cow::Owned(targets),
                tokens: Cow::Owned(vec![3]),
            };
            let bytes = result.to_bytes();
            let read = BatchResult::from_bytes(&bytes, result.shape).unwrap();
            assert_eq!(read.to_bytes(), bytes);
            assert_eq!((read.size, read.tokens.as_ref()), (2, [3].as_slice()));
            assert_eq!(std::mem::discriminant(&*read.targets), std::mem::discriminant(&*result.targets));
            assert!(
                (0..bytes.len()).all(|end| BatchResult::from_bytes(&bytes[..end], result.shape).is_none())
            );
        }
    }
}
