//! Samples from vectors in memory.

use std::fmt;
use std::path::{Path, PathBuf};

use super::file::Origin;
use super::{Dataset, RoundedColumn};
use crate::error::{Error, Result};
use crate::loss::TargetKinds;
use crate::shape::{InputKind, InputKinds, Kinds, Shape, ordinal};

/// A data set in memory.
///
/// # Errors
/// [`InMemory::new`] rejects vectors that are not a whole number of samples, or different numbers of samples. The
/// values of each sample are checked when a run starts.
///
/// # Example
/// ```
/// use trainspec::data::{Dataset, InMemory};
/// use trainspec::{Class, Features};
///
/// // Exclusive or.
/// let inputs = vec![0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
/// let data = InMemory::<Features<2>, Class<2>>::new(inputs, vec![0, 1, 1, 0])?;
/// assert_eq!(data.len(), 4);
/// # Ok::<(), trainspec::Error>(())
/// ```
///
/// Several inputs or targets are a tuple of vectors:
///
/// ```
/// use trainspec::data::InMemory;
/// use trainspec::{Class, Features, Tokens, Values};
///
/// let inputs = (vec![0.5, 1.5], vec![4, 2, 7, 1, 1, 0]);
/// let targets = (vec![1, 0], vec![0.3, 0.8]);
/// let data = InMemory::<(Features<1>, Tokens<8, 3>), (Class<2>, Values<1>)>::new(inputs, targets)?;
/// # Ok::<(), trainspec::Error>(())
/// ```
pub struct InMemory<I: InputKinds, T: TargetKinds> {
    inputs: I::Columns,
    targets: T::Columns,
    samples: usize,
    /// The file that they were read from, if there is one.
    source: Option<Source>,
}

/// Where samples come from.
pub(super) struct Source {
    path: PathBuf,
    /// The samples whose line does not directly follow that of the previous sample, with their lines.
    lines: Vec<(usize, u64)>,
    last: u64,
    facts: Facts,
}

/// What is known about the values of a file.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) rounded: Vec<RoundedColumn>,
    /// For each target, the names of its classes.
    pub(super) class_names: Vec<Vec<String>>,
    /// For each input, the elements that may be missing, and those that are not normalized.
    pub(super) missing: Vec<Vec<usize>>,
    pub(super) unscaled: Vec<Vec<usize>>,
    /// The group of each sample, if they have groups.
    pub(super) groups: Vec<u64>,
}

impl Source {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), lines: Vec::new(), last: 0, facts: Facts::default() }
    }

    /// Records the line of the next sample.
    pub(super) fn add(&mut self, origin: &Origin, sample: usize, line: u64) -> Result<()> {
        if line != self.last + 1 {
            origin.reserve(&mut self.lines, 1)?;
            self.lines.push((sample, line));
        }
        self.last = line;
        Ok(())
    }

    pub(super) fn with_facts(self, facts: Facts) -> Self {
        Self { facts, ..self }
    }

    /// The line of a sample, from 1.
    fn line(&self, sample: usize) -> u64 {
        let after = self.lines.partition_point(|(first, _)| *first <= sample);
        let (first, line) = after.checked_sub(1).and_then(|at| self.lines.get(at)).copied().unwrap_or((0, 1));
        line + (sample - first) as u64
    }
}

impl<I: InputKinds, T: TargetKinds> InMemory<I, T> {
    /// Creates a data set from inputs and targets, each with one sample after the other; a tuple of vectors for several inputs or
    /// targets.
    ///
    /// # Errors
    /// If a vector is not a whole number of samples, or if the numbers of samples differ.
    pub fn new(inputs: I::Columns, targets: T::Columns) -> Result<Self> {
        let samples = whole::<I>("inputs", I::slices(&inputs))?;
        let answers = whole::<T>("targets", T::slices(&targets))?;
        if samples != answers {
            return Err(Error::Dataset(format!(
                "{samples} inputs, but {answers} targets; expected the same number of each"
            )));
        }
        Ok(Self { inputs, targets, samples, source: None })
    }

    /// The samples of a file.
    pub(super) fn from_file(inputs: I::Columns, targets: T::Columns, source: Source) -> Result<Self> {
        Ok(Self { source: Some(source), ..Self::new(inputs, targets)? })
    }

    fn fact<V>(&self, of: impl Fn(&Facts) -> &Vec<Vec<V>>, place: usize) -> &[V] {
        self.source.as_ref().and_then(|source| of(&source.facts).get(place)).map_or(&[], Vec::as_slice)
    }
}

impl<I: InputKind, T: TargetKinds> InMemory<I, T> {
    /// The same samples with `change` applied to each input value.
    #[must_use]
    pub fn map_inputs(mut self, change: impl Fn(I::Element) -> I::Element) -> Self {
        for number in &mut self.inputs {
            *number = change(*number);
        }
        self
    }
}

impl<I: InputKinds, T: TargetKinds> Dataset for InMemory<I, T> {
    type Input = I;
    type Target = T;

    fn len(&self) -> usize {
        self.samples
    }

    fn sample(
        &self,
        index: usize,
        input: <I as Kinds>::Row<'_>,
        target: <T as Kinds>::Row<'_>,
    ) -> Result<()> {
        if I::copy(&self.inputs, index, input) && T::copy(&self.targets, index, target) {
            return Ok(());
        }
        Err(Error::Dataset(format!("there is no sample {index}")))
    }

    fn group(&self, index: usize) -> Option<u64> {
        self.source.as_ref()?.facts.groups.get(index).copied()
    }

