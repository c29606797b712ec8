//! Batches: consecutive samples on the host.

use candle_core::{Device, Tensor};

use crate::error::{Error, Result};
use crate::shape::{Elements, Numbers, Shape};

/// Some samples of a data set.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The number of samples.
    pub size: usize,
    /// Their inputs: one tensor for each input of the model.
    pub inputs: Vec<BatchTensor>,
    /// Their targets: one tensor for each output of the model.
    pub targets: Vec<BatchTensor>,
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
    /// The second targets of each sample, of the same kinds as the first.
    pub targets: Vec<BatchTensor>,
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
    /// A batch of `size` samples for a model with one input and one output.
    #[must_use]
    pub fn new(size: usize, input: BatchTensor, target: BatchTensor) -> Self {
        Self { size, inputs: vec![input], targets: vec![target], mixed: None }
    }

    /// Checks that every column has as many samples as the batch, that the inputs fit the model, and that there is a target for
    /// each output.
    ///
    /// # Errors
    /// If they do not.
    pub(crate) fn check(&self, inputs: &[Shape], outputs: usize) -> Result<()> {
        if self.size == 0 {
            return Err(Error::Batch("a batch has no samples; expected at least 1".to_owned()));
        }
        if self.inputs.len() != inputs.len() || self.targets.len() != outputs {
            return Err(Error::Batch(format!(
                "a batch has {} inputs and {} targets; the model takes {} and returns {outputs}",
                self.inputs.len(),
                self.targets.len(),
                inputs.len(),
            )));
        }
        for (column, shape) in self.inputs.iter().zip(inputs) {
            if !column.shape.same(*shape) {
                let problem = format!("the input is {}; the model takes {shape}", column.shape);
                return Err(Error::Batch(problem));
            }
        }
        let second =
            self.mixed.iter().flat_map(|mixed| &mixed.targets).map(|target| ("second target", target));
        let inputs_and_targets = self.inputs.iter().map(|input| ("input", input));
        let inputs_and_targets =
            inputs_and_targets.chain(self.targets.iter().map(|target| ("target", target)));
        for (name, column) in inputs_and_targets.chain(second) {
            let (found, expected) = (column.length(), self.size.saturating_mul(column.shape.elements()));
            if found != expected {
                return Err(Error::Batch(format!(
                    "the {name} has {found} values; expected {expected}, {} samples of {}",
                    self.size, column.shape
                )));
            }
        }
        if let Some(mixed) = &self.mixed {
            if mixed.targets.len() != outputs {
                return Err(Error::Batch("a mixed batch needs a second target for each output".to_owned()));
            }
            mixed.check()?;
        }
        for column in &self.inputs {
            if matches!(column.elements, Elements::Int(_)) != column.shape.vocabulary().is_some() {
                return Err(Error::Batch("the input has the wrong element type for its shape".to_owned()));
            }
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
