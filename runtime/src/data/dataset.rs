//! What a data set is.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Batch, Column};
use crate::error::Result;
use crate::shape::{Element, InputKind, Kind, TargetKind};

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
}

/// How a data set is divided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Split {
    /// At random, from the run's seed: these shares for validation and test, the rest for training.
    Random {
        /// `0 <= validation < 1`
        validation: f64,
        /// `0 <= test < 1`; both together below 1.
        test: f64,
    },
    /// Fixed ranges of sample numbers, for data whose order matters or whose test part is given. They must
    /// not overlap.
    Fixed {
        /// Samples to learn from.
        train: Range<usize>,
        /// Samples that steer the run: early stopping, best weights.
        validation: Range<usize>,
        /// Samples that are looked at once, at the end.
        test: Range<usize>,
    },
}

impl Split {
    /// A random tenth for validation and another for test.
    pub const DEFAULT: Self = Self::Random { validation: 0.1, test: 0.1 };
}

/// What is done to the inputs, with numbers that come from the training part only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Normalization {
    /// Inputs stay as they are.
    None,
    /// Each element of the input has mean 0 and deviation 1 over the training samples; one that is
    /// constant there becomes 0.
    PerElement,
    /// All elements together have mean 0 and deviation 1: for images, whose pixels are alike.
    Whole,
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
        })
    }
}
