//! The minimum and the maximum of each element of an input.

use super::Normalizer;

/// The extremes of each element over the samples of a run, with their samples. After normalization, all other values lie
/// between these.
#[derive(Default)]
pub(super) struct Extremes {
    least: Vec<(f32, usize)>,
    largest: Vec<(f32, usize)>,
}

impl Extremes {
    /// Adds a sample's values, which are finite or missing.
    pub(super) fn add(&mut self, index: usize, sample: &[f32]) {
        if self.least.is_empty() {
            self.least.extend(sample.iter().map(|&number| (number, index)));
            self.largest.clone_from(&self.least);
            return;
        }
        for ((&number, least), largest) in sample.iter().zip(&mut self.least).zip(&mut self.largest) {
            // The first sample's may be missing.
            if number < least.0 || least.0.is_nan() {
                *least = (number, index);
            }
            if number > largest.0 || largest.0.is_nan() {
                *largest = (number, index);
            }
        }
    }

    /// The first element that is not finite after normalization: its index, its sample and its value before.
    pub(super) fn overflow(&self, normalizer: &Normalizer) -> Option<(usize, usize, f32)> {
        for extremes in [&self.least, &self.largest] {
            let mut numbers: Vec<f32> = extremes.iter().map(|extreme| extreme.0).collect();
            normalizer.apply(&mut numbers);
            if let Some(place) = numbers.iter().position(|number| !number.is_finite()) {
                let (number, index) = *extremes.get(place)?;
                return Some((place, index, number));
            }
        }
        None
    }
}
