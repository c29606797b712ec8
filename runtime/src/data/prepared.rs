//! Data that are checked before the first step.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::extremes::Extremes;
use super::first_pass::{FirstPass, Limits, Reads};
use super::normalizer::Moments;
use super::parts::Parts;
use super::scan::{DatasetScan, InputScan, TargetScan, check_batch, place};
use super::{
    AnyDataset, Batch, DataFile, Elements, Fold, FoldPlan, ModelNormalizers, Normalization, Normalizer,
    Normalizers, Patterns, RoundedColumn, Split, TargetUnits,
};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::loss::{Ignoring, TargetRules};
use crate::shape::{Shape, ordinal};

/// A data set that is ready for a run: divided, checked, and with a fitted normalizer.
///
/// [`PreparedDataset::new`] reads every sample once. A run does so too, unless that would take more than 10 seconds and more than a
/// tenth of the time for which it reads data: then it reads 1,000 samples, and checks the others as they are read. A
/// [`Normalization`] needs all of them. The pass reports errors that would otherwise appear hours later, or
/// never:
///
/// - a split that is invalid, or that leaves no training samples;
/// - a value that is NaN or infinite, or an input outside the range that the data set declares;
/// - an input or a target that becomes infinite when normalized;
/// - a class or token that the kind does not have, or a target that the loss [does not
///   accept](crate::loss::Loss::accepts), such as a probability of 2;
/// - a part in which no target [counts](crate::loss::Loss::counts) in the loss.
///
/// It fits the normalizers on the training part alone, and computes a fingerprint, so that a run is not
/// resumed with other data. An empty validation or test part is allowed.
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
/// assert_eq!((batch.size, batch.inputs[0].shape.axes()), (32, [1, 8, 8].as_slice()));
/// # Ok::<(), trainspec::Error>(())
/// ```
pub struct PreparedDataset {
    data: Box<dyn AnyDataset>,
    parts: Parts,
    rules: Vec<Arc<dyn TargetRules>>,
    normalizers: Normalizers,
    units: TargetUnits,
    files: Vec<DataFile>,
    fold_plan: Option<FoldPlan>,
    fingerprint: String,
    /// How many samples were read and checked so far.
    checked: usize,
    class_counts: Vec<Option<Vec<usize>>>,
    classes: Vec<Vec<u32>>,
    profiles: Vec<Option<Normalizer>>,
    patterns: Vec<Patterns>,
    shared: usize,
    extremes: Vec<Extremes>,
    interrupt: Interrupt,
}

impl PreparedDataset {
    /// Divides, reads and checks a data set for a run with this seed, which determines a random split.
    ///
    /// # Errors
    /// If the data cannot be used; see [`PreparedDataset`]. Samples are numbered from 0.
    pub fn new(data: Box<dyn AnyDataset>, seed: u64) -> Result<Self> {
        Self::ignoring(data, seed, None)
    }

    /// The same for a loss that ignores one target value, which then need not be a class.
    ///
    /// # Errors
    /// As [`PreparedDataset::new`].
    pub fn ignoring(data: Box<dyn AnyDataset>, seed: u64, ignored: Option<u32>) -> Result<Self> {
        let rules: Vec<Arc<dyn TargetRules>> = data
            .target_shapes()
            .iter()
            .map(|_| -> Arc<dyn TargetRules> { Arc::new(Ignoring(ignored)) })
            .collect();
        Self::of_fold(data, seed, rules, Reads::Much, &Interrupt::new(), None)
    }

    /// The same for losses with these rules for each target, until a stop is requested: now, and whenever a batch is read
    /// later. If the run reads little and reading all samples once would take long, only some are read now, and the others are
    /// checked as they are read. The parts are those of a fold instead of the data's split, if there is one.
    ///
    /// # Errors
    /// As [`PreparedDataset::new`], and [`Error::Interrupted`].
    pub(crate) fn of_fold(
        data: Box<dyn AnyDataset>,
        seed: u64,
        rules: Vec<Arc<dyn TargetRules>>,
        reads: Reads,
        interrupt: &Interrupt,
        fold: Option<Fold>,
    ) -> Result<Self> {
        Self::within(data, (seed, fold), rules, (reads, Limits::DEFAULT), interrupt)
    }

