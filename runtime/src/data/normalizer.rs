//! Normalization of inputs and targets: subtracts a mean, divides by a standard deviation.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How the inputs or the targets are normalized, with statistics of the training part only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Normalization {
    /// They are unchanged.
    None,
    /// Each element has mean 0 and standard deviation 1 over the training samples. An element that is constant there becomes 0; of a
    /// target, its mean is subtracted.
    PerElement,
    /// All elements together have mean 0 and standard deviation 1: for images, whose pixels share one scale.
    Whole,
}

/// `y = (x - mean) / deviation`, and 0 where the deviation is 0. A [missing value](Normalizer::missing) is replaced by the mean, so it
/// becomes 0.
///
/// Both have one value for each element of the input, or a single one for all. They are fitted on the
/// training samples ([`PreparedDataset::new`](super::PreparedDataset::new)) and stored with the model, since its
/// weights depend on them. The deviation is that of a population: squares are divided by the
/// number of samples.
///
/// # Errors
/// [`Normalizer::new`] rejects values that no fit can produce, such as those of a damaged file.
///
/// # Example
/// ```
/// use trainspec::data::Normalizer;
///
/// let normalizer = Normalizer::new(vec![10.0, 3.0], vec![2.0, 0.0])?;
/// let mut samples = [14.0, 3.0, 9.0, 5.0];
/// normalizer.apply(&mut samples);
/// assert_eq!(samples, [2.0, 0.0, -0.5, 0.0]);
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved")]
pub struct Normalizer {
    mean: Vec<f32>,
    deviation: Vec<f32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<usize>,
}

#[derive(Deserialize)]
struct Saved {
    mean: Vec<f32>,
    deviation: Vec<f32>,
    #[serde(default)]
    missing: Vec<usize>,
}

impl TryFrom<Saved> for Normalizer {
    type Error = Error;

    fn try_from(saved: Saved) -> Result<Self> {
        Self::new(saved.mean, saved.deviation)?.with_missing(&saved.missing)
    }
}

impl Normalizer {
    /// Creates a normalizer with these values.
    ///
    /// # Errors
    /// If there are none, if the lengths differ, or if a value is not finite or a deviation is
    /// below 0.
    pub fn new(mean: Vec<f32>, deviation: Vec<f32>) -> Result<Self> {
        if mean.is_empty() || mean.len() != deviation.len() {
            return Err(Error::Dataset(format!(
                "normalizer: {} means and {} deviations; expected the same number of both, at least one",
                mean.len(),
                deviation.len()
            )));
        }
        if let Some(bad) = mean.iter().find(|mean| !mean.is_finite()) {
            return Err(Error::Dataset(format!("normalizer: a mean is {bad}; expected a finite number")));
        }
        if let Some(bad) = deviation.iter().find(|&&deviation| !(0.0..f32::INFINITY).contains(&deviation)) {
            return Err(Error::Dataset(format!(
                "normalizer: a deviation is {bad}; expected a finite number, at least 0"
            )));
        }
        Ok(Self { mean, deviation, missing: Vec::new() })
    }

    /// The same, where NaN is a missing value in these elements.
    ///
    /// # Errors
    /// If it does not have a value for each of them.
    pub(crate) fn with_missing(self, missing: &[usize]) -> Result<Self> {
        let elements = self.mean.len();
        if let Some(element) = missing.iter().find(|element| **element >= elements) {
            return Err(Error::Dataset(format!(
                "normalizer: element {element} may be missing, but there are {elements} means; expected one for each element"
            )));
        }
        let mut missing = missing.to_vec();
        missing.sort_unstable();
        missing.dedup();
        Ok(Self { missing, ..self })
    }

    /// The same, but these elements are left unchanged.
    pub(super) fn except(mut self, unscaled: &[usize]) -> Self {
        for &element in unscaled {
            if let (Some(mean), Some(deviation)) =
                (self.mean.get_mut(element), self.deviation.get_mut(element))
            {
                (*mean, *deviation) = (0.0, 1.0);
            }
        }
        self
    }

    /// The same for targets: where the deviation is 0, it is 1, so that another value of such an element stays another value.
    pub(super) fn of_target(mut self) -> Self {
        self.deviation
            .iter_mut()
            .filter(|deviation| **deviation == 0.0)
            .for_each(|deviation| *deviation = 1.0);
        self
    }

    /// The mean, which is subtracted.
    #[must_use]
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// The standard deviation, by which the difference is divided.
    #[must_use]
    pub fn deviation(&self) -> &[f32] {
        &self.deviation
    }

    /// The elements, counted from 0, in which NaN is a missing value.
    #[must_use]
    pub fn missing(&self) -> &[usize] {
        &self.missing
    }

    /// Returns whether it fits inputs with this many elements.
    #[must_use]
    pub fn fits(&self, elements: usize) -> bool {
        self.mean.len() == 1 || self.mean.len() == elements
    }

