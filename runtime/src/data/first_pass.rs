//! Reads samples before the first step: all of them, or some.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::parts::Parts;
use super::prepared::bytes_of_sample;
use super::scan::{ALL, DatasetScan, SAMPLE};
use super::{AnyDataset, Batch, Normalization, ReadAhead, Split, TargetUnits};
use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::loss::TargetRules;

/// The most samples that are read where reading all would take too long.
const SOME: usize = 1000;

/// All samples are read before the first step if the run reads each at least as often as this: the pass is then at most a tenth of
/// all reading.
const OFTEN: f64 = 10.0;

/// How much a run reads after its first pass.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reads {
    /// So much that the first pass always reads all samples.
    Much,
    /// This many passes over the data.
    Passes(u64),
    /// This many samples.
    Samples(u64),
}

impl Reads {
    /// How often each of `samples` samples is read.
    fn each(self, samples: usize) -> f64 {
        match self {
            Self::Much => f64::INFINITY,
            Self::Passes(passes) => passes as f64,
            Self::Samples(read) => read as f64 / samples.max(1) as f64,
        }
    }
}

/// When a pass over all samples takes too long.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Reading is timed for so long.
    timed: Duration,
    /// A pass that takes less is not worth avoiding.
    short: Duration,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self { timed: Duration::from_secs(1), short: Duration::from_secs(10) };

    /// Every pass takes too long.
    #[cfg(test)]
    pub(super) const NONE: Self = Self { timed: Duration::ZERO, short: Duration::ZERO };
}

/// A pass over the samples of a data set.
pub(super) struct FirstPass<'a> {
    pub(super) data: &'a dyn AnyDataset,
    pub(super) parts: &'a Parts,
    pub(super) rules: &'a [Arc<dyn TargetRules>],
    pub(super) interrupt: &'a Interrupt,
}

impl FirstPass<'_> {
    /// Reads all samples, or some if all would take too long: longer than the limits, and more than a tenth of the time for which
    /// the run `reads`. The statistics of a normalization need all training samples, so then all are read.
    /// Returns the fingerprint, and how many samples were checked.
    pub(super) fn run(&self, reads: Reads, limits: Limits) -> Result<(DatasetScan, String, usize)> {
        let samples = self.data.len();
        let is_normalized =
            [self.data.normalization(), self.data.target_normalization()] != [Normalization::None; 2];
        // Such a split reads all of them anyway.
        let is_stratified = matches!(self.data.split(), Split::Stratified { .. });
        let may_end_early = !is_normalized && !is_stratified && reads.each(samples) < OFTEN && samples > SOME;
        let began = Instant::now();
        let takes_too_long = |done: usize| {
            let elapsed = began.elapsed();
            may_end_early
                && done < samples
                && elapsed >= limits.timed
                && elapsed.as_secs_f64() * samples as f64 >= limits.short.as_secs_f64() * done as f64
        };
        if let Some(scan) = self.scan(samples, &|place| place, &takes_too_long)? {
            let fingerprint = scan.fingerprint(self.data, ALL);
            return Ok((scan, fingerprint, samples));
        }
        let (scan, fingerprint) = self.some()?;
        Ok((scan, fingerprint, samples.min(SOME)))
    }

    /// Reads some samples. Returns their fingerprint too, which begins with `sample:`.
    fn some(&self) -> Result<(DatasetScan, String)> {
        let samples = self.data.len();
        let scan = match self.scan(samples.min(SOME), &|place| spread(place, samples), &|_| false)? {
            Some(scan) => scan,
            None => DatasetScan::new(self.data, self.parts)?,
        };
        let fingerprint = format!("{PREFIX}{}", scan.fingerprint(self.data, SAMPLE));
        Ok((scan, fingerprint))
    }

    /// Returns the fingerprint of the data that is comparable with `recorded`: of all samples, or of some.
    pub(super) fn fingerprint_like(&self, recorded: &str) -> Result<String> {
        if recorded.starts_with(PREFIX) {
            return Ok(self.some()?.1);
        }
        let (_, fingerprint, _) = self.run(Reads::Much, Limits::DEFAULT)?;
        Ok(fingerprint)
    }

    /// Reads `count` samples, of which `index` returns the index of each. Returns `None` if it takes too long, which is asked after each
    /// group of samples.
    fn scan(
        &self,
        count: usize,
        index: &(dyn Fn(usize) -> usize + Sync),
        takes_too_long: &dyn Fn(usize) -> bool,
    ) -> Result<Option<DatasetScan>> {
        let mut scan = DatasetScan::new(self.data, self.parts)?;
        let mut done = 0;
        let is_complete = self.each(count, index, |group, batch| {
            scan.look(self.data, group, &batch, self.rules)?;
            done += group.len();
            Ok(!takes_too_long(done))
        })?;
        Ok(is_complete.then_some(scan))
    }

    /// Adds all normalized targets to a scan, if there are any.
    pub(super) fn look_at_normalized(&self, scan: &mut DatasetScan, units: &TargetUnits) -> Result<()> {
        if units.is_empty() {
            return Ok(());
        }
        self.each(self.data.len(), &|place| place, |group, batch| {
            scan.look_at_normalized(self.data, group, batch, units, self.rules).map(|()| true)
        })?;
        Ok(())
    }

    /// Reads `count` samples in groups, until `look` returns false. Returns whether it never did.
    fn each(
        &self,
        count: usize,
        index: &(dyn Fn(usize) -> usize + Sync),
        mut look: impl FnMut(&[usize], Batch) -> Result<bool>,
    ) -> Result<bool> {
        let Self { data, interrupt, .. } = *self;
        // As many samples at a time as have about a million values.
        let bytes = bytes_of_sample(data);
        let at_once = (4_000_000 / bytes.max(1)).clamp(1, 100);
        let groups = count.div_ceil(at_once);
        let group = |number: usize| -> Vec<usize> {
            let start = number.saturating_mul(at_once);
            (start..count.min(start.saturating_add(at_once))).map(index).collect()
        };
        let read = |number: u64| data.batch(&group(number as usize));
        std::thread::scope(|scope| {
            let bytes = bytes.saturating_mul(at_once);
            let mut batches = ReadAhead::new(scope, interrupt, 0.., Some(groups as u64), bytes, read);
            for number in 0..groups {
                if !look(&group(number), batches.next()?)? {
                    return Ok(false);
                }
                interrupt.check()?;
            }
            Ok(true)
        })
    }
}

/// The start of the fingerprint of some samples.
const PREFIX: &str = "sample:";

/// The index of the sample at a place among the [`SOME`] that are read where all would take too long: evenly spaced, with the first and
/// the last one.
fn spread(place: usize, samples: usize) -> usize {
    let count = samples.min(SOME) as u128;
    (place as u128 * (samples as u128 - 1) / (count - 1).max(1)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_samples_are_evenly_spaced() {
        let some = |samples: usize| -> Vec<usize> {
            (0..samples.min(SOME)).map(|place| spread(place, samples)).collect()
        };
        assert_eq!(some(1), [0]);
        assert_eq!(some(3), [0, 1, 2]);
        let some = some(1_000_000);
        assert_eq!((some.len(), some[0], some[1], some[999]), (1000, 0, 1001, 999_999));
        assert!(some.is_sorted_by(|a, b| a < b));
    }
}
