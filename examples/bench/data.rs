//! Synthetic data, one batch each. The values do not affect the time of a step.

use trainspec::data::{Dataset, InMemory, Split};
use trainspec::rng::{Purpose, StepIndex, Stream};
use trainspec::{Class, InputKind, Kind, Result, TargetKind, Tokens};

/// Normal samples, with the classes 0, 1, 2, … in turn.
pub(crate) fn classified<I, const CLASSES: usize>(
    samples: usize,
) -> Result<impl Dataset<Input = I, Target = Class<CLASSES>>>
where
    I: InputKind<Element = f32>,
{
    let classes = (0..samples).map(|sample| (sample % CLASSES) as u32).collect();
    Ok(all_for_training(InMemory::new(normal::<I>(samples), classes)?))
}

/// Normal samples, with normal targets.
pub(crate) fn regressed<I, T>(samples: usize) -> Result<impl Dataset<Input = I, Target = T>>
where
    I: InputKind<Element = f32>,
    T: TargetKind<Element = f32>,
{
    Ok(all_for_training(InMemory::new(normal::<I>(samples), normal::<T>(samples))?))
}

/// Tokens spread over the vocabulary; the targets equal the inputs.
pub(crate) fn echoed<const VOCABULARY: usize, const LENGTH: usize>(
    samples: usize,
) -> Result<impl Dataset<Input = Tokens<VOCABULARY, LENGTH>, Target = Tokens<VOCABULARY, LENGTH>>> {
    let tokens: Vec<u32> = (0..samples * LENGTH).map(|place| (place * 7919 % VOCABULARY) as u32).collect();
    Ok(all_for_training(InMemory::new(tokens.clone(), tokens)?))
}

fn normal<K: Kind>(samples: usize) -> Vec<f32> {
    Stream::new(0, Purpose::Augment, K::NAME).normal(StepIndex::default(), samples * K::SHAPE.elements())
}

fn all_for_training<D: Dataset>(data: D) -> impl Dataset<Input = D::Input, Target = D::Target> {
    let samples = data.len();
    let none = samples..samples;
    data.with_split(Split::Fixed { train: 0..samples, validation: none.clone(), test: none })
}
