//! The [`Dataset`] trait.

use std::ops::RangeInclusive;

use super::adapt::{Change, WithOverrides};
use super::{Batch, BatchTensor, Normalization, RoundedColumn, Split};
use crate::error::Result;
use crate::loss::TargetKinds;
use crate::shape::{Elements, InputKinds, Kinds, Shape};

/// A finite set of samples, each an input and its target.
///
/// A custom data set returns its number of samples and writes a sample into a buffer:
///
/// ```
/// use trainspec::data::Dataset;
/// use trainspec::prelude::*;
///
/// /// Points of a parabola.
/// struct Parabola;
///
/// impl Dataset for Parabola {
///     type Input = Features<1>;
///     type Target = Values<1>;
///
///     fn len(&self) -> usize {
///         100
///     }
///     fn sample(&self, index: usize, input: &mut [f32], target: &mut [f32]) -> trainspec::Result<()> {
///         let x = index as f32 / 50.0 - 1.0;
///         input.fill(x);
///         target.fill(x * x);
///         Ok(())
///     }
/// }
/// ```
///
/// For a model with several inputs or outputs, the types and the buffers are tuples:
///
/// ```
/// use trainspec::data::Dataset;
/// use trainspec::prelude::*;
///
/// /// Houses: a photo and four facts of each; its class and its price.
/// struct Houses;
///
/// impl Dataset for Houses {
///     type Input = (Image<1, 8, 8>, Features<4>);
///     type Target = (Class<3>, Values<1>);
///
///     fn len(&self) -> usize {
///         100
///     }
///     fn sample(
///         &self,
///         index: usize,
///         (photo, facts): (&mut [f32], &mut [f32]),
///         (class, price): (&mut [u32], &mut [f32]),
///     ) -> trainspec::Result<()> {
///         photo.fill(index as f32 / 100.0);
///         facts.copy_from_slice(&[1.0, 2.0, 3.0, index as f32]);
///         class.fill(index as u32 % 3);
///         price.fill(index as f32);
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a data set",
    label = "expected data, such as `Digits8x8::embedded()`, `Csv::open(\"file.csv\").read::<Features<4>, Class<3>>()`, `InMemory::new(…)`",
    note = "a type becomes one by implementing `trainspec::data::Dataset`"
)]
pub trait Dataset: Send + Sync + 'static {
    /// The kind of the inputs; it must match the model's input. A tuple of kinds for a model with several inputs.
    type Input: InputKinds;
    /// The kind of the targets. A tuple of kinds for a model with several outputs, one for each.
    type Target: TargetKinds;

    /// The number of samples.
    fn len(&self) -> usize;

    /// Returns whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes sample `index`, which is below [`Dataset::len`], into buffers of the kinds' sizes: `&mut [f32]`, or `&mut [u32]` for
    /// classes and tokens, and for a tuple of kinds a tuple of buffers.
    fn sample(
        &self,
        index: usize,
        input: <Self::Input as Kinds>::Row<'_>,
        target: <Self::Target as Kinds>::Row<'_>,
    ) -> Result<()>;

    /// Which samples are for training, validation and test. By default a random tenth each for the last two.
    fn split(&self) -> Split {
        Split::DEFAULT
    }

    /// How the inputs are normalized, each by its own statistics; tokens never are. By default none is.
    fn normalization(&self) -> Normalization {
        Normalization::None
    }

    /// How targets of the kind [`Values`](crate::Values) are normalized, each by its own statistics; targets of other kinds never are. By
    /// default none is. See [`Dataset::with_target_normalization`].
    fn target_normalization(&self) -> Normalization {
        Normalization::None
    }

    /// The range of all values of all real inputs, before normalization. `None`, the default, if it is not known.
    /// A run whose data have a value outside the range is rejected before its first step: a pixel of 255 where 1 is the
    /// maximum, a temperature in Fahrenheit, the -999 of a missing value.
    ///
    /// Both ends are inclusive, and either may be infinite. An empty range, one with NaN, and any range for
    /// inputs that are tokens are rejected before the first step.
    fn input_range(&self) -> Option<RangeInclusive<f32>> {
        None
    }

    /// Whether the samples form a time series, with sample 0 the earliest. By default they do not.
    ///
    /// In a time series, no training sample may come after a validation or test sample. Otherwise the run would be
    /// evaluated on the past of what it was trained on: it reports [`Advice::ShuffledSeries`](crate::keys::Advice).
    /// [`Split::InOrder`] divides such data. The training samples are still shuffled in
    /// every epoch; a sample of a series is a window with all the past that its target needs.
    fn is_time_series(&self) -> bool {
        false
    }

    /// The group of a sample, such as the number of a patient, a user or a document. `None`, the default, if there are no groups.
    ///
    /// [`Split::Grouped`] and [`Split::GroupedFold`] keep the samples of a group in one part, so that a run is evaluated on groups that it was
    /// not trained on.
    fn group(&self, index: usize) -> Option<u64> {
        let _ = index;
        None
    }

    /// How often the sampler [`Weighted`](struct@crate::data::sampler::Weighted) draws a training sample, relative to the others: a finite
    /// number of at least 0. 1 by default.
    fn sample_weight(&self, index: usize) -> f32 {
        let _ = index;
        1.0
    }

    /// Where a sample comes from, for messages: `flowers.csv:17`. `None`, the default, if that is not known.
    fn location(&self, index: usize) -> Option<String> {
        let _ = index;
        None
    }

    /// The columns that lost more than half of their distinct values by rounding to f32. A run gives advice on them.
    /// Empty by default; [`Csv`](super::Csv) finds them.
    fn rounded_columns(&self) -> &[RoundedColumn] {
        &[]
    }

    /// The names of the classes of a target, counted from 0, in the order of the classes. Empty, the default, if they have none.
    fn class_names(&self, target: usize) -> &[String] {
        let _ = target;
        &[]
    }

    /// The elements of an input, counted from 0, in which NaN is a missing value, in ascending order. Empty by default: NaN is an
    /// error.
    ///
    /// A missing value is replaced by the mean of its element over the training samples. [`Normalization::PerElement`] does
    /// this, without which such data are rejected before the first step. The trained model does the same for predictions.
    fn missing_elements(&self, input: usize) -> &[usize] {
        let _ = input;
        &[]
    }

    /// The elements of an input, counted from 0, that the normalization does not change, in ascending order: those that are 0 or 1,
    /// such as the elements of a category. Empty by default.
    fn unscaled_elements(&self, input: usize) -> &[usize] {
        let _ = input;
        &[]
    }

    /// Sets how the samples are divided.
    ///
    /// ```
    /// use trainspec::data::{Dataset, Digits8x8, Split};
    ///
    /// let data = Digits8x8::embedded()?.with_split(Split::Random { validation: 0.2, test: 0.0 });
    /// assert_eq!(data.split(), Split::Random { validation: 0.2, test: 0.0 });
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    fn with_split(self, split: Split) -> WithOverrides<Self>
    where
        Self: Sized,
    {
        WithOverrides::new(self, Change::Split(split))
    }

    /// Sets how the inputs are normalized.
    ///
    /// ```
    /// use trainspec::data::{Dataset, Digits8x8, Normalization};
    ///
    /// let data = Digits8x8::embedded()?.with_normalization(Normalization::Whole);
    /// assert_eq!(data.normalization(), Normalization::Whole);
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    fn with_normalization(self, normalization: Normalization) -> WithOverrides<Self>
    where
        Self: Sized,
    {
        WithOverrides::new(self, Change::Normalization(normalization))
    }

    /// Sets how targets of the kind [`Values`](crate::Values) are normalized, for a model that returns `Values` or
    /// [`Gaussians`](crate::Gaussians).
    ///
    /// Targets far from 0, such as prices, take many steps to reach from weights near 0. The loss, and with it `early_stop` and the gradients,
    /// sees targets with mean 0 and standard deviation 1 over the training samples. Metrics, and the predictions of the trained model, stay
    /// in the units of the data: the statistics are stored in the model file, and outputs are converted back.
    ///
    /// - Each element of each target has its own statistics with [`Normalization::PerElement`]; with [`Normalization::Whole`] the elements of
    ///   a target share them. In an element that is constant over the training samples, its mean is subtracted.
    /// - The squared error of normalized targets is that of the data divided by the squared deviation, so the losses of several elements, or
    ///   of several outputs, count equally whatever their units.
    /// - Outputs and targets are rounded to f32 once more, so metrics differ from those of the original values by rounding only.
    ///
    /// A run is rejected before its first step if no target is `Values`, if an output cannot be converted back, or if the loss does not accept
    /// normalized targets, as [`PoissonNegativeLogLikelihood`](struct@crate::loss::PoissonNegativeLogLikelihood) does not.
    ///
    /// ```
    /// use trainspec::data::{Dataset, Normalization, PreparedDataset, Split};
    /// use trainspec::data::Elements;
    /// use trainspec::prelude::*;
    ///
    /// let prices = InMemory::<Features<1>, Values<1>>::new(vec![1.0, 2.0, 3.0], vec![300e3, 340e3, 320e3])?;
    /// let prices = prices.with_target_normalization(Normalization::PerElement);
    /// let prices = prices.with_split(Split::InOrder { validation: 0.0, test: 0.4 });
    /// let data = PreparedDataset::new(Box::new(prices), 42)?;
    /// assert_eq!(data.batch(&[0, 1, 2])?.targets[0].elements, Elements::Float(vec![-1.0, 1.0, 0.0]));
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    fn with_target_normalization(self, normalization: Normalization) -> WithOverrides<Self>
    where
        Self: Sized,
    {
        WithOverrides::new(self, Change::TargetNormalization(normalization))
    }

    /// Declares the range of the input values: [`Dataset::input_range`].
    ///
    /// ```
    /// use trainspec::data::PreparedDataset;
    /// use trainspec::prelude::*;
    ///
    /// let images = InMemory::<Image<1, 1, 2>, Class<2>>::new(vec![0.0, 0.5, 255.0, 0.0], vec![0, 1])?;
    /// let problem = PreparedDataset::new(Box::new(images.with_input_range(0.0..=1.0)), 42).err().unwrap();
    /// assert!(problem.to_string().contains("element 0 of the input is 255; expected 0 to 1"));
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    fn with_input_range(self, range: RangeInclusive<f32>) -> WithOverrides<Self>
    where
        Self: Sized,
    {
        WithOverrides::new(self, Change::InputRange(range))
    }

    /// Sets the [group](Dataset::group) of each sample, in their order, for [`Split::Grouped`].
    ///
    /// ```
    /// use trainspec::data::{PreparedDataset, Split};
    /// use trainspec::prelude::*;
    ///
    /// // Three recordings of each of ten patients.
    /// let patients = (0..30).map(|recording| recording / 3).collect();
    /// let data = InMemory::<Features<1>, Class<2>>::new(vec![0.5; 30], [0, 1].repeat(15))?
    ///     .with_groups(patients)
    ///     .with_split(Split::Grouped { validation: 0.1, test: 0.2 });
    /// let data = PreparedDataset::new(Box::new(data), 42)?;
    /// assert_eq!((data.train().len(), data.validation().len(), data.test().len()), (21, 3, 6));
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    fn with_groups(self, groups: Vec<u64>) -> WithOverrides<Self>
    where
        Self: Sized,
    {
        WithOverrides::new(self, Change::Groups(groups))
    }

    /// Sets the [weight](Dataset::sample_weight) of each sample, in their order, for the key `sampler: Weighted`.
    ///
    /// ```
    /// use trainspec::prelude::*;
    ///
    /// let data = InMemory::<Features<1>, Class<2>>::new(vec![0.5; 4], vec![0, 0, 0, 1])?
    ///     .with_sample_weights(vec![1.0, 1.0, 1.0, 3.0]);
    /// assert_eq!(data.sample_weight(3), 3.0);
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    fn with_sample_weights(self, weights: Vec<f32>) -> WithOverrides<Self>
    where
        Self: Sized,
    {
        WithOverrides::new(self, Change::Weights(weights))
    }

    /// Declares that the samples form a time series: [`Dataset::is_time_series`].
    ///
    /// ```
    /// use trainspec::data::{PreparedDataset, Split};
    /// use trainspec::prelude::*;
    ///
    /// let days: Vec<f32> = (0..100).map(|day| (day as f32 / 7.0).sin()).collect();
    /// let series = InMemory::<Features<1>, Values<1>>::new(days[..99].to_vec(), days[1..].to_vec())?;
    /// let series = series.in_time_order().with_split(Split::InOrder { validation: 0.1, test: 0.2 });
    /// let data = PreparedDataset::new(Box::new(series), 42)?;
    /// assert_eq!((data.train().last(), data.validation()[0], data.test()[0]), (Some(&70), 71, 80));
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    fn in_time_order(self) -> WithOverrides<Self>
    where
        Self: Sized,
    {
        WithOverrides::new(self, Change::TimeSeries)
    }
}

