use super::*;
use crate::data::{Dataset, InMemory, Split};
use crate::shape::{Class, Features, Values};

fn prepared<D: Dataset>(data: D, train: std::ops::Range<usize>) -> PreparedDataset {
    let split = Split::Fixed { train, validation: 0..0, test: 0..0 };
    PreparedDataset::new(Box::new(data.with_split(split)), 1).unwrap()
}

/// Of class 0 there are 70 samples, of class 1 there are 25, of class 2 there are 5.
fn class(index: usize) -> u32 {
    match index % 20 {
        0 => 2,
        1..=5 => 1,
        _ => 0,
    }
}

fn unequal() -> InMemory<Features<1>, Class<3>> {
    InMemory::new((0..100).map(|index| index as f32).collect(), (0..100).map(class).collect()).unwrap()
}

fn counts(order: &[usize], of: usize) -> Vec<usize> {
    let mut counts = vec![0; of];
    for &index in order {
        counts[index] += 1;
    }
    counts
}

#[test]
fn default_is_the_order_of_an_epoch() {
    let data = prepared(unequal(), 10..90);
    for pass in [1, 2, 9] {
        assert_eq!(data.drawn(&Shuffled, 5, pass).unwrap(), data.order(5, pass));
    }
}

#[test]
fn classes_are_drawn_equally_often() {
    let data = prepared(unequal(), 0..100);
    let mut totals = [0; 3];
    for pass in 1..=3 {
        let order = data.drawn(&ClassBalanced, 5, pass).unwrap();
        assert_eq!(order.len(), 100);
        let counts = counts(&order, 100);
        let mut of_class = [0; 3];
        for (index, count) in counts.iter().enumerate() {
            of_class[class(index) as usize] += count;
            // 33 or 34 of 70, of 25 and of 5.
            let expected = [0..=1, 1..=2, 6..=7][class(index) as usize].clone();
            assert!(expected.contains(count), "sample {index}: {count}");
        }
        of_class.sort_unstable();
        assert_eq!(of_class, [33, 33, 34]);
        for (index, count) in counts.iter().enumerate() {
            totals[class(index) as usize] += count;
        }
    }
    assert_eq!(totals, [100; 3]);
    // Not class by class.
    let order = data.drawn(&ClassBalanced, 5, 1).unwrap();
    let changes = order.windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count();
    assert!(changes > 40, "{changes}");
}

/// Each is drawn as often as expected, rounded down or up, and as expected on average.
#[test]
fn samples_are_drawn_by_weight() {
    let weights: Vec<f32> = (0..40).map(|index| (index % 5) as f32 * 0.5).collect();
    let data = InMemory::<Features<1>, Values<1>>::new(vec![0.0; 40], vec![0.0; 40]).unwrap();
    let data = prepared(data.with_sample_weights(weights.clone()), 0..40);
    let mut totals = vec![0; 40];
    for pass in 1..=2000 {
        let counts = counts(&data.drawn(&Weighted, 5, pass).unwrap(), 40);
        for (index, count) in counts.iter().enumerate() {
            let expected = f64::from(weights[index]);
            assert!((*count as f64 - expected).abs() < 1.0, "sample {index}: {count}");
            totals[index] += count;
        }
    }
    for (index, total) in totals.iter().enumerate() {
        // Five standard deviations of at most sqrt(2000) / 2.
        let expected = 2000.0 * f64::from(weights[index]);
        assert!((*total as f64 - expected).abs() < 112.0, "sample {index}: {total}");
    }
}

#[test]
fn equal_weights_draw_each_sample_once() {
    for count in [1_usize, 3, 10, 97, 1000] {
        let data = InMemory::<Features<1>, Values<1>>::new(vec![0.0; count], vec![0.0; count]).unwrap();
        let data = prepared(data.with_sample_weights(vec![0.25; count]), 0..count);
        for pass in 1..20 {
            assert_eq!(counts(&data.drawn(&Weighted, 1, pass).unwrap(), count), vec![1; count]);
        }
    }
}

