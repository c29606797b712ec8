//! MNIST, from its four files.

use std::path::{Path, PathBuf};

use super::{Dataset, Idx, Split};
use crate::error::{Error, Result};
use crate::shape::{Class, Image};

/// 70,000 handwritten digits of 28 by 28 pixels (`LeCun`, Cortes and Burges 1998), or another data set in
/// the same format, such as Fashion-MNIST.
///
/// Pixels are from 0 to 1. The 60,000 training samples come first, then the 10,000 test samples. The
/// last 5,000 training samples are the validation part.
///
/// # Errors
/// [`Mnist::open`] names the file that is missing, damaged (see [`Idx`]), or has the wrong number of
/// samples.
///
/// # Example
/// ```no_run
/// use trainspec::data::{Dataset, Mnist};
///
/// let data = Mnist::open("mnist")?;
/// assert_eq!(data.len(), 70_000);
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mnist {
    samples: Idx<Image<1, 28, 28>, Class<10>>,
}

impl Mnist {
    const TRAIN: usize = 60_000;
    const TEST: usize = 10_000;
    const VALIDATION: usize = 5_000;

    /// Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    /// `t10k-labels-idx1-ubyte` in a folder, each with or without `.gz` appended.
    ///
    /// # Errors
    /// If one of them is missing or cannot be used.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let read = |part: &str, expected: usize| {
            let images = find(folder, &format!("{part}-images-idx3-ubyte"))?;
            let samples = Idx::read(&images, find(folder, &format!("{part}-labels-idx1-ubyte"))?)?;
            match samples.len() {
                found if found == expected => Ok(samples),
                found => Err(Error::Data {
                    path: images,
                    line: None,
                    problem: format!(
                        "{found} images; expected {expected}; for a subset or other images use `Idx::read`"
                    ),
                }),
            }
        };
        let train = read("train", Self::TRAIN)?;
        Ok(Self { samples: train.then(&read("t10k", Self::TEST)?) })
    }
}

impl Dataset for Mnist {
    type Input = Image<1, 28, 28>;
    type Target = Class<10>;

    fn len(&self) -> usize {
        self.samples.len()
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [u32]) -> Result<()> {
        self.samples.sample(index, input, target)
    }

    fn location(&self, index: usize) -> Option<String> {
        self.samples.location(index)
    }

    fn split(&self) -> Split {
        let learned = Self::TRAIN - Self::VALIDATION;
        Split::Fixed {
            train: 0..learned,
            validation: learned..Self::TRAIN,
            test: Self::TRAIN..Self::TRAIN + Self::TEST,
        }
    }
}

/// Finds the file with this name, plain or compressed.
fn find(folder: &Path, name: &str) -> Result<PathBuf> {
    let plain = folder.join(name);
    let packed = folder.join(format!("{name}.gz"));
    if plain.is_file() {
        return Ok(plain);
    }
    if packed.is_file() {
        return Ok(packed);
    }
    Err(Error::Data {
        path: plain,
        line: None,
        problem: "no such file, and none with `.gz` appended".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::file::tests::packed;

    fn write(folder: &Path, part: &str, count: u32, ending: &str) {
        let pixels = [[0, 0, 8, 3].as_slice(), &count.to_be_bytes(), &[0, 0, 0, 28, 0, 0, 0, 28]].concat();
        let pixels = [pixels, vec![255; 784 * count as usize]].concat();
        let labels = [[0, 0, 8, 1].as_slice(), &count.to_be_bytes(), &vec![9; count as usize]].concat();
        for (name, bytes) in [("images-idx3", pixels), ("labels-idx1", labels)] {
            let bytes = if ending.is_empty() { bytes } else { packed(&bytes) };
            std::fs::write(folder.join(format!("{part}-{name}-ubyte{ending}")), bytes).unwrap();
        }
    }

    #[test]
    fn train_and_test_files_form_one_data_set() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "train", 60_000, ".gz");
        let said = Mnist::open(folder.path()).unwrap_err().to_string();
        assert!(
            said.ends_with("t10k-images-idx3-ubyte: no such file, and none with `.gz` appended"),
            "{said}"
        );
        write(folder.path(), "t10k", 9, "");
        let said = Mnist::open(folder.path()).unwrap_err().to_string();
        assert!(
            said.ends_with(
                "t10k-images-idx3-ubyte: 9 images; expected 10000; for a subset or other images use \
                 `Idx::read`"
            ),
            "{said}"
        );
        write(folder.path(), "t10k", 10_000, "");
        let data = Mnist::open(folder.path()).unwrap();
        assert_eq!(data.len(), 70_000);
        assert!(data.split().check().is_ok());
    }
}