    fn within(
        data: Box<dyn AnyDataset>,
        (seed, fold): (u64, Option<Fold>),
        rules: Vec<Arc<dyn TargetRules>>,
        (reads, limits): (Reads, Limits),
        interrupt: &Interrupt,
    ) -> Result<Self> {
        if rules.len() != data.target_shapes().len() {
            return Err(Error::Internal("the number of losses is not that of the targets"));
        }
        let (parts, fold_plan) = match fold {
            None => (Split::parts(data.as_ref(), seed)?, None),
            Some(fold) => fold.parts(data.as_ref(), seed).map(|(parts, plan)| (parts, Some(plan)))?,
        };
        let pass = FirstPass { data: &*data, parts: &parts, rules: &rules, interrupt };
        let (mut survey, fingerprint, checked) = pass.run(reads, limits)?;
        let is_complete = checked == data.len();
        let units = units(&*data, &survey, &rules)?;
        if is_complete {
            pass.look_at_normalized(&mut survey, &units)?;
            survey.check_counts(&rules)?;
        }
        let rule = data.normalization();
        let is_real = |scan: &&InputScan| scan.shape.vocabulary().is_none();
        let normalizer = |(input, scan): (usize, &InputScan)| match rule {
            _ if !is_real(&scan) => Ok(None),
            Normalization::None => Ok(None),
            Normalization::PerElement => {
                let missing = data.missing_elements(input);
                if let Some(element) = scan.moments.never_present() {
                    return Err(Error::Dataset(format!(
                        "element {element} of the {} is missing in every training sample, so it has no mean; remove it from the input",
                        ordinal("input", input, data.input_shapes().len()),
                    )));
                }
                let normalizer = scan.moments.per_element()?.except(data.unscaled_elements(input));
                normalizer.with_missing(missing).map(Some)
            }
            Normalization::Whole => scan.moments.whole().map(Some),
        };
        let scans = survey.inputs.iter().enumerate();
        let normalizers = Normalizers::new(scans.map(normalizer).collect::<Result<_>>()?);
        // Values so large that they have no mean in f32 have no profile; a normalizer would have reported them.
        let profile = |scan: &InputScan| Some(scan).filter(is_real)?.moments.per_element().ok();
        let profiles = survey.inputs.iter().map(profile).collect();
        // Equal samples and classes are counted among all samples only.
        let shared = if is_complete { survey.samples.shared(&parts) } else { 0 };
        let DatasetScan { inputs, targets, patterns, .. } = survey;
        let extremes = inputs.into_iter().map(|scan| scan.extremes).collect();
        // The samplers use the classes of all samples.
        let (class_counts, classes): (Vec<_>, Vec<_>) =
            targets.into_iter().map(|scan| (scan.class_counts.filter(|_| is_complete), scan.classes)).unzip();
        let prepared = Self {
            data,
            parts,
            rules,
            normalizers,
            units,
            files: Vec::new(),
            fold_plan,
            fingerprint,
            checked,
            class_counts,
            classes,
            profiles,
            patterns,
            shared,
            extremes,
            interrupt: interrupt.clone(),
        };
        prepared.check_normalized()?;
        Ok(prepared)
    }

    /// Checks that no input becomes infinite when normalized.
    fn check_normalized(&self) -> Result<()> {
        for (input, normalizer) in self.normalizers.iter() {
            let overflow = self.extremes.get(input).and_then(|extremes| extremes.overflow(normalizer));
            let Some((element, index, number)) = overflow else { continue };
            let of = |numbers: &[f32]| numbers.get(element % numbers.len().max(1)).copied().unwrap_or(0.0);
            let part = self.parts.of_each(self.data.len()).get(index).copied().flatten();
            return Err(Error::Dataset(format!(
                "{}: element {element} of the {} is {number:e}, which becomes infinite when normalized by the mean {:e} and the \
                 deviation {:e} of the training part; expected a value of the same magnitude as those in the training part",
                place(&*self.data, index, part),
                ordinal("input", input, self.extremes.len()),
                of(normalizer.mean()),
                of(normalizer.deviation()),
            )));
        }
        Ok(())
    }

    /// The indices of the training samples, in ascending order; there is at least one.
    pub fn train(&self) -> &[usize] {
        &self.parts.train
    }

    /// The indices of the validation samples, in ascending order; may be empty.
    pub fn validation(&self) -> &[usize] {
        &self.parts.validation
    }

    /// The indices of the test samples, in ascending order; may be empty.
    pub fn test(&self) -> &[usize] {
        &self.parts.test
    }

