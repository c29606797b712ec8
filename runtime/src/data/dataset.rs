//! What a data set is.

use super::{Batch, Column, Normalization, Split, WithNormalization, WithSplit};
use crate::error::Result;
use crate::shape::{Element, InputKind, Kind, Shape, TargetKind};

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
    message = "`{Self}` is no data set",
    label = "expected data, such as `Digits8x8::embedded()`, `Csv::open(\"file.csv\")`, `InMemory::new(…)`",
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

    /// The same samples, divided another way.
    ///
    /// ```
    /// use trainspec::data::{Dataset, Digits8x8, Split};
    ///
    /// let data = Digits8x8::embedded()?.with_split(Split::Random { validation: 0.2, test: 0.0 });
    /// assert_eq!(data.split(), Split::Random { validation: 0.2, test: 0.0 });
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    fn with_split(self, split: Split) -> WithSplit<Self>
    where
        Self: Sized,
    {
        WithSplit { data: self, split }
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
    fn with_normalization(self, normalization: Normalization) -> WithNormalization<Self>
    where
        Self: Sized,
    {
        WithNormalization { data: self, normalization }
    }
}

/// What `data:` in a spec may evaluate to: a data set, or the result of opening one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no data set",
    label = "expected data, such as `Digits8x8::embedded()`, `Csv::open(\"file.csv\")`, `InMemory::new(…)`",
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
            input: Column { shape: input_shape, elements: Element::column(inputs) },
            target: Column { shape: target_shape, elements: Element::column(targets) },
            mixed: None,
        })
    }
}