/// What `data:` in a spec may evaluate to: a data set, or the result of opening one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a data set",
    label = "expected data, such as `Digits8x8::embedded()`, `Csv::open(\"file.csv\").read::<Features<4>, Class<3>>()`, `InMemory::new(…)`",
    note = "a type becomes one by implementing `trainspec::data::Dataset`"
)]
pub trait IntoDataset {
    /// The data set.
    type Data: Dataset;

    /// Returns the data set, or the error of opening it.
    ///
    /// # Errors
    /// If it could not be opened.
    fn into_dataset(self) -> Result<Self::Data>;
}

impl<D: Dataset> IntoDataset for D {
    type Data = D;

    fn into_dataset(self) -> Result<D> {
        Ok(self)
    }
}

impl<D: Dataset> IntoDataset for Result<D> {
    type Data = D;

    fn into_dataset(self) -> Result<D> {
        self
    }
}

/// A data set with its types erased: what a run holds.
pub trait AnyDataset: Send + Sync {
    /// [`Dataset::len`]
    fn len(&self) -> usize;
    /// Whether there are no samples.
    fn is_empty(&self) -> bool;
    /// The shape of each input, for one sample.
    fn input_shapes(&self) -> &'static [Shape];
    /// The shape of each target, for one sample.
    fn target_shapes(&self) -> &'static [Shape];
    /// [`Dataset::split`]
    fn split(&self) -> Split;
    /// [`Dataset::normalization`]
    fn normalization(&self) -> Normalization;
    /// [`Dataset::target_normalization`]
    fn target_normalization(&self) -> Normalization;
    /// The name of the kind of each target.
    fn target_names(&self) -> &'static [&'static str];
    /// [`Dataset::input_range`]
    fn input_range(&self) -> Option<RangeInclusive<f32>>;
    /// [`Dataset::is_time_series`]
    fn is_time_series(&self) -> bool;
    /// [`Dataset::group`]
    fn group(&self, index: usize) -> Option<u64>;
    /// [`Dataset::sample_weight`]
    fn sample_weight(&self, index: usize) -> f32;
    /// [`Dataset::location`]
    fn location(&self, index: usize) -> Option<String>;
    /// [`Dataset::rounded_columns`]
    fn rounded_columns(&self) -> &[RoundedColumn];
    /// [`Dataset::class_names`]
    fn class_names(&self, target: usize) -> &[String];
    /// [`Dataset::missing_elements`]
    fn missing_elements(&self, input: usize) -> &[usize];
    /// [`Dataset::unscaled_elements`]
    fn unscaled_elements(&self, input: usize) -> &[usize];
    /// Reads the samples with these indices, unchanged.
    ///
    /// # Errors
    /// If a sample cannot be read.
    fn batch(&self, indices: &[usize]) -> Result<Batch>;
}