    /// Normalizes one or several consecutive samples in place.
    pub fn apply(&self, samples: &mut [f32]) {
        for sample in samples.chunks_mut(self.mean.len()) {
            for &element in &self.missing {
                if let (Some(x), Some(&mean)) = (sample.get_mut(element), self.mean.get(element))
                    && x.is_nan()
                {
                    *x = mean;
                }
            }
            for ((x, &mean), &deviation) in sample.iter_mut().zip(&self.mean).zip(&self.deviation) {
                // In f64 the difference of any two f32 values is finite.
                *x = match deviation {
                    0.0 => 0.0,
                    _ => ((f64::from(*x) - f64::from(mean)) / f64::from(deviation)) as f32,
                };
            }
        }
    }
}

impl Normalizer {
    /// The inverse of [`Normalizer::apply`], up to rounding: `x = mean + deviation * y` for one or several consecutive samples in place,
    /// computed in f64 and rounded to f32.
    ///
    /// ```
    /// use trainspec::data::Normalizer;
    ///
    /// let normalizer = Normalizer::new(vec![10.0, 3.0], vec![2.0, 0.5])?;
    /// let mut samples = [2.0, 4.0, -0.5, 0.0];
    /// normalizer.restore(&mut samples);
    /// assert_eq!(samples, [14.0, 5.0, 9.0, 3.0]);
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    pub fn restore(&self, samples: &mut [f32]) {
        for sample in samples.chunks_mut(self.mean.len()) {
            for ((x, &mean), &deviation) in sample.iter_mut().zip(&self.mean).zip(&self.deviation) {
                *x = (f64::from(mean) + f64::from(deviation) * f64::from(*x)) as f32;
            }
        }
    }
}

/// Mean and squared deviation of each element, accumulated sample by sample (Welford 1962), in f64. Missing values do not count.
pub(super) struct Moments {
    samples: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
    /// The elements that may be missing, each with the number of its values.
    missing: Vec<(usize, f64)>,
}

impl Moments {
    /// Before the first sample of `elements` values, of which some may be missing.
    pub(super) fn new(elements: usize, missing: &[usize]) -> Self {
        let missing = missing.iter().map(|&element| (element, 0.0)).collect();
        Self { samples: 0.0, mean: vec![0.0; elements], squares: vec![0.0; elements], missing }
    }

    pub(super) fn add(&mut self, sample: &[f32]) {
        self.samples += 1.0;
        let weight = 1.0 / self.samples;
        let Self { mean, squares, missing, .. } = self;
        let kept: Vec<_> = missing.iter().map(|&(element, _)| (mean[element], squares[element])).collect();
        for ((&x, mean), squares) in sample.iter().zip(&mut *mean).zip(&mut *squares) {
            welford(f64::from(x), weight, mean, squares);
        }
        // These have fewer values.
        for ((element, count), kept) in missing.iter_mut().zip(kept) {
            (mean[*element], squares[*element]) = kept;
            if let Some(&x) = sample.get(*element).filter(|x| !x.is_nan()) {
                *count += 1.0;
                welford(f64::from(x), 1.0 / *count, &mut mean[*element], &mut squares[*element]);
            }
        }
    }

    /// The number of values of each element.
    fn counts(&self) -> Vec<f64> {
        let mut counts = vec![self.samples; self.mean.len()];
        for &(element, count) in &self.missing {
            counts[element] = count;
        }
        counts
    }

    /// The first element of which no sample has a value.
    pub(super) fn never_present(&self) -> Option<usize> {
        self.missing.iter().find(|(_, count)| *count == 0.0).map(|(element, _)| *element)
    }

    /// Returns a mean and a deviation for each element.
    pub(super) fn per_element(&self) -> Result<Normalizer> {
        let deviation = self.mean.iter().zip(&self.squares).zip(self.counts());
        let deviation =
            deviation.map(|((&mean, squares), count)| spread(mean, squares / count.max(1.0))).collect();
        Normalizer::new(self.mean.iter().map(|&mean| mean as f32).collect(), deviation)
    }

    /// Returns one mean and one deviation for all elements. Each element has the same number of samples, so the common mean is
    /// the mean of means, and the variance is the variance within elements plus that between them.
    pub(super) fn whole(&self) -> Result<Normalizer> {
        let elements = self.mean.len() as f64;
        let mean = self.mean.iter().sum::<f64>() / elements;
        let within = self.squares.iter().sum::<f64>() / self.samples / elements;
        let between = self.mean.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / elements;
        Normalizer::new(vec![mean as f32], vec![spread(mean, within + between)])
    }
}

/// Updates mean and squared deviation with a value whose weight is one divided by the number of values so far.
fn welford(x: f64, weight: f64, mean: &mut f64, squares: &mut f64) {
    let before = x - *mean;
    *mean += before * weight;
    *squares += before * (x - *mean);
}

