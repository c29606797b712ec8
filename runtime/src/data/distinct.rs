//! Counts the distinct values of a column before and after rounding to f32.

/// How many hashes are kept: the estimate has an error of about 6 %.
const KEPT: usize = 256;

/// An estimate of the number of distinct values in bounded memory: the values with the smallest hashes are
/// a random sample of the distinct ones, and the largest of these hashes shows how many share the whole range.
///
/// # Source
/// Bar-Yossef et al., "Counting distinct elements in a data stream", 2002.
#[derive(Clone, Debug)]
struct Distinct {
    /// The smallest hashes, in ascending order.
    least: Vec<u64>,
    /// The largest of them once the set is full: only a smaller one is inserted.
    bound: u64,
}

impl Distinct {
    const EMPTY: Self = Self { least: Vec::new(), bound: u64::MAX };

    #[inline]
    fn add(&mut self, value: f64) {
        // 0 and -0 are the same value.
        let hash = scattered((value + 0.0).to_bits());
        if hash < self.bound {
            self.take(hash);
        }
    }

    #[cold]
    fn take(&mut self, hash: u64) {
        if let Err(place) = self.least.binary_search(&hash) {
            if self.least.len() == KEPT {
                self.least.pop();
            }
            self.least.insert(place, hash);
            self.bound = self.least.get(KEPT - 1).copied().unwrap_or(u64::MAX);
        }
    }

    /// Exact below [`KEPT`].
    fn count(&self) -> f64 {
        match self.least.last() {
            Some(&last) if self.least.len() == KEPT => {
                (KEPT - 1) as f64 / (last as f64 / u64::MAX as f64).max(f64::MIN_POSITIVE)
            }
            _ => self.least.len() as f64,
        }
    }
}

/// A bijection whose outputs look random (the finalizer of `SplitMix64`, Steele et al. 2014).
fn scattered(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// The values of a column, as they are in the file and as f32.
#[derive(Clone, Debug)]
pub(super) struct Rounding {
    /// The previous value, NaN at first.
    last: f64,
    exact: Distinct,
    rounded: Distinct,
}

impl Default for Rounding {
    fn default() -> Self {
        Self { last: f64::NAN, exact: Distinct::EMPTY, rounded: Distinct::EMPTY }
    }
}

impl Rounding {
    /// Adds a value.
    #[inline]
    pub(super) fn add(&mut self, value: f64, rounded: f32) {
        // Equal neighbors are common and add nothing new.
        if value.to_bits() != self.last.to_bits() {
            self.last = value;
            self.exact.add(value);
            self.rounded.add(f64::from(rounded));
        }
    }

    /// The numbers of distinct values before and after rounding, if more than half were lost.
    pub(super) fn lost(&self) -> Option<(u64, u64)> {
        let (exact, rounded) = (self.exact.count(), self.rounded.count());
        (rounded < exact / 2.0).then_some((exact as u64, rounded as u64))
    }
}

/// A column of a data set that lost more than half of its distinct values by rounding to f32, as Unix times do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundedColumn {
    /// The column: its name in backticks, or its number.
    pub column: String,
    /// Its index in an input, from 0; `None` if it is part of the target.
    pub element: Option<usize>,
    /// About how many distinct values it has in the file.
    pub distinct: u64,
    /// About how many remain.
    pub left: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounding(values: impl Iterator<Item = f64>) -> Rounding {
        let mut rounding = Rounding::default();
        values.for_each(|value| rounding.add(value, value as f32));
        rounding
    }

    /// Near the present, seconds since 1970 are 128 apart in f32.
    #[test]
    fn unix_times_lose_distinct_values_in_any_order() {
        let times = |count: u32, step: u32| {
            let count = u64::from(count);
            (0..count).map(move |i| 1.7e9 + (i * 7919 % count) as f64 * f64::from(step))
        };
        assert_eq!(rounding(times(250, 1)).lost(), Some((250, 3)));
        let (exact, left) = rounding(times(100_000, 1)).lost().unwrap();
        assert!((80_000..120_000).contains(&exact) && (600..1000).contains(&left), "{exact}, {left}");
        // Values a day apart stay distinct.
        assert_eq!(rounding(times(10_000, 86_400)).lost(), None);
    }

    #[test]
    fn measurements_and_integers_stay_distinct() {
        assert_eq!(rounding((0..50_000).map(|i| f64::from(i) * 0.01)).lost(), None);
        assert_eq!(rounding((0..50_000).map(|i| f64::from(i % 7))).lost(), None);
        assert_eq!(rounding([0.0, -0.0].into_iter().cycle().take(9)).lost(), None);
        assert_eq!(rounding(std::iter::repeat_n(1.7e9, 100)).lost(), None);
        assert_eq!(rounding([16_777_216.0, 16_777_217.0, 16_777_216.0].into_iter()).lost(), None);
    }
}
