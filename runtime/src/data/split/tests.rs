use proptest::prelude::*;

use super::*;

fn problem(split: &Split, len: usize) -> String {
    split.resolve(len, 1).unwrap_err().to_string()
}

proptest! {
    #[test]
    fn splits_are_disjoint_sorted_and_complete(
        len in 1_usize..300, seed: u64, validation in 0.0..0.5_f64, test in 0.0..0.5_f64,
    ) {
        let parts = Split::Random { validation, test }.resolve(len, seed).unwrap();
        for part in [&parts.train, &parts.validation, &parts.test] {
            prop_assert!(part.is_sorted());
        }
        prop_assert_eq!(parts.test.len(), (test * len as f64).floor() as usize);
        prop_assert_eq!(parts.validation.len(), (validation * len as f64).floor() as usize);
        let mut all = [parts.train, parts.validation, parts.test].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..len).collect::<Vec<_>>());
    }
}

#[test]
fn test_split_does_not_depend_on_validation_share() {
    let split = |validation, seed| Split::Random { validation, test: 0.25 }.resolve(80, seed).unwrap();
    assert_eq!(split(0.1, 1), split(0.1, 1));
    assert_ne!(split(0.1, 1), split(0.1, 2));
    assert_eq!(split(0.1, 1).test, split(0.5, 1).test);
}

#[test]
fn exact_share_gives_exact_sample_count() {
    for (share, len, count) in [(0.29, 100, 29), (0.1, 30, 3), (0.7, 10, 7), (0.1, 9, 0), (0.0, 9, 0)] {
        assert_eq!(portion(share, len), count, "{share} of {len}");
    }
}

#[test]
fn folds_test_every_sample_once() {
    for (len, of) in [(10, 3), (12, 4), (7, 7), (100, 5)] {
        let folds: Vec<_> = (0..of).map(|fold| Split::Fold { of, fold }.resolve(len, 3).unwrap()).collect();
        for (fold, parts) in folds.iter().enumerate() {
            assert_eq!(parts.validation, folds[(fold + 1) % of].test);
            let mut all = [parts.train.clone(), parts.validation.clone(), parts.test.clone()].concat();
            all.sort_unstable();
            assert_eq!(all, (0..len).collect::<Vec<_>>());
            assert!((len / of..=len.div_ceil(of)).contains(&parts.test.len()));
        }
        let mut tested: Vec<_> = folds.iter().flat_map(|parts| parts.test.clone()).collect();
        tested.sort_unstable();
        assert_eq!(tested, (0..len).collect::<Vec<_>>());
    }
}

proptest! {
    #[test]
    fn stratified_parts_have_each_class_in_proportion(
        classes in prop::collection::vec(0..4_u32, 1..200), seed: u64, validation in 0.0..0.4_f64, test in 0.0..0.4_f64,
    ) {
        let parts = Parts::stratified(&classes, seed, validation, test);
        let mut all = [parts.train.clone(), parts.validation.clone(), parts.test.clone()].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..classes.len()).collect::<Vec<_>>());
        prop_assert_eq!(parts.test.len(), portion(test, classes.len()));
        prop_assert_eq!(parts.validation.len(), portion(validation, classes.len()));
        for class in 0..4 {
            let count = |part: &[usize]| part.iter().filter(|&&index| classes[index] == class).count() as f64;
            let samples = classes.iter().filter(|other| **other == class).count() as f64;
            prop_assert!((count(&parts.test) - test * samples).abs() <= 1.0 + 1e-9);
            prop_assert!((count(&parts.validation) - validation * samples).abs() <= 1.0 + 1e-9);
        }
    }
}

#[test]
fn stratified_split_reads_the_classes_of_the_data() {
    use crate::data::{Dataset, InMemory};
    use crate::shape::{Class, Features, Values};

    let split = Split::Stratified { validation: 0.2, test: 0.2 };
    let classes: Vec<u32> = (0..250).map(|index| u32::from(index % 10 == 0)).collect();
    let data = InMemory::<Features<1>, Class<2>>::new(vec![0.0; 250], classes.clone()).unwrap();
    let parts = Split::parts(&data.with_split(split.clone()), 1).unwrap();
    let ones = |part: &[usize]| part.iter().filter(|&&index| classes[index] == 1).count();
    assert_eq!((ones(&parts.train), ones(&parts.validation), ones(&parts.test)), (15, 5, 5));
    let values = InMemory::<Features<1>, Values<1>>::new(vec![0.0; 9], vec![0.0; 9]).unwrap();
    assert_eq!(
        Split::parts(&values.with_split(split), 1).unwrap_err().to_string(),
        "data: split: the target is not one class; expected `Split::Random` instead of `Split::Stratified`"
    );
}

