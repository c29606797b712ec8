//! Data that were looked through before the first step.

use sha2::{Digest, Sha256};

use super::memory::size;
use super::normalizer::Moments;
use super::shared::Inputs;
use super::split::Parts;
use super::{AnyDataset, Batch, Column, Elements, Normalization, Normalizer, Split};
use crate::error::{Error, Result};
use crate::hash::hex;
use crate::rng::{Moment, Purpose, Stream};
use crate::shape::Shape;

/// A data set that is ready for a run: divided, checked, and with its normalizer.
///
/// [`Prepared::new`] reads every sample once. What it finds wrong would else show itself hours later, or
/// never:
///
/// - a split that cannot be, or that leaves nothing to learn from;
/// - a number that is NaN or infinite;
/// - a class or token that the kind does not have.
///
/// It fits the normalizer on the training part alone, and takes a fingerprint, so that a run is not
/// resumed on other data. An empty validation or test part is allowed.
///
/// # Example
/// ```
/// use trainspec::data::{Dataset, Digits8x8, Normalization, Prepared};
///
/// let digits = Digits8x8::embedded()?.with_normalization(Normalization::Whole);
/// let data = Prepared::new(Box::new(digits), 42)?;
/// assert_eq!(data.train().len(), 1287);
///
/// let order = data.order(42, 1);
/// let batch = data.batch(&order[..32])?;
/// assert_eq!((batch.size, batch.input.shape.axes()), (32, [1, 8, 8].as_slice()));
/// # Ok::<(), trainspec::Error>(())
/// ```
pub struct Prepared {
    data: Box<dyn AnyDataset>,
    parts: Parts,
    normalizer: Option<Normalizer>,
    fingerprint: String,
    class_counts: Option<Vec<usize>>,
    profile: Option<Normalizer>,
    shared: usize,
}

impl Prepared {
    /// Divides, reads and checks a data set for a run with this seed, which a random split depends on.
    ///
    /// # Errors
    /// If the data cannot be used; see [`Prepared`]. Samples are numbered from 0.
    pub fn new(data: Box<dyn AnyDataset>, seed: u64) -> Result<Self> {
        Self::ignoring(data, seed, None)
    }

