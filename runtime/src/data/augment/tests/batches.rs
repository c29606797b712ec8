//! Rules in the batches of data.

use super::super::*;
use crate::config::Config;
use crate::data::{Dataset, Elements, InMemory, Normalization, PreparedDataset, Split};
use crate::shape::{Class, ClassMap, Features, Image, Tokens, Values};

fn prepared<D: Dataset>(data: D) -> PreparedDataset {
    let count = data.len();
    PreparedDataset::new(
        Box::new(data.with_split(Split::Fixed { train: 0..count, validation: 0..0, test: 0..0 })),
        1,
    )
    .unwrap()
}

fn reals(column: &crate::data::BatchTensor) -> &[f32] {
    match &column.elements {
        Elements::Float(values) => values,
        Elements::Int(_) => panic!("real values"),
    }
}

fn images() -> InMemory<Image<1, 4, 4>, Class<2>> {
    let values = (0..20 * 16).map(|place| (place * 37 % 101) as f32 / 101.0).collect();
    InMemory::new(values, [0, 1].repeat(10)).unwrap()
}

fn rules() -> Vec<Box<dyn AnyAugment>> {
    vec![
        Box::new(RandomCrop { padding: 1 }),
        Box::new(FlipHorizontal),
        Box::new(GaussianNoise { std: 0.1 }),
        Box::new(RandAugment),
    ]
}

/// Seen to fail when draws depend on the place in the batch.
#[test]
fn draws_do_not_depend_on_batches() {
    let data = prepared(images().with_normalization(Normalization::Whole));
    let rules = rules();
    let augmentation = Augmentation::new(&rules, 3, &data, &[None]).unwrap();
    let order = data.order(3, 2);
    let whole = data.augmented(&order, &augmentation, 2, 0).unwrap();
    for size in [1, 3, 7] {
        let batches = order.chunks(size).enumerate();
        let parts =
            batches.map(|(batch, indices)| data.augmented(indices, &augmentation, 2, batch * size).unwrap());
        let values: Vec<f32> = parts.flat_map(|batch| reals(&batch.inputs[0]).to_vec()).collect();
        assert_eq!(values, reals(&whole.inputs[0]), "batches of {size}");
    }
    assert_ne!(
        reals(&data.augmented(&order, &augmentation, 3, 0).unwrap().inputs[0]),
        reals(&whole.inputs[0])
    );
    let other = Augmentation::new(&rules, 4, &data, &[None]).unwrap();
    assert_ne!(reals(&data.augmented(&order, &other, 2, 0).unwrap().inputs[0]), reals(&whole.inputs[0]));
    // A sample that is drawn twice is changed in two ways.
    let twice = data.augmented(&[5, 5], &augmentation, 1, 0).unwrap();
    let (first, second) = reals(&twice.inputs[0]).split_at(16);
    assert_ne!(first, second);
}

/// Padding is 0 before the normalization, and the statistics are those of the unchanged samples.
#[test]
fn rules_see_values_before_normalization() {
    let data = prepared(images().with_normalization(Normalization::Whole));
    let rules: [Box<dyn AnyAugment>; 1] = [Box::new(RandomCrop { padding: 3 })];
    let augmentation = Augmentation::new(&rules, 3, &data, &[None]).unwrap();
    let normalizer = data.normalizers().of(0).unwrap();
    let mut black = [0.0];
    normalizer.apply(&mut black);
    let batch = data.augmented(&(0..20).collect::<Vec<_>>(), &augmentation, 1, 0).unwrap();
    let unchanged = data.batch(&(0..20).collect::<Vec<_>>()).unwrap();
    let known = |value: &f32| reals(&unchanged.inputs[0]).contains(value) || *value == black[0];
    assert!(reals(&batch.inputs[0]).iter().all(known));
    assert!(reals(&batch.inputs[0]).iter().filter(|value| **value == black[0]).count() > 50);
}

#[test]
fn missing_and_unscaled_elements_stay() {
    struct Table;
    impl Dataset for Table {
        type Input = Features<3>;
        type Target = Values<1>;
        fn len(&self) -> usize {
            12
        }
        fn sample(&self, index: usize, input: &mut [f32], target: &mut [f32]) -> crate::Result<()> {
            let missing = if index.is_multiple_of(3) { f32::NAN } else { index as f32 };
            input.copy_from_slice(&[missing, (index % 2) as f32, 100.0 * index as f32]);
            target.fill(0.0);
            Ok(())
        }
        fn normalization(&self) -> Normalization {
            Normalization::PerElement
        }
        fn missing_elements(&self, _: usize) -> &[usize] {
            &[0]
        }
        fn unscaled_elements(&self, _: usize) -> &[usize] {
            &[1]
        }
    }
    let data = prepared(Table);
    let rules: [Box<dyn AnyAugment>; 1] = [Box::new(GaussianNoise { std: 0.01 })];
    let augmentation = Augmentation::new(&rules, 3, &data, &[None]).unwrap();
    let all: Vec<_> = (0..12).collect();
    let (before, after) = (data.batch(&all).unwrap(), data.augmented(&all, &augmentation, 1, 0).unwrap());
    let samples = reals(&before.inputs[0]).chunks(3).zip(reals(&after.inputs[0]).chunks(3));
    for (index, (before, after)) in samples.enumerate() {
        assert_eq!(
            before[0] == after[0],
            index % 3 == 0,
            "a missing value is the mean, 0 after normalization"
        );
        assert_eq!(before[1], after[1], "a category");
        // Five standard deviations.
        assert!(before[2] != after[2] && (before[2] - after[2]).abs() < 0.05);
    }
}

