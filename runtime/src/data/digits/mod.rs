//! A small real data set that is embedded in the crate.

use super::{Csv, Dataset, InMemory, Split};
use crate::error::Result;
use crate::shape::{Class, Image};

/// 1,797 handwritten digits of 8 by 8 pixels, embedded: no file, no download.
///
/// Each pixel is a gray value from 0 to 1: the source's count of dark points in a 4 by 4 block, divided by
/// 16. The samples are in the order of the source, grouped by writer.
///
/// # Split
/// No writer is in two parts, so the test measures how well a model reads handwriting that it has not seen; a random
/// split would not. The source does not name its writers, but each one starts with the digits
/// from 0 to 9 three times, which shows where the parts can end:
///
/// | part | samples | |
/// | --- | --- | --- |
/// | training | 0 to 1286 | 1,287 |
/// | validation | 1287 to 1414 | 128, of one writer |
/// | test | 1437 to 1796 | 360 |
///
/// The 22 samples between validation and test belong to the first writer of the test part and are not used. So
/// the test part is the last fifth, as in other published results.
///
/// # License
/// CC BY 4.0: Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak (1998), UCI Machine
/// Learning Repository, <https://doi.org/10.24432/C50P49>. A program that embeds them must state this.
///
/// # Example
/// ```
/// use trainspec::data::{Dataset, Digits8x8};
///
/// let digits = Digits8x8::embedded()?;
/// let (mut image, mut class) = ([0.0; 64], [0]);
/// digits.sample(0, &mut image, &mut class)?;
/// assert_eq!((digits.len(), image[2], class), (1797, 5.0 / 16.0, [0]));
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Debug)]
pub struct Digits8x8 {
    samples: InMemory<Image<1, 8, 8>, Class<10>>,
}

impl Digits8x8 {
    /// The digits.
    ///
    /// # Errors
    /// None that a user can cause: the bytes are part of the crate and are tested with it.
    pub fn embedded() -> Result<Self> {
        let samples: InMemory<_, _> =
            Csv::open("digits.csv.gz").read_bytes(include_bytes!("digits.csv.gz"))?;
        Ok(Self { samples: samples.map_inputs(|grey| grey / 16.0) })
    }
}

impl Dataset for Digits8x8 {
    type Input = Image<1, 8, 8>;
    type Target = Class<10>;

    fn len(&self) -> usize {
        self.samples.len()
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [u32]) -> Result<()> {
        self.samples.sample(index, input, target)
    }

    fn split(&self) -> Split {
        Split::Fixed { train: 0..1287, validation: 1287..1415, test: 1437..1797 }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;
    use crate::data::PreparedDataset;
    use crate::shape::Elements;

    #[test]
    fn embedded_digits_match_published_statistics() {
        let digits = PreparedDataset::new(Box::new(Digits8x8::embedded().unwrap()), 1).unwrap();
        let all = digits.batch(&(0..1797).collect::<Vec<_>>()).unwrap();
        let (Elements::Float(pixels), Elements::Int(classes)) =
            (&all.inputs[0].elements, &all.targets[0].elements)
        else {
            panic!("images are real, classes whole");
        };
        assert!(pixels.iter().all(|grey| (0.0..=1.0).contains(grey) && (grey * 16.0).fract() == 0.0));
        // The digits' sum of gray values, computed with NumPy from the same file.
        assert_eq!(pixels.iter().map(|grey| f64::from(*grey)).sum::<f64>() * 16.0, 561_718.0);
        assert_eq!(&classes[..12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
        assert_eq!((digits.train().len(), digits.validation().len(), digits.test().len()), (1287, 128, 360));
        // Both ends of the validation part are where a writer starts.
        let begins: Vec<u32> = (0..30).map(|place| place % 10).collect();
        for writer in [1287, 1415] {
            assert_eq!(classes[writer..writer + 30], begins);
        }
    }
}
