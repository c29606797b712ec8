//! What a data set is.

use std::ops::RangeInclusive;

use super::adapt::{Change, WithOverrides};
use super::{Batch, BatchTensor, Normalization, RoundedColumn, Split};
use crate::error::Result;
use crate::loss::TargetKind;
use crate::shape::{Element, InputKind, Kind, Shape};

/// A finite set of samples, each an input and its target.
///
/// A set of your own says how many samples it has and writes one into a buffer:
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a data set",
    label = "expected data, such as `Digits8x8::embedded()`, `Csv::open(\"file.csv\").read::<Features<4>, Class<3>>()`, `InMemory::new(…)`",
    note = "a type becomes one by implementing `trainspec::data::Dataset`"
)]
pub trait Dataset: Send + Sync + 'static {
    /// The kind of the inputs; the model's input is of the same.
    type Input: InputKind;
    /// The kind of the targets.
    type Target: TargetKind;

    /// The number of samples.
    fn len(&self) -> usize;

    /// Whether there is no sample.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes sample `index`, which is below [`Dataset::len`], into buffers of the kinds' sizes.
    fn sample(
        &self,
        index: usize,
        input: &mut [<Self::Input as Kind>::Element],
        target: &mut [<Self::Target as Kind>::Element],
    ) -> Result<()>;

    /// Which samples are for training, validation and test; by default a random tenth each for the last two.
    fn split(&self) -> Split {
        Split::DEFAULT
    }

    /// What is done to the inputs before the model sees them; by default nothing.
    fn normalization(&self) -> Normalization {
        Normalization::None
    }

    /// Between which numbers every number of every input lies, before normalization; `None`, the default, if nothing is
    /// known of it. A run whose data have another number is refused before its first step: a pixel of 255 where 1 is the
    /// largest, a temperature in Fahrenheit, the -999 of a missing value.
    ///
    /// Both ends belong to the range; either may be infinite. A range with no number in it, one with NaN, and any range for
    /// inputs that are tokens are refused before the first step.
    fn input_range(&self) -> Option<RangeInclusive<f32>> {
        None
    }

    /// Whether the samples follow each other in time, sample 0 being the earliest; by default not.
    ///
    /// If they do, no sample to learn from may come after one to validate or test with, since the run would be judged by
    /// what it has already seen the sequel of: a run says so with [`Advice::ShuffledSeries`](crate::keys::Advice).
    /// [`Split::InOrder`] divides such data. The order in which a run takes the samples that it learns from is a new one in
    /// every epoch; a sample of a series is a window with all of the past that its target needs.
    fn is_time_series(&self) -> bool {
        false
    }

    /// Where a sample comes from, for messages: `flowers.csv:17`. `None`, the default, if there is nothing to say.
    fn location(&self, index: usize) -> Option<String> {
        let _ = index;
        None
    }

    /// The columns that lost more than half of their distinct values when they were rounded to f32, which a run advises on.
    /// None by default; [`Csv`](super::Csv) finds them.
    fn rounded_columns(&self) -> &[RoundedColumn] {
        &[]
    }

    /// The same samples, divided another way.
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

    /// The same samples, normalized another way.
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

    /// The same samples, of whose inputs it is known between which numbers they lie: [`Dataset::input_range`].
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

    /// The same samples, which follow each other in time: [`Dataset::is_time_series`].
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

    /// The data set, or why there is none.
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

/// A data set of any kind: what a run holds.
pub trait AnyDataset: Send + Sync {
    /// [`Dataset::len`]
    fn len(&self) -> usize;
    /// Whether there is no sample.
    fn is_empty(&self) -> bool;
    /// One input's shape.
    fn input_shape(&self) -> Shape;
    /// One target's shape.
    fn target_shape(&self) -> Shape;
    /// [`Dataset::split`]
    fn split(&self) -> Split;
    /// [`Dataset::normalization`]
    fn normalization(&self) -> Normalization;
    /// [`Dataset::input_range`]
    fn input_range(&self) -> Option<RangeInclusive<f32>>;
    /// [`Dataset::is_time_series`]
    fn is_time_series(&self) -> bool;
    /// [`Dataset::location`]
    fn location(&self, index: usize) -> Option<String>;
    /// [`Dataset::rounded_columns`]
    fn rounded_columns(&self) -> &[RoundedColumn];
    /// The samples of these numbers, as they are in the set.
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

    fn input_shape(&self) -> Shape {
        D::Input::SHAPE
    }

    fn target_shape(&self) -> Shape {
        D::Target::SHAPE
    }

    fn split(&self) -> Split {
        Dataset::split(self)
    }

    fn normalization(&self) -> Normalization {
        Dataset::normalization(self)
    }

    fn input_range(&self) -> Option<RangeInclusive<f32>> {
        Dataset::input_range(self)
    }

    fn is_time_series(&self) -> bool {
        Dataset::is_time_series(self)
    }

    fn location(&self, index: usize) -> Option<String> {
        Dataset::location(self, index)
    }

    fn rounded_columns(&self) -> &[RoundedColumn] {
        Dataset::rounded_columns(self)
    }

    fn batch(&self, indices: &[usize]) -> Result<Batch> {
        let (input_shape, target_shape) = (D::Input::SHAPE, D::Target::SHAPE);
        let (input_size, target_size) = (input_shape.elements(), target_shape.elements());
        let mut inputs = vec![Default::default(); indices.len() * input_size];
        let mut targets = vec![Default::default(); indices.len() * target_size];
        // `chunks_exact_mut` refuses a size of 0, which a kind with an empty axis would have.
        let rows =
            inputs.chunks_exact_mut(input_size.max(1)).zip(targets.chunks_exact_mut(target_size.max(1)));
        for (&index, (input, target)) in indices.iter().zip(rows) {
            self.sample(index, input, target)?;
        }
        Ok(Batch {
            size: indices.len(),
            input: BatchTensor { shape: input_shape, elements: Element::column(inputs) },
            target: BatchTensor { shape: target_shape, elements: Element::column(targets) },
            mixed: None,
        })
    }
}
