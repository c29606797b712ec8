//! Data that were looked through before the first step.

use super::extremes::Extremes;
use super::scan::{DatasetScan, place};
use super::split::Parts;
use super::{AnyDataset, Batch, Elements, Normalization, Normalizer, Patterns, RoundedColumn, Split};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::loss::{Ignoring, TargetRules};
use crate::rng::{Purpose, StepIndex, Stream};
use crate::shape::Shape;

/// A data set that is ready for a run: divided, checked, and with its normalizer.
///
/// [`PreparedDataset::new`] reads every sample once. What it finds wrong would else show itself hours later, or
/// never:
///
/// - a split that cannot be, or that leaves nothing to learn from;
/// - a number that is NaN or infinite, or an input outside of the range that the data set names;
/// - an input that is infinite once it is normalized;
/// - a class or token that the kind does not have, or a target that the loss [does not
///   accept](crate::loss::Loss::accepts), such as a probability of 2;
/// - a part of which no target [counts](crate::loss::Loss::counts) in the loss.
///
/// It fits the normalizer on the training part alone, and takes a fingerprint, so that a run is not
/// resumed on other data. An empty validation or test part is allowed.
///
/// # Example
/// ```
/// use trainspec::data::{Dataset, Digits8x8, Normalization, PreparedDataset};
///
/// let digits = Digits8x8::embedded()?.with_normalization(Normalization::Whole);
/// let data = PreparedDataset::new(Box::new(digits), 42)?;
/// assert_eq!(data.train().len(), 1287);
///
/// let order = data.order(42, 1);
/// let batch = data.batch(&order[..32])?;
/// assert_eq!((batch.size, batch.input.shape.axes()), (32, [1, 8, 8].as_slice()));
/// # Ok::<(), trainspec::Error>(())
/// ```
pub struct PreparedDataset {
    data: Box<dyn AnyDataset>,
    parts: Parts,
    normalizer: Option<Normalizer>,
    fingerprint: String,
    class_counts: Option<Vec<usize>>,
    profile: Option<Normalizer>,
    patterns: Patterns,
    shared: usize,
    extremes: Extremes,
    interrupt: Interrupt,
}

impl PreparedDataset {
    /// Divides, reads and checks a data set for a run with this seed, which a random split depends on.
    ///
    /// # Errors
    /// If the data cannot be used; see [`PreparedDataset`]. Samples are numbered from 0.
    pub fn new(data: Box<dyn AnyDataset>, seed: u64) -> Result<Self> {
        Self::ignoring(data, seed, None)
    }

    /// The same for a loss that ignores a target, which need not be a class then.
    ///
    /// # Errors
    /// As [`PreparedDataset::new`].
    pub fn ignoring(data: Box<dyn AnyDataset>, seed: u64, ignored: Option<u32>) -> Result<Self> {
        Self::for_loss(data, seed, &Ignoring(ignored), &Interrupt::new())
    }

    /// The same for a loss with these rules for targets, as long as no end is requested: now, and whenever a batch is read
    /// later.
    ///
    /// # Errors
    /// As [`PreparedDataset::new`], and [`Error::Interrupted`].
    pub fn for_loss(
        data: Box<dyn AnyDataset>,
        seed: u64,
        rules: &dyn TargetRules,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let (input, target) = (data.input_shape(), data.target_shape());
        let parts = data.split().resolve(data.len(), seed)?;
        let mut survey = DatasetScan::new(data.as_ref(), &parts)?;
        // As many samples at a time as make about a million numbers.
        let sizes = input.elements().saturating_add(target.elements());
        let at_once = (1_000_000 / sizes).clamp(1, 1000);
        let mut indices = Vec::new();
        for start in (0..data.len()).step_by(at_once) {
            indices.clear();
            indices.extend(start..data.len().min(start + at_once));
            survey.look(&*data, start, &data.batch(&indices)?, rules)?;
            interrupt.check()?;
        }
        survey.check_counts(rules)?;
        let normalizer = match data.normalization() {
            Normalization::None => None,
            Normalization::PerElement => Some(survey.moments.per_element()?),
            Normalization::Whole => Some(survey.moments.whole()?),
        };
        let fingerprint = survey.fingerprint(input, target, data.len());
        // Numbers so large that they have no mean in f32 have no profile; a normalizer would have said so.
        let profile = input.vocabulary().is_none().then(|| survey.moments.per_element().ok()).flatten();
        let shared = survey.samples.shared(&parts);
        let DatasetScan { class_counts, patterns, extremes, .. } = survey;
        let prepared = Self {
            data,
            parts,
            normalizer,
            fingerprint,
            class_counts,
            profile,
            patterns,
            shared,
            extremes,
            interrupt: interrupt.clone(),
        };
        prepared.check_normalized()?;
        Ok(prepared)
    }