#[test]
fn fixed_split_is_used_unchanged() {
    let parts = Split::Fixed { train: 2..4, validation: 0..1, test: 4..4 }.resolve(5, 1).unwrap();
    assert_eq!(parts, Parts { train: vec![2, 3], validation: vec![0], test: vec![] });
}

#[test]
fn ordered_split_is_contiguous() {
    let parts = Split::InOrder { validation: 0.2, test: 0.3 }.resolve(10, 1).unwrap();
    let expected = Parts { train: (0..5).collect(), validation: vec![5, 6], test: vec![7, 8, 9] };
    assert_eq!(parts, expected);
    let parts = Split::InOrder { validation: 0.0, test: 0.05 }.resolve(10, 1).unwrap();
    assert_eq!(parts, Parts { train: (0..10).collect(), validation: vec![], test: vec![] });
}

/// Windows that overlap the next two.
#[test]
fn overlapping_windows_are_left_out_between_parts() {
    let split = |split: Split, reach| split.without_overlap(20, &|window| window + reach);
    let in_order = |validation, test| Split::InOrder { validation, test };
    let fixed = |train, validation, test| Split::Fixed { train, validation, test };
    for (shares, reach, expected) in [
        (in_order(0.2, 0.3), 1, in_order(0.2, 0.3)),
        (in_order(0.2, 0.3), 3, fixed(0..8, 10..12, 14..20)),
        (in_order(0.0, 0.3), 3, fixed(0..12, 14..14, 14..20)),
        (in_order(0.2, 0.0), 3, fixed(0..14, 16..20, 20..20)),
        (in_order(0.0, 0.0), 3, in_order(0.0, 0.0)),
        (Split::DEFAULT, 1, Split::DEFAULT),
        (fixed(0..8, 10..12, 14..20), 3, fixed(0..8, 10..12, 14..20)),
    ] {
        assert_eq!(split(shares.clone(), reach).unwrap(), expected, "{shares:?}");
    }
    for (shares, sentence) in [
        (
            Split::DEFAULT,
            "data: split: windows 0 and 1 overlap, so a random split would put the same values in training and test; expected \
             `Split::InOrder`, or a larger stride",
        ),
        (
            in_order(0.1, 0.3),
            "data: split: each of the 2 validation windows overlaps the next part; expected longer data, shorter windows, or \
             larger shares",
        ),
        (
            fixed(0..9, 10..12, 14..20),
            "data: split: train is 0..9 and validation is 10..12, but window 8 overlaps those up to 10; expected parts with a \
             gap, or `Split::InOrder`, which leaves one",
        ),
        (in_order(1.0, 0.0), "data: split: validation is 1; expected 0 <= validation < 1"),
    ] {
        assert_eq!(split(shares, 3).unwrap_err().to_string(), sentence);
    }
}

#[test]
fn invalid_split_is_rejected() {
    let random = |validation, test| Split::Random { validation, test };
    let fixed = |train, validation, test| Split::Fixed { train, validation, test };
    #[expect(clippy::reversed_empty_ranges, reason = "the mistake under test")]
    let reversed = fixed(3..1, 0..0, 0..0);
    for (split, sentence) in [
        (random(1.0, 0.0), "data: split: validation is 1; expected 0 <= validation < 1"),
        (random(0.1, -0.1), "data: split: test is -0.1; expected 0 <= test < 1"),
        (random(f64::NAN, 0.1), "data: split: validation is NaN; expected 0 <= validation < 1"),
        (
            random(0.5, 0.5),
            "data: split: validation and test are 0.5 and 0.5; expected a sum below 1, so that \
             training samples are left",
        ),
        (Split::InOrder { validation: 0.2, test: 1.5 }, "data: split: test is 1.5; expected 0 <= test < 1"),
        (
            Split::Fold { of: 2, fold: 0 },
            "data: split: of is 2; expected at least 3 folds: one for test, one for validation, and the rest for training",
        ),
        (
            Split::Fold { of: 5, fold: 5 },
            "data: split: fold is 5; expected a number below 5, the number of folds",
        ),
        (reversed, "data: split: train is 3..1, which ends before it starts"),
        (
            fixed(0..6, 5..8, 8..10),
            "data: split: train is 0..6 and validation is 5..8; expected ranges that do not overlap",
        ),
        (fixed(0..6, 6..8, 8..11), "data: split: test is 8..11, but there are 10 samples"),
        (
            fixed(0..0, 0..8, 8..10),
            "data: split: none of the 10 samples is for training; expected at least one",
        ),
    ] {
        assert_eq!(problem(&split, 10), sentence);
    }
    assert_eq!(
        problem(&Split::DEFAULT, 0),
        "data: split: none of the 0 samples is for training; expected at least one"
    );
}
