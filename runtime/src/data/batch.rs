//! Batches: consecutive samples on the host.

use candle_core::{Device, Tensor};

use crate::error::{Error, Result};
use crate::shape::{Elements, Numbers, Shape};

/// Some samples of a data set.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The number of samples.
    pub size: usize,
    /// Their inputs.
    pub input: BatchTensor,
    /// Their targets.
    pub target: BatchTensor,
    /// Their second targets, if the inputs are mixtures of two samples.
    pub mixed: Option<Mixed>,
}

/// The other targets of mixed samples (mixup, cutmix).
///
/// The loss of a mixed batch is `share * L(target) + (1 - share) * L(second)`; its weight and its gradient are mixed the same
/// way.
///
/// # Source
/// Zhang et al., "mixup: Beyond empirical risk minimization", 2018.
#[derive(Clone, Debug)]
pub struct Mixed {
    /// The second target of each sample, of the same kind as the first.
    pub target: BatchTensor,
    /// The weight of the first target, from 0 to 1. The second has the rest.
    pub share: f64,
}

impl Mixed {
    /// Checks that the share is from 0 to 1.
    ///
    /// # Errors
    /// If it is not.
    pub(crate) fn check(&self) -> Result<()> {
        if (0.0..=1.0).contains(&self.share) {
            return Ok(());
        }
        Err(Error::Batch(format!(
            "the first target of a mixed batch has a share of {}; expected 0 to 1",
            self.share
        )))
    }

    /// Mixes two losses, or their weights. Exact where they are equal.
    pub(crate) fn of(&self, first: f64, second: f64) -> f64 {
        if first.to_bits() == second.to_bits() {
            return first;
        }
        // A target with weight 0 is ignored, even if its loss is infinite.
        [(self.share, first), (1.0 - self.share, second)]
            .into_iter()
            .filter(|(share, _)| *share > 0.0)
            .map(|(share, value)| share * value)
            .sum()
    }
}

/// The inputs or the targets of a batch.
#[derive(Clone, Debug)]
pub struct BatchTensor {
    /// The shape of one sample.
    pub shape: Shape,
    /// The samples, one after the other.
    pub elements: Elements,
}

impl Batch {
    /// Checks that both columns have as many samples as the batch, and that the input fits the model.
    ///
    /// # Errors
    /// If they do not.
    pub(crate) fn check(&self, input: Shape) -> Result<()> {
        if self.size == 0 {
            return Err(Error::Batch("a batch has no samples; expected at least 1".to_owned()));
        }
        if !self.input.shape.same(input) {
            let problem = format!("the input is {}; the model takes {input}", self.input.shape);
            return Err(Error::Batch(problem));
        }
        let second = self.mixed.as_ref().map(|mixed| ("second target", &mixed.target));
        for (name, column) in [("input", &self.input), ("target", &self.target)].into_iter().chain(second) {
            let (found, expected) = (column.length(), self.size.saturating_mul(column.shape.elements()));
            if found != expected {
                return Err(Error::Batch(format!(
                    "the {name} has {found} values; expected {expected}, {} samples of {}",
                    self.size, column.shape
                )));
            }
        }
        if let Some(mixed) = &self.mixed {
            mixed.check()?;
        }
        let is_whole = matches!(self.input.elements, Elements::Int(_));
        if is_whole != input.vocabulary().is_some() {
            return Err(Error::Batch("the input has the wrong element type for its shape".to_owned()));
        }
        Ok(())
    }
}

impl BatchTensor {
    /// A column from the shape of one sample and the values of all samples.
    pub(crate) fn numbers(&self) -> (Shape, Numbers<'_>) {
        (self.shape, self.elements.numbers())
    }

    /// One sample, from 0; empty if there is none with that index.
    #[must_use]
    pub fn sample(&self, sample: usize) -> Numbers<'_> {
        let size = self.shape.elements();
        let place = sample.saturating_mul(size)..sample.saturating_add(1).saturating_mul(size);
        match &self.elements {
            Elements::Float(numbers) => Numbers::Float(numbers.get(place).unwrap_or_default()),
            Elements::Int(numbers) => Numbers::Int(numbers.get(place).unwrap_or_default()),
        }
    }

    /// The number of values.
    fn length(&self) -> usize {
        match &self.elements {
            Elements::Float(reals) => reals.len(),
            Elements::Int(wholes) => wholes.len(),
        }
    }

    /// The column as a tensor `[batch, …]`.
    ///
    /// # Errors
    /// If candle reports an error.
    pub fn to_tensor(&self, size: usize, device: &Device) -> Result<Tensor> {
        let mut axes = vec![size];
        axes.extend_from_slice(self.shape.axes());
        Ok(match &self.elements {
            Elements::Float(reals) => Tensor::from_slice(reals, axes, device)?,
            Elements::Int(wholes) => Tensor::from_slice(wholes, axes, device)?,
        })
    }
}