    fn location(&self, index: usize) -> Option<String> {
        let source = self.source.as_ref()?;
        Some(format!("{}:{}", source.path.display(), source.line(index)))
    }

    fn rounded_columns(&self) -> &[RoundedColumn] {
        self.source.as_ref().map_or(&[], |source| &source.facts.rounded)
    }

    fn class_names(&self, target: usize) -> &[String] {
        self.fact(|facts| &facts.class_names, target)
    }

    fn missing_elements(&self, input: usize) -> &[usize] {
        self.fact(|facts| &facts.missing, input)
    }

    fn unscaled_elements(&self, input: usize) -> &[usize] {
        self.fact(|facts| &facts.unscaled, input)
    }
}

impl<I: InputKinds, T: TargetKinds> fmt::Debug for InMemory<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = |names: &[&str], shapes: &[Shape]| {
            let kinds = names.iter().zip(shapes).map(|(name, shape)| format!("{name} {shape}"));
            kinds.collect::<Vec<_>>().join(", ")
        };
        let (inputs, targets) = (kinds(I::NAMES, I::SHAPES), kinds(T::NAMES, T::SHAPES));
        write!(f, "InMemory({} samples, {inputs} to {targets})", self.samples)
    }
}

/// The number of values of a kind for one sample, or why data cannot have that kind.
pub(super) fn size(kind: &str, shape: Shape) -> Result<usize> {
    let known = !shape.is_unknown() && !shape.axes().contains(&Shape::ANY);
    match shape.elements() {
        elements if known && elements > 0 => Ok(elements),
        _ => Err(Error::Dataset(format!(
            "the kind `{kind}` has the shape {shape}; expected a shape whose axes are known and above 0"
        ))),
    }
}

/// What is expected of a class or token, of which there are `known`; `found` is the invalid value.
pub(super) fn whole_number(known: usize, found: Option<f64>) -> String {
    // The most common mistake.
    let hint = if found == Some(known as f64) { "; if your values start at 1, subtract 1" } else { "" };
    format!("a whole number from 0 to {}{hint}", known.saturating_sub(1))
}

/// Copies sample `index` of consecutive samples, each as long as the buffer.
pub(super) fn row<T>(numbers: &[T], index: usize, length: usize) -> Result<&[T]> {
    let start = index.checked_mul(length);
    start
        .and_then(|start| numbers.get(start..start.checked_add(length)?))
        .ok_or_else(|| Error::Dataset(format!("there is no sample {index}")))
}

/// The number of samples of some columns; `what` is `inputs` or `targets`.
fn whole<K: Kinds>(what: &str, columns: K::Slices<'_>) -> Result<usize> {
    let columns = K::numbers(columns);
    let mut samples = None;
    for (place, ((kind, &shape), numbers)) in K::NAMES.iter().zip(K::SHAPES).zip(&*columns).enumerate() {
        let size = size(kind, shape)?;
        let numbers = numbers.len();
        let what = ordinal(what, place, columns.len());
        if !numbers.is_multiple_of(size) {
            return Err(Error::Dataset(format!(
                "the {what} have {numbers} values; expected a multiple of {size}, as `{kind}` is {shape}"
            )));
        }
        let found = numbers / size;
        match samples {
            Some(first) if first != found => {
                return Err(Error::Dataset(format!(
                    "the {what} are {found}, but the first are {first}; expected the same number of each"
                )));
            }
            _ => samples = Some(found),
        }
    }
    Ok(samples.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Class, Features, Image, Tokens, Values};

    #[test]
    fn samples_round_trip() {
        let inputs: Vec<f32> = (0..8).map(|i| i as f32).collect();
        let data = InMemory::<Image<1, 2, 2>, Class<3>>::new(inputs, vec![2, 0]).unwrap();
        let (mut input, mut target) = ([0.0; 4], [0]);
        data.sample(1, &mut input, &mut target).unwrap();
        assert_eq!((data.len(), input, target), (2, [4.0, 5.0, 6.0, 7.0], [0]));
        assert_eq!(
            data.sample(2, &mut input, &mut target).unwrap_err().to_string(),
            "data: there is no sample 2"
        );
    }

    #[test]
    fn vectors_with_wrong_length_are_rejected() {
        let problem = |inputs: usize, targets: usize| {
            InMemory::<Features<2>, Values<3>>::new(vec![0.0; inputs], vec![0.0; targets])
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            problem(5, 3),
            "data: the inputs have 5 values; expected a multiple of 2, as `Features` is [2]"
        );
        assert_eq!(
            problem(4, 5),
            "data: the targets have 5 values; expected a multiple of 3, as `Values` is [3]"
        );
        assert_eq!(problem(4, 3), "data: 2 inputs, but 1 targets; expected the same number of each");
        assert_eq!(
            InMemory::<Tokens<5, 0>, Class<2>>::new(vec![], vec![]).unwrap_err().to_string(),
            "data: the kind `Tokens` has the shape [0]; expected a shape whose axes are known and above 0"
        );
    }

    #[test]
    fn inputs_can_be_mapped() {
        let data = InMemory::<Features<1>, Values<1>>::new(vec![8.0], vec![1.0]).unwrap();
        let data = data.map_inputs(|x| x / 16.0);
        let (mut input, mut target) = ([0.0], [0.0]);
        data.sample(0, &mut input, &mut target).unwrap();
        assert_eq!((input, target), ([0.5], [1.0]));
    }
}
