//! Data of which only some samples are read before the first step.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::super::*;
use crate::data::Dataset;
use crate::{Class, Features};

/// Samples that count how often they are read. One of them has a value that is not finite.
struct Counted {
    samples: usize,
    bad: Option<usize>,
    reads: Arc<AtomicUsize>,
    normalization: Normalization,
}

impl Dataset for Counted {
    type Input = Features<2>;
    type Target = Class<3>;

    fn len(&self) -> usize {
        self.samples
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [u32]) -> Result<()> {
        self.reads.fetch_add(1, Relaxed);
        let value = if self.bad == Some(index) { f32::NAN } else { index as f32 };
        input.fill(value);
        target.fill(index as u32 % 3);
        Ok(())
    }

    fn normalization(&self) -> Normalization {
        self.normalization
    }
}

fn counted(samples: usize) -> Counted {
    Counted { samples, bad: None, reads: Arc::default(), normalization: Normalization::None }
}

fn prepared(data: Counted, reads: Reads, limits: Limits) -> Result<PreparedDataset> {
    let rules: Vec<Arc<dyn TargetRules>> = vec![Arc::new(Ignoring(None))];
    PreparedDataset::within(Box::new(data), (1, None), rules, (reads, limits), &Interrupt::new())
}

#[test]
fn slow_data_are_checked_in_part() {
    let read = |reads, limits, normalization| {
        let data = Counted { normalization, ..counted(5000) };
        let count = Arc::clone(&data.reads);
        let set = prepared(data, reads, limits).unwrap();
        (set.checked(), set.checked_in_part(), count.load(Relaxed))
    };
    let all = (5000, None, 5000);
    let none = Normalization::None;
    // The first group of samples, and then a thousand of them.
    assert_eq!(read(Reads::Passes(9), Limits::NONE, none), (1000, Some(1000), 1100));
    assert_eq!(read(Reads::Samples(49_999), Limits::NONE, none), (1000, Some(1000), 1100));
    // They take no time; the run reads so often that the pass is a tenth of it; a normalization needs all of them.
    assert_eq!(read(Reads::Passes(9), Limits::DEFAULT, none), all);
    assert_eq!(read(Reads::Passes(10), Limits::NONE, none), all);
    assert_eq!(read(Reads::Samples(50_000), Limits::NONE, none), all);
    assert_eq!(read(Reads::Passes(1), Limits::NONE, Normalization::Whole), all);
}

#[test]
fn unchecked_samples_are_checked_when_they_are_read() {
    let bad = Some(4321);
    let problem = prepared(Counted { bad, ..counted(5000) }, Reads::Much, Limits::NONE).err().unwrap();
    let set = prepared(Counted { bad, ..counted(5000) }, Reads::Passes(1), Limits::NONE).unwrap();
    assert_eq!(set.batch(&[4320, 4322]).unwrap().size, 2);
    let later = set.batch(&[4320, 4321]).err().unwrap();
    assert_eq!(later.to_string(), problem.to_string());
    assert!(later.to_string().contains("sample 4321 (from 0)"), "{later}");
}

#[test]
fn fingerprints_of_all_and_of_some_samples_are_comparable() {
    let all = prepared(counted(5000), Reads::Much, Limits::NONE).unwrap();
    let some = prepared(counted(5000), Reads::Passes(1), Limits::NONE).unwrap();
    assert!(some.fingerprint().starts_with("sample:"), "{}", some.fingerprint());
    for (set, other) in [(&all, &some), (&some, &all)] {
        assert_ne!(set.fingerprint(), other.fingerprint());
        assert_eq!(set.fingerprint_like(set.fingerprint()).unwrap(), set.fingerprint());
        assert_eq!(set.fingerprint_like(other.fingerprint()).unwrap(), other.fingerprint());
    }
    let longer = prepared(counted(5001), Reads::Passes(1), Limits::NONE).unwrap();
    assert_ne!(longer.fingerprint(), some.fingerprint());
    assert_ne!(longer.fingerprint_like(all.fingerprint()).unwrap(), all.fingerprint());
}

#[test]
fn groups_are_part_of_the_fingerprint_where_the_split_uses_them() {
    let fingerprint = |groups: [u64; 3], split: Split| {
        let data = counted(3).with_groups(groups.to_vec()).with_split(split);
        PreparedDataset::new(Box::new(data), 1).unwrap().fingerprint().to_owned()
    };
    let grouped = || Split::Grouped { validation: 0.0, test: 0.4 };
    // The numbers of the groups do not matter.
    assert_eq!(fingerprint([0, 0, 1], grouped()), fingerprint([9, 9, 4], grouped()));
    assert_ne!(fingerprint([0, 0, 1], grouped()), fingerprint([0, 1, 1], grouped()));
    let random = || Split::Random { validation: 0.0, test: 0.4 };
    assert_eq!(fingerprint([0, 0, 1], random()), fingerprint([0, 1, 1], random()));
}