impl<D: Dataset> AnyDataset for D {
    fn len(&self) -> usize {
        Dataset::len(self)
    }

    fn is_empty(&self) -> bool {
        Dataset::is_empty(self)
    }

    fn input_shapes(&self) -> &'static [Shape] {
        D::Input::SHAPES
    }

    fn target_shapes(&self) -> &'static [Shape] {
        D::Target::SHAPES
    }

    fn split(&self) -> Split {
        Dataset::split(self)
    }

    fn normalization(&self) -> Normalization {
        Dataset::normalization(self)
    }

    fn target_normalization(&self) -> Normalization {
        Dataset::target_normalization(self)
    }

    fn target_names(&self) -> &'static [&'static str] {
        D::Target::NAMES
    }

    fn input_range(&self) -> Option<RangeInclusive<f32>> {
        Dataset::input_range(self)
    }

    fn is_time_series(&self) -> bool {
        Dataset::is_time_series(self)
    }

    fn group(&self, index: usize) -> Option<u64> {
        Dataset::group(self, index)
    }

    fn sample_weight(&self, index: usize) -> f32 {
        Dataset::sample_weight(self, index)
    }

    fn location(&self, index: usize) -> Option<String> {
        Dataset::location(self, index)
    }

    fn rounded_columns(&self) -> &[RoundedColumn] {
        Dataset::rounded_columns(self)
    }

    fn class_names(&self, target: usize) -> &[String] {
        Dataset::class_names(self, target)
    }

    fn missing_elements(&self, input: usize) -> &[usize] {
        Dataset::missing_elements(self, input)
    }

    fn unscaled_elements(&self, input: usize) -> &[usize] {
        Dataset::unscaled_elements(self, input)
    }

    fn batch(&self, indices: &[usize]) -> Result<Batch> {
        let mut inputs = D::Input::columns(indices.len());
        let mut targets = D::Target::columns(indices.len());
        for (place, &index) in indices.iter().enumerate() {
            self.sample(index, D::Input::row(&mut inputs, place), D::Target::row(&mut targets, place))?;
        }
        Ok(Batch {
            size: indices.len(),
            inputs: tensors(D::Input::SHAPES, D::Input::elements(inputs)),
            targets: tensors(D::Target::SHAPES, D::Target::elements(targets)),
            mixed: None,
        })
    }
}

fn tensors(shapes: &[Shape], elements: Vec<Elements>) -> Vec<BatchTensor> {
    shapes.iter().zip(elements).map(|(&shape, elements)| BatchTensor { shape, elements }).collect()
}