    /// The shape of each input, for one sample.
    pub fn input_shapes(&self) -> &'static [Shape] {
        self.data.input_shapes()
    }

    /// The shape of each target, for one sample.
    pub fn target_shapes(&self) -> &'static [Shape] {
        self.data.target_shapes()
    }

    /// The bytes of a sample in a batch.
    pub(crate) fn bytes_of_sample(&self) -> usize {
        bytes_of_sample(&*self.data)
    }

    /// Whether the samples form a time series.
    pub(crate) fn is_time_series(&self) -> bool {
        self.data.is_time_series()
    }

    /// How the data set is divided.
    pub fn split(&self) -> Split {
        self.data.split()
    }

    /// The same data with other normalizers, those of a trained model.
    ///
    /// # Errors
    /// If one is for an input of another size, or makes an input infinite.
    pub fn with_normalizers(mut self, normalizers: Normalizers) -> Result<Self> {
        normalizers.check(self.input_shapes())?;
        for (input, _) in self.input_shapes().iter().enumerate() {
            let accepted = normalizers.of(input).map_or(&[][..], Normalizer::missing);
            let missing = self.data.missing_elements(input);
            if let Some(element) = missing.iter().find(|element| !accepted.contains(element)) {
                return Err(Error::Dataset(format!(
                    "element {element} of the {} may be missing, and the model was trained without missing values there; expected a value \
                     in every sample",
                    ordinal("input", input, self.input_shapes().len()),
                )));
            }
        }
        self.normalizers = normalizers;
        self.check_normalized()?;
        Ok(self)
    }

    /// The normalizers of the inputs.
    pub fn normalizers(&self) -> &Normalizers {
        &self.normalizers
    }

    /// The same data with other normalizers of the targets, those of a trained model. The losses and the metrics are then those that the
    /// model was trained with.
    ///
    /// # Errors
    /// If one is for a target of another size, or for an output that cannot be converted to the units of the target.
    pub fn with_target_normalizers(mut self, normalizers: Normalizers) -> Result<Self> {
        let units = TargetUnits::new(normalizers, self.units.outputs().to_vec());
        units.check(self.target_shapes())?;
        self.units = units;
        Ok(self)
    }

    /// The normalizers of the targets, and how outputs are converted back.
    pub fn target_units(&self) -> &TargetUnits {
        &self.units
    }

    /// The same data, read from these files.
    pub(crate) fn with_files(self, files: Vec<DataFile>) -> Self {
        Self { files, ..self }
    }

    /// What is divided into folds; `None` if the parts are those of the data's split.
    pub(crate) fn fold_plan(&self) -> Option<FoldPlan> {
        self.fold_plan
    }

    /// The files that the data were read from and that a run can replace: [`data_file`](super::data_file).
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// The normalizers that a model file contains.
    pub(crate) fn model_normalizers(&self) -> ModelNormalizers {
        ModelNormalizers { inputs: self.normalizers.clone(), targets: self.units.normalizers().clone() }
    }

    /// SHA-256 as hexadecimal digits of the shapes and of every value of every sample, before
    /// normalization, and of the weights of the samples. The split is not part of it. If not all samples were [checked](Self::checked), it is
    /// `sample:` and the SHA-256 of those that were.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// How many samples were read and checked before the first step. The others are checked as they are read.
    #[must_use]
    pub fn checked(&self) -> usize {
        self.checked
    }

    /// The same, if not all samples were.
    pub(crate) fn checked_in_part(&self) -> Option<usize> {
        Some(self.checked).filter(|checked| *checked < self.data.len())
    }

    /// Returns the fingerprint that is comparable with `recorded`: where a run of the same data has read all samples and this one has
    /// not, or the other way around, the other one is computed.
    pub(crate) fn fingerprint_like(&self, recorded: &str) -> Result<String> {
        let is_equal = self.fingerprint == recorded;
        if is_equal || self.checked == self.data.len() && recorded.len() == self.fingerprint.len() {
            return Ok(self.fingerprint.clone());
        }
        let Self { data, parts, rules, interrupt, .. } = self;
        FirstPass { data: &**data, parts, rules, interrupt }.fingerprint_like(recorded)
    }

    /// The number of training samples of each class of a target, counted from 0; `None` if the target is not one class.
    pub fn class_counts(&self, target: usize) -> Option<&[usize]> {
        self.class_counts.get(target)?.as_deref()
    }

    /// The class of each training sample; `None` if the target is not one class.
    pub(crate) fn training_classes(&self, target: usize) -> Option<&[u32]> {
        self.class_counts(target)?;
        self.classes.get(target).map(Vec::as_slice)
    }

    /// How often a sample is drawn, relative to others.
    pub(crate) fn sample_weight(&self, index: usize) -> f32 {
        self.data.sample_weight(index)
    }

    /// The declared range of all input values.
    pub(crate) fn input_range(&self) -> Option<RangeInclusive<f32>> {
        self.data.input_range()
    }

    /// The elements of an input that may be missing.
    pub(crate) fn missing_elements(&self, input: usize) -> &[usize] {
        self.data.missing_elements(input)
    }

    /// The elements of an input that the normalization does not change.
    pub(crate) fn unscaled_elements(&self, input: usize) -> &[usize] {
        self.data.unscaled_elements(input)
    }

    /// Mean and deviation of each element of an input over the training samples, before normalization; `None` for tokens.
    pub(crate) fn profile(&self, input: usize) -> Option<&Normalizer> {
        self.profiles.get(input)?.as_ref()
    }

    /// The columns that lost values by rounding to f32.
    pub(crate) fn rounded_columns(&self) -> &[RoundedColumn] {
        self.data.rounded_columns()
    }

    /// The names of the classes of a target; empty if they have none.
    pub fn class_names(&self, target: usize) -> &[String] {
        self.data.class_names(target)
    }

    /// Patterns in each pair of an input and a target of the training samples, before normalization.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = ((usize, usize), &Patterns)> {
        let targets = self.target_shapes().len();
        self.patterns
            .iter()
            .enumerate()
            .map(move |(pair, patterns)| ((pair / targets, pair % targets), patterns))
    }

    /// How many validation and test samples have the input of a training sample.
    pub(crate) fn shared(&self) -> usize {
        self.shared
    }

    /// The handle that can stop the use of these data.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Returns the samples with these indices, normalized: the inputs, and the targets if the data set
    /// [sets that](super::Dataset::with_target_normalization).
    ///
    /// # Errors
    /// If an index does not exist, if a sample cannot be read, or if a stop is requested.
    pub fn batch(&self, indices: &[usize]) -> Result<Batch> {
        let mut batch = self.read(indices)?;
        self.normalize(&mut batch);
        if self.checked_in_part().is_some() {
            self.check_finite(&batch, indices)?;
        }
        Ok(batch)
    }

    /// Checks that no input became infinite when normalized, where that was not checked before the first step.
    fn check_finite(&self, batch: &Batch, indices: &[usize]) -> Result<()> {
        for (input, column) in batch.inputs.iter().enumerate() {
            let Elements::Float(values) = &column.elements else { continue };
            let Some(at) = values.iter().position(|value| !value.is_finite()) else { continue };
            let size = column.shape.elements().max(1);
            let index = indices.get(at / size).copied().unwrap_or_default();
            return Err(Error::Dataset(format!(
                "{}: element {} of the {} becomes infinite when normalized; expected a value of the same magnitude as those that the model \
                 was trained on",
                place(&*self.data, index, self.parts.of(index)),
                at % size,
                ordinal("input", input, batch.inputs.len()),
            )));
        }
        Ok(())
    }

    /// Returns the samples with these indices, unchanged.
    fn read(&self, indices: &[usize]) -> Result<Batch> {
        self.interrupt.check()?;
        if let Some(index) = indices.iter().find(|index| **index >= self.data.len()) {
            return Err(Error::Dataset(format!("there is no sample {index} of {}", self.data.len())));
        }
        let batch = self.data.batch(indices)?;
        if self.checked_in_part().is_some() {
            let part = |sample: usize| self.parts.of(*indices.get(sample)?);
            check_batch(&*self.data, &part, indices, &batch, &self.rules)?;
        }
        Ok(batch)
    }

    /// Normalizes the inputs.
    fn normalize(&self, batch: &mut Batch) {
        for (input, normalizer) in self.normalizers.iter() {
            if let Some(Elements::Float(numbers)) =
                batch.inputs.get_mut(input).map(|input| &mut input.elements)
            {
                normalizer.apply(numbers);
            }
        }
        normalize_targets(batch, &self.units);
    }
}