/// Returns the deviation, or 0 where it is within the rounding error of sums of equal values.
///
/// One f32 that differs from its neighbors in the last place among 10^8 samples has a deviation above
/// 10^-12 of the mean; rounding in f64 leaves less.
fn spread(mean: f64, variance: f64) -> f32 {
    let deviation = variance.max(0.0).sqrt();
    if deviation <= mean.abs() * 1e-12 { 0.0 } else { deviation as f32 }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    fn moments(samples: &[[f32; 3]]) -> Moments {
        let mut moments = Moments::new(3, &[]);
        for sample in samples {
            moments.add(sample);
        }
        moments
    }

    /// Computed manually: columns 1, 3 and 5, 9 and 7, 7; all six have the mean 32 / 6.
    #[test]
    fn mean_and_deviation_match_definition() {
        let moments = moments(&[[1.0, 5.0, 7.0], [3.0, 9.0, 7.0]]);
        let each = moments.per_element().unwrap();
        assert_eq!((each.mean(), each.deviation()), ([2.0, 7.0, 7.0].as_slice(), [1.0, 2.0, 0.0].as_slice()));
        let whole = moments.whole().unwrap();
        let mean = 32.0 / 6.0;
        let variance =
            [1.0, 3.0, 5.0, 9.0, 7.0, 7.0_f64].iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 6.0;
        assert_eq!(
            (whole.mean(), whole.deviation()),
            ([mean as f32].as_slice(), [variance.sqrt() as f32].as_slice())
        );
    }

    #[test]
    fn constant_column_normalizes_to_zero() {
        let moments = moments(&[[0.1; 3]; 1000]);
        for normalizer in [moments.per_element().unwrap(), moments.whole().unwrap()] {
            assert!(normalizer.deviation().iter().all(|deviation| *deviation == 0.0), "{normalizer:?}");
            let mut sample = [0.1, 0.2, 1e30];
            normalizer.apply(&mut sample);
            assert_eq!(sample, [0.0; 3]);
        }
    }

    #[test]
    fn single_distinct_sample_is_not_constant() {
        let mut samples = vec![[0.0, 1.0, 1e6]; 100_000];
        samples[7] = [1.0, 1.0 + f32::EPSILON, 1e6 + 0.0625];
        let fitted = moments(&samples).per_element().unwrap();
        assert!(fitted.deviation().iter().all(|deviation| *deviation > 0.0), "{fitted:?}");
    }

    #[test]
    fn small_deviation_with_large_mean_is_computed() {
        let samples: Vec<[f32; 3]> = (0..1000).map(|i| [1e6 + (i % 2) as f32; 3]).collect();
        assert_eq!(moments(&samples).per_element().unwrap().deviation(), [0.5; 3]);
    }

    #[test]
    fn largest_values_normalize_to_finite_values() {
        let fitted = moments(&[[f32::MAX; 3], [f32::MIN; 3]]).per_element().unwrap();
        let mut sample = [f32::MAX, f32::MIN, 0.0];
        fitted.apply(&mut sample);
        assert_eq!(sample, [1.0, -1.0, 0.0]);
    }

    #[test]
    fn normalizer_round_trips_through_serialization() {
        let fitted = moments(&[[0.1, 5.3, 7.0], [1.0 / 3.0, 9.0, 7.0]]).per_element().unwrap();
        let saved = serde_json::to_string(&fitted).unwrap();
        assert_eq!(serde_json::from_str::<Normalizer>(&saved).unwrap(), fitted);
        assert!(fitted.fits(3) && !fitted.fits(2));
        assert!(moments(&[[0.0; 3]]).whole().unwrap().fits(2));
    }

    #[test]
    fn invalid_normalizer_values_are_rejected() {
        let problem = |mean: &[f32], deviation: &[f32]| {
            Normalizer::new(mean.to_vec(), deviation.to_vec()).unwrap_err().to_string()
        };
        let counts = "expected the same number of both, at least one";
        assert_eq!(problem(&[], &[]), format!("data: normalizer: 0 means and 0 deviations; {counts}"));
        assert_eq!(
            problem(&[1.0], &[1.0; 2]),
            format!("data: normalizer: 1 means and 2 deviations; {counts}")
        );
        assert_eq!(problem(&[f32::NAN], &[1.0]), "data: normalizer: a mean is NaN; expected a finite number");
        for (bad, shown) in [(-1.0, "-1"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
            assert_eq!(
                problem(&[1.0], &[bad]),
                format!("data: normalizer: a deviation is {shown}; expected a finite number, at least 0")
            );
        }
        assert!(serde_json::from_str::<Normalizer>(r#"{"mean":[1.0],"deviation":[]}"#).is_err());
    }
}
