mod partial;

use proptest::prelude::*;

use super::*;
use crate::data::{Dataset, InMemory};
use crate::{Class, Features, InputKind, Kind, Tokens, Values};

fn prepared<D: Dataset>(data: D) -> PreparedDataset {
    PreparedDataset::new(Box::new(data), 1).unwrap()
}

fn problem<D: Dataset>(data: D) -> String {
    match PreparedDataset::new(Box::new(data), 1) {
        Ok(_) => panic!("the data were taken"),
        Err(error) => without_part(&error.to_string()),
    }
}

/// Where the split is random, removes the part of a sample from the message.
fn without_part(problem: &str) -> String {
    ["training", "validation", "test"]
        .iter()
        .fold(problem.to_owned(), |problem, part| problem.replace(&format!(" of the {part} part: "), ": "))
}

/// Ten samples whose values are all different.
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
    fn epoch_visits_every_training_sample_once(seed: u64, epoch in 0_u64..1 << 40, samples in 2_usize..80) {
        let set = prepared(data(vec![0.0; 2 * samples], vec![0; samples]));
        let mut order = set.order(seed, epoch);
        prop_assert_eq!(&order, &set.order(seed, epoch));
        order.sort_unstable();
        prop_assert_eq!(order, set.train());
    }

    #[test]
    fn fingerprint_depends_on_every_value(place in 0_usize..30) {
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
    fn normalized_training_split_has_mean_0_and_deviation_1(
        inputs in prop::collection::vec(-1e6_f32..1e6, 20), whole: bool,
    ) {
        let normalization = if whole { Normalization::Whole } else { Normalization::PerElement };
        let set = prepared(fixed(data(inputs, ten().1)).with_normalization(normalization));
        let Elements::Float(numbers) = set.batch(set.train()).unwrap().inputs.remove(0).elements else {
            panic!("features are real");
        };
        let columns = if whole { 1 } else { 2 };
        for column in 0..columns {
            let numbers: Vec<f64> = numbers.iter().skip(column).step_by(columns).map(|&x| f64::from(x)).collect();
            let count = numbers.len() as f64;
            let mean = numbers.iter().sum::<f64>() / count;
            let deviation = (numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
            // The mean is stored as f32, off by at most 2^-24 of itself, which is far below 10^-4 deviations
            // unless all values lie within a thousandth of their range: a chance of 10^-15.
            prop_assert!(mean.abs() < 1e-4 && (deviation - 1.0).abs() < 1e-4, "{mean} {deviation}");
        }
    }
}

#[test]
fn sample_order_depends_on_epoch_and_seed() {
    let set = prepared(data(vec![0.0; 200], vec![0; 100]));
    assert_ne!(set.order(1, 0), set.order(1, 1));
    assert_ne!(set.order(1, 0), set.order(2, 0));
    assert_ne!(set.order(1, 0), set.train());
}

#[test]
fn fingerprint_depends_on_shapes_and_not_on_split() {
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

/// Checkpoints of an earlier version must be recognized. The value was computed with Python's `hashlib` and
/// `struct` over the layout that `fingerprint` documents.
#[test]
fn fingerprint_matches_recorded_value() {
    let (inputs, targets) = ten();
    assert_eq!(
        prepared(data(inputs, targets)).fingerprint(),
        "d50363f02abfcd02239fda9bcb57960656c77da2e924cfc3e9a2c5b71d3cf177"
    );
}

#[test]
fn normalizer_is_fitted_on_training_split_only() {
    let (mut inputs, targets) = ten();
    let fit = |inputs: &[f32]| {
        let data = fixed(data(inputs.to_vec(), targets.clone()));
        let set = prepared(data.with_normalization(Normalization::PerElement));
        set.normalizers().of(0).unwrap().clone()
    };
    let before = fit(&inputs);
    inputs[12..].fill(1e9);
    assert_eq!(fit(&inputs), before);
    inputs[11] = 1e9;
    assert_ne!(fit(&inputs), before);
}

#[test]
fn batch_keeps_requested_sample_order() {
    let (inputs, targets) = ten();
    let set = prepared(fixed(data(inputs, targets)));
    let batch = set.batch(&[7, 2]).unwrap();
    assert_eq!(batch.inputs[0].elements, Elements::Float(vec![196.0, 225.0, 16.0, 25.0]));
    assert_eq!(batch.targets[0].elements, Elements::Int(vec![1, 2]));
    assert!(set.normalizers().is_empty());
    assert_eq!(set.batch(&[10]).unwrap_err().to_string(), "data: there is no sample 10 of 10");
}

#[test]
fn class_counts_cover_training_split() {
    let (inputs, _) = ten();
    let set = prepared(fixed(data(inputs, vec![0, 0, 0, 2, 2, 0, 1, 1, 1, 1])));
    assert_eq!(set.class_counts(0), Some([4, 0, 2].as_slice()));
    let real = InMemory::<Features<1>, Values<1>>::new(vec![1.0; 10], vec![1.0; 10]).unwrap();
    assert_eq!(prepared(real).class_counts(0), None);
    let tokens = InMemory::<Tokens<3, 2>, Tokens<3, 2>>::new(vec![1; 20], vec![1; 20]).unwrap();
    assert_eq!(prepared(tokens).class_counts(0), None);
}

#[test]
fn large_data_set_is_read_in_chunks_without_gaps() {
    let inputs: Vec<f32> = (0..5002).map(|i| (i % 7) as f32).collect();
    let targets: Vec<u32> = (0..2501).map(|i| i % 3).collect();
    let split = Split::Fixed { train: 0..2500, validation: 2500..2501, test: 0..0 };
    let set = prepared(data(inputs.clone(), targets.clone()).with_split(split));
    assert_eq!(set.class_counts(0), Some([834, 833, 833].as_slice()));
    let mut late = targets;
    late[2401] = 3;
    assert_eq!(
        problem(data(inputs, late)),
        "data: sample 2401 (from 0): the target is 3; expected a whole number from 0 to 2; if your values start at 1, subtract 1"
    );
}

/// A kind that a model can have, but data cannot.
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
fn invalid_data_are_rejected_before_first_step() {
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
        "data: sample 4 (from 0): the target is 3; expected a whole number from 0 to 2; if your values start at 1, \
         subtract 1"
    );
    let mut higher = targets.clone();
    higher[4] = 4;
    assert_eq!(
        problem(data(inputs.clone(), higher)),
        "data: sample 4 (from 0): the target is 4; expected a whole number from 0 to 2"
    );
    let tokens = || InMemory::<Tokens<3, 2>, Class<2>>::new(vec![0, 1, 2, 3], vec![0, 1]).unwrap();
    assert_eq!(
        problem(tokens()),
        "data: sample 1 (from 0): element 1 of the input is 3; expected a whole number from 0 to 2; if your values \
         start at 1, subtract 1"
    );
    assert_eq!(
        problem(tokens().with_normalization(Normalization::Whole)),
        "data: the inputs are tokens, which cannot be normalized; expected `Normalization::None`, found \
         `Whole`"
    );
    assert_eq!(
        problem(tokens().with_input_range(0.0..=2.0)),
        "data: the inputs are tokens, whose range is set by their kind; expected no `input_range`"
    );
    assert_eq!(
        problem(data(inputs.clone(), targets.clone()).with_input_range(0.0..=255.0)),
        "data: sample 8 (from 0): element 0 of the input is 256; expected 0 to 255, the `input_range` of the data"
    );
    assert_eq!(
        problem(with(18, f32::NAN).with_input_range(0.0..=1e3)),
        "data: sample 9 (from 0): element 0 of the input is NaN; expected a finite number"
    );
    assert_eq!(
        problem(data(inputs.clone(), targets.clone()).with_input_range(1.0..=f32::NAN)),
        "data: the `input_range` is 1 to NaN, which contains no number; expected the smallest number first, such as `0.0..=1.0`"
    );
    assert_eq!(
        problem(InMemory::<Features<1>, Class<0>>::new(vec![0.0; 2], vec![0; 2]).unwrap()),
        "data: the target holds whole numbers, but its kind has 0 of them; expected at least one class or \
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

/// Each part, as messages name it.
#[test]
fn input_infinite_after_normalization_is_rejected() {
    let mut inputs: Vec<f32> = (0..20).map(|i| (i % 3) as f32 * 1e-3).collect();
    inputs[19] = -1e38;
    let [mut near, far] = [inputs.clone(), inputs];
    near[19] = -1e34;
    let with = |inputs: Vec<f32>| fixed(data(inputs, ten().1)).with_normalization(Normalization::PerElement);
    let said = PreparedDataset::new(Box::new(with(far.clone())), 1).err().unwrap().to_string();
    assert!(
        said.starts_with(
            "data: sample 9 (from 0) of the test part: element 1 of the input is -1e38, which becomes infinite when normalized by \
             the mean "
        ),
        "{said}"
    );
    // With the normalizer of another run too.
    let normalizer = prepared(with(near)).normalizers().clone();
    let plain = prepared(fixed(data(far, ten().1)));
    assert!(plain.with_normalizers(normalizer).is_err());
}

#[test]
fn split_with_all_labels_ignored_is_rejected() {
    let (inputs, _) = ten();
    let ignoring = |targets: Vec<u32>| {
        let data = data(inputs.clone(), targets).with_split(Split::Fixed {
            train: 0..6,
            validation: 6..10,
            test: 0..0,
        });
        PreparedDataset::ignoring(Box::new(data), 0, Some(9)).map(|_| ()).map_err(|error| error.to_string())
    };
    let mut targets = vec![9; 10];
    targets[7] = 1;
    assert_eq!(
        ignoring(targets.clone()).unwrap_err(),
        "data: every target of the 6 training samples is 9, which the loss ignores, or has the weight 0; nothing could be \
         learned"
    );
    targets[2] = 1;
    assert_eq!(ignoring(targets.clone()), Ok(()));
    targets[7] = 9;
    assert_eq!(
        ignoring(targets).unwrap_err(),
        "data: every target of the 4 validation samples is 9, which the loss ignores, or has the weight 0; their loss is not \
         defined; label some, or split the data differently"
    );
}