    /// That no input is infinite once it is normalized.
    fn check_normalized(&self) -> Result<()> {
        let Some(normalizer) = &self.normalizer else { return Ok(()) };
        let Some((element, index, number)) = self.extremes.overflow(normalizer) else { return Ok(()) };
        let of = |numbers: &[f32]| numbers.get(element % numbers.len().max(1)).copied().unwrap_or(0.0);
        let part = self.parts.of_each(self.data.len()).get(index).copied().flatten();
        Err(Error::Dataset(format!(
            "{}: element {element} of the input is {number:e}, which is infinite once it is normalized by the mean {:e} and the \
             deviation {:e} of the training part; expected a number of the same size as those learned from",
            place(&*self.data, index, part),
            of(normalizer.mean()),
            of(normalizer.deviation()),
        )))
    }

    /// The samples to learn from, in rising order; there is at least one.
    pub fn train(&self) -> &[usize] {
        &self.parts.train
    }

    /// The samples that steer the run, in rising order; perhaps none.
    pub fn validation(&self) -> &[usize] {
        &self.parts.validation
    }

    /// The samples for the end, in rising order; perhaps none.
    pub fn test(&self) -> &[usize] {
        &self.parts.test
    }

    /// One input's shape.
    pub fn input_shape(&self) -> Shape {
        self.data.input_shape()
    }

    /// One target's shape.
    pub fn target_shape(&self) -> Shape {
        self.data.target_shape()
    }

    /// Whether the samples follow each other in time.
    pub(crate) fn is_time_series(&self) -> bool {
        self.data.is_time_series()
    }

    /// How the data set was divided.
    pub fn split(&self) -> Split {
        self.data.split()
    }

    /// The same data under another normalizer, that of a trained model.
    ///
    /// # Errors
    /// If it belongs to inputs of another size, or makes one infinite.
    pub fn with_normalizer(mut self, normalizer: Option<Normalizer>) -> Result<Self> {
        let elements = self.input_shape().elements();
        if normalizer.as_ref().is_some_and(|normalizer| !normalizer.fits(elements)) {
            let problem = format!("the model's normalization is not for inputs of {elements} numbers");
            return Err(Error::Dataset(problem));
        }
        self.normalizer = normalizer;
        self.check_normalized()?;
        Ok(self)
    }

    /// What is done to the inputs of every batch, if anything.
    pub fn normalizer(&self) -> Option<&Normalizer> {
        self.normalizer.as_ref()
    }

    /// SHA-256 in hexadecimal digits of the shapes and of every number of every sample, before
    /// normalization. The split is not in it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// How many training samples there are of each class, if the target is one class.
    pub fn class_counts(&self) -> Option<&[usize]> {
        self.class_counts.as_deref()
    }

    /// Mean and deviation of each number of an input over the training samples, before normalization; none for tokens.
    pub(crate) fn profile(&self) -> Option<&Normalizer> {
        self.profile.as_ref()
    }

    /// The columns that lost values when they were rounded to f32.
    pub(crate) fn rounded_columns(&self) -> &[RoundedColumn] {
        self.data.rounded_columns()
    }

    /// What the training samples look like, before normalization.
    pub(crate) fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    /// How many samples of the other parts have the input of a training sample.
    pub(crate) fn shared(&self) -> usize {
        self.shared
    }

    /// The training samples in the order of an epoch, counted from 1: a permutation from the run's seed and the
    /// epoch alone.
    pub fn order(&self, seed: u64, epoch: u64) -> Vec<usize> {
        let at = StepIndex { step: epoch, micro_batch: 0 };
        let order = Stream::new(seed, Purpose::Shuffle, "").permutation(at, self.parts.train.len());
        order.into_iter().filter_map(|place| self.parts.train.get(place).copied()).collect()
    }

    /// What asks for an end while these data are in use.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Samples of these numbers, normalized.
    ///
    /// # Errors
    /// If there is no such sample, if one cannot be read, or if an end is requested.
    pub fn batch(&self, indices: &[usize]) -> Result<Batch> {
        self.interrupt.check()?;
        if let Some(index) = indices.iter().find(|index| **index >= self.data.len()) {
            return Err(Error::Dataset(format!("there is no sample {index} of {}", self.data.len())));
        }
        let mut batch = self.data.batch(indices)?;
        if let (Some(normalizer), Elements::Float(numbers)) = (&self.normalizer, &mut batch.input.elements) {
            normalizer.apply(numbers);
        }
        Ok(batch)
    }
}

#[cfg(test)]
mod tests;