    /// The same for a loss that ignores a target, which need not be a class then.
    ///
    /// # Errors
    /// As [`Prepared::new`].
    pub fn ignoring(data: Box<dyn AnyDataset>, seed: u64, ignored: Option<u32>) -> Result<Self> {
        let (input, target) = (data.input_shape(), data.target_shape());
        let parts = data.split().resolve(data.len(), seed)?;
        let mut survey = Survey::new(data.as_ref(), &parts)?;
        // As many samples at a time as make about a million numbers.
        let sizes = input.elements().saturating_add(target.elements());
        let at_once = (1_000_000 / sizes).clamp(1, 1000);
        let mut indices = Vec::new();
        for start in (0..data.len()).step_by(at_once) {
            indices.clear();
            indices.extend(start..data.len().min(start + at_once));
            survey.look(start, &data.batch(&indices)?, ignored)?;
        }
        let normalizer = match data.normalization() {
            Normalization::None => None,
            Normalization::PerElement => Some(survey.moments.per_element()?),
            Normalization::Whole => Some(survey.moments.whole()?),
        };
        let fingerprint = survey.fingerprint(input, target, data.len());
        // Numbers so large that they have no mean in f32 have no profile; a normalizer would have said so.
        let profile = input.vocabulary().is_none().then(|| survey.moments.per_element().ok()).flatten();
        let shared = survey.samples.shared(&parts);
        let class_counts = survey.class_counts;
        Ok(Self { data, parts, normalizer, fingerprint, class_counts, profile, shared })
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

    /// How the data set was divided.
    pub fn split(&self) -> Split {
        self.data.split()
    }

    /// The same data under another normalizer, that of a trained model.
    ///
    /// # Errors
    /// If it belongs to inputs of another size.
    pub fn with_normalizer(mut self, normalizer: Option<Normalizer>) -> Result<Self> {
        let elements = self.input_shape().elements();
        if normalizer.as_ref().is_some_and(|normalizer| !normalizer.fits(elements)) {
            let problem = format!("the model's normalization is not for inputs of {elements} numbers");
            return Err(Error::Dataset(problem));
        }
        self.normalizer = normalizer;
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

    /// How many samples of the other parts have the input of a training sample.
    pub(crate) fn shared(&self) -> usize {
        self.shared
    }

    /// The training samples in the order of an epoch, counted from 1: a permutation from the run's seed and the
    /// epoch alone.
    pub fn order(&self, seed: u64, epoch: u64) -> Vec<usize> {
        let at = Moment { step: epoch, micro_batch: 0 };
        let order = Stream::new(seed, Purpose::Shuffle, "").permutation(at, self.parts.train.len());
        order.into_iter().filter_map(|place| self.parts.train.get(place).copied()).collect()
    }

    /// Samples of these numbers, normalized.
    ///
    /// # Errors
    /// If there is no such sample, or if one cannot be read.
    pub fn batch(&self, indices: &[usize]) -> Result<Batch> {
        if let Some(index) = indices.iter().find(|index| **index >= self.data.len()) {
            return Err(Error::Dataset(format!("there is no sample {index} of {}", self.data.len())));
        }
        let mut batch = self.data.batch(indices)?;
        if let (Some(normalizer), Elements::Real(numbers)) = (&self.normalizer, &mut batch.input.elements) {
            normalizer.apply(numbers);
        }
        Ok(batch)
    }
}

/// What is gathered while every sample is read once, in order.
struct Survey {
    learned: Vec<bool>,
    moments: Moments,
    class_counts: Option<Vec<usize>>,
    inputs: Sha256,
    targets: Sha256,
    samples: Inputs,
}

impl Survey {
    fn new(data: &dyn AnyDataset, parts: &Parts) -> Result<Self> {
        let (input, target) = (data.input_shape(), data.target_shape());
        let elements = size("input", input)?;
        size("target", target)?;
        let normalization = data.normalization();
        if normalization != Normalization::None && input.vocabulary().is_some() {
            return Err(Error::Dataset(format!(
                "the inputs are tokens, which cannot be normalized; expected `Normalization::None`, found \
                 `{normalization:?}`"
            )));
        }
        let mut learned = vec![false; data.len()];
        for &index in &parts.train {
            if let Some(learned) = learned.get_mut(index) {
                *learned = true;
            }
        }
        Ok(Self {
            learned,
            moments: Moments::new(if input.vocabulary().is_some() { 0 } else { elements }),
            class_counts: target.vocabulary().filter(|_| target.rank() == 0).map(|classes| vec![0; classes]),
            inputs: Sha256::new(),
            targets: Sha256::new(),
            samples: Inputs::default(),
        })
    }

    /// Looks at samples from number `start` on.
    fn look(&mut self, start: usize, batch: &Batch, ignored: Option<u32>) -> Result<()> {
        check("input", start, &batch.input, None)?;
        check("target", start, &batch.target, ignored)?;
        let inputs = bytes(&batch.input.elements);
        self.samples.add(&inputs, batch.size);
        self.inputs.update(inputs);
        self.targets.update(bytes(&batch.target.elements));
        let learned = self.learned.get(start..).unwrap_or_default();
        if let Elements::Real(numbers) = &batch.input.elements {
            let samples = numbers.chunks(batch.input.shape.elements());
            for (sample, _) in samples.zip(learned).filter(|(_, learned)| **learned) {
                self.moments.add(sample);
            }
        }
        if let (Some(counts), Elements::Whole(classes)) = (&mut self.class_counts, &batch.target.elements) {
            for (&class, _) in classes.iter().zip(learned).filter(|(_, learned)| **learned) {
                if let Some(count) = counts.get_mut(class as usize) {
                    *count += 1;
                }
            }
        }
        Ok(())
    }

    /// SHA-256 of a name, then for inputs and targets: the number of samples, the vocabulary (0 if real),
    /// the rank and the axes as u64, and the SHA-256 of all numbers; everything little-endian.
    fn fingerprint(&self, input: Shape, target: Shape, samples: usize) -> String {
        let mut hash = Sha256::new();
        // A change to the layout changes this name.
        hash.update(b"trainspec data 1");
        for (shape, numbers) in [(input, &self.inputs), (target, &self.targets)] {
            let vocabulary = shape.vocabulary().unwrap_or(0);
            for number in [samples, vocabulary, shape.rank()].iter().chain(shape.axes()) {
                hash.update((*number as u64).to_le_bytes());
            }
            hash.update(numbers.clone().finalize());
        }
        hex(&hash.finalize())
    }
}

fn bytes(numbers: &Elements) -> Vec<u8> {
    match numbers {
        Elements::Real(reals) => reals.iter().flat_map(|real| real.to_le_bytes()).collect(),
        Elements::Whole(wholes) => wholes.iter().flat_map(|whole| whole.to_le_bytes()).collect(),
    }
}

/// Whether every number is one that the kind can have.
fn check(what: &str, start: usize, column: &Column, ignored: Option<u32>) -> Result<()> {
    let size = column.shape.elements();
    let wrong = |place: usize, found: String, expected: String| {
        let place_in_sample = match column.shape.rank() {
            0 => String::new(),
            _ => format!("element {} of ", place % size),
        };
        Error::Dataset(format!(
            "sample {} (from 0): {place_in_sample}the {what} is {found}; expected {expected}",
            start + place / size
        ))
    };
    match &column.elements {
        Elements::Real(reals) => match reals.iter().position(|real| !real.is_finite()) {
            Some(place) => {
                let found = reals.get(place).map(ToString::to_string).unwrap_or_default();
                Err(wrong(place, found, "a finite number".to_owned()))
            }
            None => Ok(()),
        },
        Elements::Whole(wholes) => {
            let Some(known) = column.shape.vocabulary() else {
                return Err(Error::Dataset(format!(
                    "the {what} is of whole numbers, but its kind has 0 of them; expected at least one class or \
                     token"
                )));
            };
            let is_wrong = |whole: u32| whole as usize >= known && ignored != Some(whole);
            match (0..).zip(wholes).find(|(_, whole)| is_wrong(**whole)) {
                Some((place, whole)) => {
                    Err(wrong(place, whole.to_string(), format!("a whole number from 0 to {}", known - 1)))
                }
                None => Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{Dataset, InMemory};
    use crate::{Class, Features, InputKind, Kind, Tokens, Values};

    fn prepared<D: Dataset>(data: D) -> Prepared {
        Prepared::new(Box::new(data), 1).unwrap()
    }

    fn problem<D: Dataset>(data: D) -> String {
        match Prepared::new(Box::new(data), 1) {
            Ok(_) => panic!("the data were taken"),
            Err(error) => error.to_string(),
        }
    }

    /// Ten samples whose numbers are all different.
    fn ten() -> (Vec<f32>, Vec<u32>) {
        ((0..20).map(|i| (i * i) as f32).collect(), (0..10).map(|i| i % 3).collect())
    }

    fn data(inputs: Vec<f32>, targets: Vec<u32>) -> InMemory<Features<2>, Class<3>> {
        InMemory::new(inputs, targets).unwrap()
    }

    fn fixed(data: impl Dataset) -> impl Dataset {
        data.with_split(Split::Fixed { train: 0..6, validation: 6..8, test: 8..10 })
    }

    proptest! {
        #[test]
        fn an_epoch_has_every_training_sample_once(seed: u64, epoch in 0_u64..1 << 40, samples in 2_usize..80) {
            let set = prepared(data(vec![0.0; 2 * samples], vec![0; samples]));
            let mut order = set.order(seed, epoch);
            prop_assert_eq!(&order, &set.order(seed, epoch));
            order.sort_unstable();
            prop_assert_eq!(order, set.train());
        }

        #[test]
        fn the_fingerprint_changes_with_any_number(place in 0_usize..30) {
            let (mut inputs, mut targets) = ten();
            let before = prepared(data(inputs.clone(), targets.clone()));
            match inputs.get_mut(place) {
                Some(input) => *input = -*input - 0.5,
                None => targets[place - 20] = (targets[place - 20] + 1) % 3,
            }
            let after = prepared(data(inputs, targets));
            prop_assert_ne!(before.fingerprint(), after.fingerprint());
        }

        #[test]
        fn the_training_part_has_mean_0_and_deviation_1(
            inputs in prop::collection::vec(-1e6_f32..1e6, 20), whole: bool,
        ) {
            let normalization = if whole { Normalization::Whole } else { Normalization::PerElement };
            let set = prepared(fixed(data(inputs, ten().1)).with_normalization(normalization));
            let Elements::Real(numbers) = set.batch(set.train()).unwrap().input.elements else {
                panic!("features are real");
            };
            let columns = if whole { 1 } else { 2 };
            for column in 0..columns {
                let numbers: Vec<f64> = numbers.iter().skip(column).step_by(columns).map(|&x| f64::from(x)).collect();
                let count = numbers.len() as f64;
                let mean = numbers.iter().sum::<f64>() / count;
                let deviation = (numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
                // The mean is kept as f32, off by at most 2^-24 of itself, which is far below 10^-4 deviations
                // unless all numbers lie within a thousandth of their range: a chance of 10^-15.
                prop_assert!(mean.abs() < 1e-4 && (deviation - 1.0).abs() < 1e-4, "{mean} {deviation}");
            }
        }
    }

    #[test]
    fn epochs_and_seeds_have_orders_of_their_own() {
        let set = prepared(data(vec![0.0; 200], vec![0; 100]));
        assert_ne!(set.order(1, 0), set.order(1, 1));
        assert_ne!(set.order(1, 0), set.order(2, 0));
        assert_ne!(set.order(1, 0), set.train());
    }

    #[test]
    fn the_fingerprint_knows_shapes_and_not_the_split() {
        let (inputs, targets) = ten();
        let first = prepared(data(inputs.clone(), targets.clone()));
        assert_eq!(first.fingerprint().len(), 64);
        let other_split = prepared(fixed(data(inputs.clone(), targets.clone())));
        assert_eq!(first.fingerprint(), other_split.fingerprint());
        let more_classes =
            prepared(InMemory::<Features<2>, Class<4>>::new(inputs.clone(), targets.clone()).unwrap());
        assert_ne!(first.fingerprint(), more_classes.fingerprint());
        let images = InMemory::<crate::Image<1, 1, 2>, Class<3>>::new(inputs, targets).unwrap();
        assert_ne!(first.fingerprint(), prepared(images).fingerprint());
    }

    /// Checkpoints of an earlier version must be recognized. The number is from Python's `hashlib` and
    /// `struct` over the layout that `fingerprint` describes.
    #[test]
    fn the_fingerprint_stays_what_it_was() {
        let (inputs, targets) = ten();
        assert_eq!(
            prepared(data(inputs, targets)).fingerprint(),
            "d50363f02abfcd02239fda9bcb57960656c77da2e924cfc3e9a2c5b71d3cf177"
        );
    }

    #[test]
    fn only_training_samples_are_learned_from() {
        let (mut inputs, targets) = ten();
        let fit = |inputs: &[f32]| {
            let data = fixed(data(inputs.to_vec(), targets.clone()));
            let set = prepared(data.with_normalization(Normalization::PerElement));
            set.normalizer().unwrap().clone()
        };
        let before = fit(&inputs);
        inputs[12..].fill(1e9);
        assert_eq!(fit(&inputs), before);
        inputs[11] = 1e9;
        assert_ne!(fit(&inputs), before);
    }

    #[test]
    fn a_batch_is_what_was_asked_for_in_its_order() {
        let (inputs, targets) = ten();
        let set = prepared(fixed(data(inputs, targets)));
        let batch = set.batch(&[7, 2]).unwrap();
        assert_eq!(batch.input.elements, Elements::Real(vec![196.0, 225.0, 16.0, 25.0]));
        assert_eq!(batch.target.elements, Elements::Whole(vec![1, 2]));
        assert_eq!(set.normalizer(), None);
        assert_eq!(set.batch(&[10]).unwrap_err().to_string(), "data: there is no sample 10 of 10");
    }

    #[test]
    fn classes_are_counted_in_the_training_part() {
        let (inputs, _) = ten();
        let set = prepared(fixed(data(inputs, vec![0, 0, 0, 2, 2, 0, 1, 1, 1, 1])));
        assert_eq!(set.class_counts(), Some([4, 0, 2].as_slice()));
        let real = InMemory::<Features<1>, Values<1>>::new(vec![1.0; 10], vec![1.0; 10]).unwrap();
        assert_eq!(prepared(real).class_counts(), None);
        let tokens = InMemory::<Tokens<3, 2>, Tokens<3, 2>>::new(vec![1; 20], vec![1; 20]).unwrap();
        assert_eq!(prepared(tokens).class_counts(), None);
    }

    #[test]
    fn large_sets_are_read_in_pieces_without_a_seam() {
        let inputs: Vec<f32> = (0..5002).map(|i| (i % 7) as f32).collect();
        let targets: Vec<u32> = (0..2501).map(|i| i % 3).collect();
        let split = Split::Fixed { train: 0..2500, validation: 2500..2501, test: 0..0 };
        let set = prepared(data(inputs.clone(), targets.clone()).with_split(split));
        assert_eq!(set.class_counts(), Some([834, 833, 833].as_slice()));
        let mut late = targets;
        late[2401] = 3;
        assert_eq!(
            problem(data(inputs, late)),
            "data: sample 2401 (from 0): the target is 3; expected a whole number from 0 to 2"
        );
    }

    /// A kind that can be a part of a model, and no data.
    struct Unknown;

    impl Kind for Unknown {
        type Element = f32;
        const NAME: &'static str = "Unknown";
        const SHAPE: Shape = Shape::of(&[Shape::ANY]);
    }
    impl InputKind for Unknown {}

    struct Endless;

    impl Dataset for Endless {
        type Input = Unknown;
        type Target = Class<2>;

        fn len(&self) -> usize {
            10
        }
        fn sample(&self, _: usize, _: &mut [f32], _: &mut [u32]) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_wrong_with_data_is_told_before_the_first_step() {
        let (inputs, targets) = ten();
        let with = |place: usize, number: f32| {
            let mut inputs = inputs.clone();
            inputs[place] = number;
            data(inputs, targets.clone())
        };
        assert_eq!(
            problem(with(5, f32::NAN)),
            "data: sample 2 (from 0): element 1 of the input is NaN; expected a finite number"
        );
        assert_eq!(
            problem(with(18, f32::NEG_INFINITY)),
            "data: sample 9 (from 0): element 0 of the input is -inf; expected a finite number"
        );
        let real = InMemory::<Features<1>, Values<1>>::new(vec![0.0; 2], vec![1.0, f32::NAN]).unwrap();
        assert_eq!(
            problem(real),
            "data: sample 1 (from 0): element 0 of the target is NaN; expected a finite number"
        );
        let mut high = targets.clone();
        high[4] = 3;
        assert_eq!(
            problem(data(inputs.clone(), high)),
            "data: sample 4 (from 0): the target is 3; expected a whole number from 0 to 2"
        );
        let tokens = || InMemory::<Tokens<3, 2>, Class<2>>::new(vec![0, 1, 2, 3], vec![0, 1]).unwrap();
        assert_eq!(
            problem(tokens()),
            "data: sample 1 (from 0): element 1 of the input is 3; expected a whole number from 0 to 2"
        );
        assert_eq!(
            problem(tokens().with_normalization(Normalization::Whole)),
            "data: the inputs are tokens, which cannot be normalized; expected `Normalization::None`, found \
             `Whole`"
        );
        assert_eq!(
            problem(InMemory::<Features<1>, Class<0>>::new(vec![0.0; 2], vec![0; 2]).unwrap()),
            "data: the target is of whole numbers, but its kind has 0 of them; expected at least one class or \
             token"
        );
        assert_eq!(
            problem(Endless),
            "data: the kind `input` has the shape [any]; expected a shape whose axes are known and above 0"
        );
        assert_eq!(
            problem(data(vec![], vec![])),
            "data: split: none of the 0 samples is for training; expected at least one"
        );
    }
}