/// Each pixel of the image is the class of its target, so the two must stay equal.
#[test]
fn maps_of_classes_move_with_their_image() {
    let classes: Vec<u32> = (0..6 * 64).map(|place| 1 + place * 7 % 4).collect();
    let values = classes.iter().map(|class| *class as f32).collect();
    let data = InMemory::<Image<1, 8, 8>, ClassMap<5, 8, 8>>::new(values, classes).unwrap();
    let data = prepared(data);
    let all: Vec<_> = (0..6).collect();
    let rules: [Box<dyn AnyAugment>; 3] =
        [Box::new(FlipHorizontal), Box::new(FlipVertical), Box::new(RandomCrop { padding: 2 })];
    let augmentation = Augmentation::new(&rules, 3, &data, &[Some(0)]).unwrap();
    let batch = data.augmented(&all, &augmentation, 1, 0).unwrap();
    let Elements::Int(classes) = &batch.targets[0].elements else { panic!("classes") };
    let expected: Vec<u32> = reals(&batch.inputs[0]).iter().map(|value| *value as u32).collect();
    assert_eq!(*classes, expected);
    assert!(classes.contains(&0) && *classes != expected_of(&data, &all));
    let problem = |rule: &dyn AnyAugment, ignored| {
        Augmentation::new(&[rule.boxed()], 3, &data, &[ignored]).unwrap_err().to_string()
    };
    assert!(
        problem(&Rotate { degrees: 5.0 }, None)
            .contains("augment.0: Rotate: it moves pixels into the image, whose class")
    );
    assert!(Augmentation::new(&[Box::new(FlipHorizontal) as _], 3, &data, &[None]).is_ok());
    // Nearest pixels, with classes of the original or the filled one only.
    let rules: [Box<dyn AnyAugment>; 1] = [Box::new(Rotate { degrees: 45.0 })];
    let augmentation = Augmentation::new(&rules, 3, &data, &[Some(77)]).unwrap();
    let batch = data.augmented(&all, &augmentation, 1, 0).unwrap();
    let Elements::Int(classes) = &batch.targets[0].elements else { panic!("classes") };
    assert!(classes.iter().all(|class| (1..5).contains(class) || *class == 77) && classes.contains(&77));
}

fn expected_of(data: &PreparedDataset, all: &[usize]) -> Vec<u32> {
    match data.batch(all).unwrap().targets.remove(0).elements {
        Elements::Int(classes) => classes,
        Elements::Float(_) => panic!("classes"),
    }
}

#[test]
fn rules_that_do_not_fit_are_rejected() {
    fn problem<D: Dataset>(rule: &dyn AnyAugment, data: D) -> String {
        let ignored = vec![None; 2];
        Augmentation::new(&[rule.boxed()], 1, &prepared(data), &ignored).unwrap_err().to_string()
    }
    let table = || InMemory::<Features<4>, Class<2>>::new(vec![0.5; 40], [0, 1].repeat(5)).unwrap();
    assert_eq!(
        problem(&FlipHorizontal, table()),
        "augment.0: FlipHorizontal: the input is [4]; expected an image [channels, height, width], or use `GaussianNoise`"
    );
    let text = InMemory::<Tokens<9, 4>, Class<2>>::new(vec![1; 40], [0, 1].repeat(5)).unwrap();
    assert!(problem(&GaussianNoise { std: 0.1 }, text).contains("holds tokens, which cannot be augmented"));
    assert!(
        problem(&RandomCrop { padding: 4 }, images()).contains("expected less than its height and width")
    );
    assert!(problem(&Shift { pixels: 4.0 }, images()).contains("expected less than its height and width"));
    assert!(problem(&Cutout { size: 5 }, images()).contains("expected at most its height and width"));
    let color = ColorJitter { saturation: 0.1, ..ColorJitter::DEFAULT };
    assert!(problem(&color, images()).contains("has no colors; expected three channels"));
    let pairs = || {
        let inputs = (vec![0.5; 160], (0..40).map(|place| place as f32).collect());
        InMemory::<(Image<1, 4, 4>, Features<4>), Class<2>>::new(inputs, [0, 1].repeat(5)).unwrap()
    };
    assert!(
        problem(&FlipHorizontal, pairs())
            .contains("the model has 2 inputs; expected a tuple with a list for each")
    );
    assert!(
        problem(&crate::metric::On::<2, _>(FlipHorizontal), pairs())
            .contains("in list 3, but the model has 2 inputs")
    );
    assert!(problem(&crate::metric::On::<1, _>(FlipHorizontal), pairs()).contains("the input is [4]"));
    // Only the second input changes.
    let data = prepared(pairs());
    let rules: [Box<dyn AnyAugment>; 1] = [Box::new(crate::metric::On::<1, _>(GaussianNoise { std: 0.1 }))];
    let augmentation = Augmentation::new(&rules, 1, &data, &[None]).unwrap();
    let (before, after) = (data.batch(&[3]).unwrap(), data.augmented(&[3], &augmentation, 1, 0).unwrap());
    assert_eq!(reals(&before.inputs[0]), reals(&after.inputs[0]));
    assert_ne!(reals(&before.inputs[1]), reals(&after.inputs[1]));
}

#[test]
fn rule_with_infinite_results_is_reported() {
    let data = prepared(InMemory::<Features<1>, Values<1>>::new(vec![0.0, 1.0], vec![0.0; 2]).unwrap());
    let rules: [Box<dyn AnyAugment>; 1] = [Box::new(GaussianNoise { std: 1e300 })];
    let augmentation = Augmentation::new(&rules, 1, &data, &[None]).unwrap();
    let problem = data.augmented(&[1, 0], &augmentation, 1, 0).unwrap_err().to_string();
    assert!(problem.contains("after the augmentation; expected rules whose results are finite"), "{problem}");
}