fn normalize_targets(batch: &mut Batch, units: &TargetUnits) {
    for (target, normalizer) in units.normalizers().iter() {
        if let Some(Elements::Float(numbers)) =
            batch.targets.get_mut(target).map(|target| &mut target.elements)
        {
            normalizer.apply(numbers);
        }
    }
}

/// Fits the normalizers of the targets.
fn units(data: &dyn AnyDataset, survey: &DatasetScan, rules: &[Arc<dyn TargetRules>]) -> Result<TargetUnits> {
    let rule = data.target_normalization();
    let normalizer = |moments: &Moments| match rule {
        Normalization::None => Ok(None),
        Normalization::PerElement => moments.per_element().map(Some),
        Normalization::Whole => moments.whole().map(Some),
    };
    let fitted = |scan: &TargetScan| {
        let fitted = scan.moments.as_ref().map(normalizer).transpose()?.flatten();
        Ok(fitted.map(Normalizer::of_target))
    };
    let normalizers = Normalizers::new(survey.targets.iter().map(fitted).collect::<Result<_>>()?);
    let units = TargetUnits::new(normalizers, rules.iter().map(|rules| rules.predicted_as()).collect());
    units.check(data.target_shapes())?;
    Ok(units)
}

/// The bytes of the values of a sample.
pub(super) fn bytes_of_sample(data: &dyn AnyDataset) -> usize {
    let shapes = data.input_shapes().iter().chain(data.target_shapes());
    shapes.map(|shape| shape.elements()).fold(0, usize::saturating_add).saturating_mul(size_of::<f32>())
}

mod training;

#[cfg(test)]
mod tests;