#[test]
fn draws_depend_on_seed_and_pass() {
    let data = prepared(unequal(), 0..100);
    for sampler in [&ClassBalanced as &dyn AnySampler, &Weighted] {
        let drawn = |seed, pass| data.drawn(sampler, seed, pass).unwrap();
        assert_eq!(drawn(1, 2), drawn(1, 2));
        assert!(drawn(1, 2) != drawn(2, 2) && drawn(1, 2) != drawn(1, 3));
    }
}

#[test]
fn data_that_cannot_be_drawn_are_rejected() {
    let said =
        |sampler: &dyn AnySampler, data: &PreparedDataset| check(sampler, data).unwrap_err().to_string();
    // The samples 1 to 19 have none of class 2.
    assert!(
        said(&ClassBalanced, &prepared(unequal(), 1..20))
            .contains("sampler: ClassBalanced: class 2 has no training sample")
    );
    let balanced = ClassBalanced { target: 1 };
    assert!(said(&balanced, &prepared(unequal(), 0..100)).contains("target is 1; expected a number below 1"));
    let values = |weights: Vec<f32>| {
        let data = InMemory::<Features<1>, Values<1>>::new(vec![0.0; 4], vec![0.0; 4]).unwrap();
        prepared(data.with_sample_weights(weights), 1..4)
    };
    assert!(said(&ClassBalanced, &values(vec![1.0; 4])).contains("target 0 is not one class of each sample"));
    assert!(check(&Weighted, &values(vec![-1.0, 1.0, 0.0, 0.0])).is_ok(), "sample 0 is not for training");
    for (weights, found) in [
        ([1.0, 1.0, f32::NAN, 1.0], "sample 2 (from 0) has the weight NaN; expected a finite number"),
        ([1.0, 1.0, 1.0, -2.0], "sample 3 (from 0) has the weight -2"),
        ([1.0, f32::INFINITY, 1.0, 1.0], "sample 1 (from 0) has the weight inf"),
        ([1.0, 0.0, 0.0, 0.0], "all training samples have the weight 0"),
    ] {
        let problem = said(&Weighted, &values(weights.to_vec()));
        assert!(problem.contains(found), "{problem}");
    }
    assert!(said(&Weighted, &values(vec![1.0; 2])).contains("one for each sample"));
}

/// A run is not resumed with other weights.
#[test]
fn fingerprint_depends_on_weights() {
    let with = |weights: Vec<f32>| {
        let data = InMemory::<Features<1>, Values<1>>::new(vec![0.0; 3], vec![0.0; 3]).unwrap();
        prepared(data.with_sample_weights(weights), 0..3).fingerprint().to_owned()
    };
    let plain = InMemory::<Features<1>, Values<1>>::new(vec![0.0; 3], vec![0.0; 3]).unwrap();
    assert_eq!(with(vec![1.0; 3]), prepared(plain, 0..3).fingerprint());
    assert_ne!(with(vec![1.0; 3]), with(vec![1.0, 2.0, 1.0]));
    assert_ne!(with(vec![2.0, 1.0, 1.0]), with(vec![1.0, 2.0, 1.0]));
}

#[test]
fn sampler_with_another_number_of_samples_is_reported() {
    #[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
    struct Wrong {
        place: usize,
    }
    impl Config for Wrong {
        const NAME: &'static str = "Wrong";
        const DEFAULT: Self = Self { place: 0 };
        const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
    }
    impl Sampler for Wrong {
        fn order(&self, pass: &DataPass<'_>) -> Vec<usize> {
            let count = if self.place == 0 { 2 } else { pass.samples.len() };
            vec![self.place; count]
        }
    }
    let data = prepared(unequal(), 0..100);
    let said = |place| data.drawn(&Wrong { place }, 1, 1).unwrap_err().to_string();
    assert!(said(0).contains("the sampler `Wrong` drew 2 samples for a pass; expected 100"));
    assert!(said(100).contains("drew sample 100 (from 0), but there are 100 for training"));
}
