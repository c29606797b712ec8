//! Images and labels in IDX files, the format of MNIST.

use std::fmt;
use std::io::{BufRead, Read};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use super::Dataset;
use super::file::{self, Origin};
use super::memory::size;
use super::stored::{IN_MEMORY, Stored, at_most};
use crate::error::{Error, Result};
use crate::loss::TargetKind;
use crate::shape::{InputKind, Kind};

/// A pair of IDX files: images, and a label for each; plain or compressed with gzip.
///
/// Values are unsigned bytes. A pixel is divided by 255, so it is from 0 to 1; it stays a byte in
/// memory until it is read. The axes of the images are those of the input's kind, where an axis of
/// length 1 may be omitted: `Image<1, 28, 28>` is the kind of images of 28 by 28.
///
/// # Errors
/// [`Idx::read`] names the file if it is not an IDX file of bytes, if its axes are not those of the kind, if
/// it is cut short or continues after the last sample, or if the numbers of labels and images differ. A label that the kind does
/// not have is reported with its file when a run starts, unless the loss ignores it.
///
/// # Memory
/// One byte for each pixel and label, and at most three times the size of the files while they are read. A gzip file
/// holds at most 1,032 times its size, so a header that claims more is rejected at once. A file of more than 64 MiB that is not
/// compressed is not read into memory, but each sample when it is used; it must not change meanwhile.
///
/// # Example
/// ```
/// use trainspec::data::{Dataset, Idx};
/// use trainspec::{Class, Image};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let (images, labels) = (folder.path().join("images"), folder.path().join("labels"));
/// # std::fs::write(&images, [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255]).unwrap();
/// # std::fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 1, 7]).unwrap();
/// let data = Idx::<Image<1, 1, 2>, Class<10>>::read(images, labels)?;
/// let (mut image, mut class) = ([0.0; 2], [0]);
/// data.sample(0, &mut image, &mut class)?;
/// assert_eq!((image, class), ([0.0, 1.0], [7]));
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone)]
pub struct Idx<I, T> {
    parts: Vec<Part>,
    kinds: PhantomData<fn() -> (I, T)>,
}

/// The samples of a pair of files.
#[derive(Clone)]
struct Part {
    pixels: Stored,
    labels: Stored,
    first: usize,
    samples: usize,
    /// The file of the labels.
    path: PathBuf,
}

impl<I: InputKind + Kind<Element = f32>, T: TargetKind + Kind<Element = u32>> Idx<I, T> {
    /// Reads both files.
    ///
    /// # Errors
    /// If a file cannot be read, or if they do not hold samples of these kinds; see [`Idx`].
    pub fn read(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<Self> {
        let (images, labels) = (images.as_ref(), labels.as_ref());
        let pixels = bytes(images, I::SHAPE.axes())?;
        let classes = bytes(labels, T::SHAPE.axes())?;
        let count = (pixels.len() / size(I::NAME, I::SHAPE)? as u64) as usize;
        let answers = (classes.len() / size(T::NAME, T::SHAPE)? as u64) as usize;
        if count != answers {
            return Err(Error::Data {
                path: labels.to_owned(),
                line: None,
                problem: format!(
                    "{answers} labels; expected {count}, one for each image of {}",
                    images.display()
                ),
            });
        }
        let part = Part { pixels, labels: classes, first: 0, samples: count, path: labels.to_owned() };
        Ok(Self { parts: vec![part], kinds: PhantomData })
    }

    /// Appends the samples of another set.
    #[must_use]
    pub fn then(mut self, more: &Self) -> Self {
        let samples = Dataset::len(&self);
        self.parts.extend(more.parts.iter().map(|part| Part { first: samples + part.first, ..part.clone() }));
        self
    }

    fn part(&self, index: usize) -> Option<&Part> {
        let next = self.parts.partition_point(|part| part.first <= index);
        self.parts.get(next.checked_sub(1)?).filter(|part| index - part.first < part.samples)
    }
}

impl<I: InputKind + Kind<Element = f32>, T: TargetKind + Kind<Element = u32>> Dataset for Idx<I, T> {
    type Input = I;
    type Target = T;

    fn len(&self) -> usize {
        self.parts.last().map_or(0, |part| part.first + part.samples)
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [u32]) -> Result<()> {
        let missing = || Error::Dataset(format!("there is no sample {index}"));
        let part = self.part(index).ok_or_else(missing)?;
        let at = |length: usize| ((index - part.first) as u64).saturating_mul(length as u64);
        let pixels = part.pixels.read(at(input.len()), input.len(), |pixels| {
            input.iter_mut().zip(pixels).for_each(|(x, &pixel)| *x = f32::from(pixel) / 255.0);
        })?;
        let labels = part.labels.read(at(target.len()), target.len(), |labels| {
            target.iter_mut().zip(labels).for_each(|(class, &label)| *class = u32::from(label));
        })?;
        pixels.and(labels).ok_or_else(missing)
    }

    fn location(&self, index: usize) -> Option<String> {
        let part = self.part(index)?;
        Some(format!("{}: label {} (from 0)", part.path.display(), index - part.first))
    }
}

impl<I: Kind, T: Kind> fmt::Debug for Idx<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: u64 = self.parts.iter().map(|part| part.pixels.len()).sum();
        write!(f, "Idx({bytes} bytes of {} {})", I::NAME, I::SHAPE)
    }
}

/// The bytes of a file whose samples have these axes.
fn bytes(path: &Path, axes: &[usize]) -> Result<Stored> {
    let (origin, mut bytes) = file::open(path)?;
    let Header { samples, per_sample, length } = header(&origin, &mut bytes, axes)?;
    let expected = samples.saturating_mul(per_sample);
    // The header is not trusted with an allocation: its claim is compared with what the file can hold, and the
    // buffer grows as bytes are read.
    if let Some(most) = origin.most().filter(|most| origin.is_packed() && *most < expected) {
        return Err(origin.problem(format!(
            "the header declares {expected} bytes for {samples} samples, and a gzip file of this size holds at most {most}; \
             the file is damaged or not what its header says"
        )));
    }
    let check = |found: u64| {
        if found < expected {
            return Err(origin.problem(format!(
                "{found} bytes after the header; expected {expected} for {samples} samples; the file is cut short"
            )));
        }
        if found > expected {
            return Err(origin.problem(format!(
                "more than the {expected} bytes of {samples} samples; the file is damaged or not what its header \
                 says"
            )));
        }
        Ok(())
    };
    if let Some(found) = origin.most().filter(|_| !origin.is_packed()).map(|size| size.saturating_sub(length))
        && found > IN_MEMORY
    {
        check(found)?;
        let file = std::fs::File::open(path).map_err(Error::file(path))?;
        return Ok(Stored::in_file(file, path, length, found));
    }
    let body = at_most(&origin, &mut *bytes, expected.saturating_add(1))?;
    check(body.len() as u64)?;
    Ok(Stored::Memory(body.into()))
}

/// What the header of a file says.
struct Header {
    samples: u64,
    /// The bytes of each sample.
    per_sample: u64,
    /// The length of the header in bytes.
    length: u64,
}

/// Reads the number of samples and the bytes of each. The format: two zeros, the type of the values (8 for
/// unsigned bytes), the number of axes, and the length of each axis, the first of which counts samples, as
/// big-endian u32.
fn header(origin: &Origin, bytes: &mut dyn BufRead, expected: &[usize]) -> Result<Header> {
    let mut word = || {
        let mut word = Vec::new();
        (&mut *bytes).take(4).read_to_end(&mut word).map_err(|error| origin.unreadable(error))?;
        match word.as_slice() {
            &[a, b, c, d] => Ok(u32::from_be_bytes([a, b, c, d])),
            _ => Err(origin.problem("the file ends within its header; it is cut short")),
        }
    };
    let magic = word()?;
    let [0, 0, 8, rank] = magic.to_be_bytes() else {
        return Err(origin.problem(format!(
            "the magic number is {magic}; expected 2051 for images or 2049 for labels, as in an IDX file of \
             unsigned bytes"
        )));
    };
    if rank == 0 {
        return Err(origin.problem(format!("the magic number is {magic}, of a file without axes")));
    }
    let samples = u64::from(word()?);
    let axes = (1..rank).map(|_| word().map(|axis| axis as usize)).collect::<Result<Vec<_>>>()?;
    let wide = |axes: &[usize]| axes.iter().copied().filter(|&axis| axis != 1).collect::<Vec<_>>();
    if wide(&axes) != wide(expected) {
        return Err(origin.problem(format!("each sample is {axes:?}; expected {expected:?}")));
    }
    let per_sample = axes.iter().fold(1, |product: u64, &axis| product.saturating_mul(axis as u64));
    Ok(Header { samples, per_sample, length: 4 + 4 * u64::from(rank) })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;
    use crate::data::file::tests::{packed, problem};
    use crate::{Class, Image};

    type Pictures = Idx<Image<1, 2, 3>, Class<4>>;

    /// An IDX file: the axes, then ascending bytes from 0.
    fn idx(axes: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, axes.len() as u8];
        bytes.extend(axes.iter().flat_map(|axis| axis.to_be_bytes()));
        bytes.extend((0..axes.iter().product::<u32>()).map(|number| number as u8));
        bytes
    }

    fn read(images: &[u8], labels: &[u8]) -> Result<Pictures> {
        let folder = tempfile::tempdir().unwrap();
        let (x, y) = (folder.path().join("x"), folder.path().join("y"));
        std::fs::write(&x, images).unwrap();
        std::fs::write(&y, labels).unwrap();
        Pictures::read(x, y)
    }

    #[test]
    fn pixels_are_scaled_to_unit_range() {
        for packed in [|bytes: Vec<u8>| bytes, |bytes: Vec<u8>| packed(&bytes)] {
            let data = read(&packed(idx(&[2, 2, 3])), &packed(idx(&[2]))).unwrap();
            let (mut input, mut target) = ([0.0; 6], [0]);
            data.sample(1, &mut input, &mut target).unwrap();
            assert_eq!(input, [6.0, 7.0, 8.0, 9.0, 10.0, 11.0].map(|pixel| pixel / 255.0));
            assert_eq!((data.len(), target), (2, [1]));
            assert!(data.sample(2, &mut input, &mut target).is_err());
        }
    }

    #[test]
    fn data_sets_can_be_concatenated() {
        let data = || read(&idx(&[2, 2, 3]), &idx(&[2])).unwrap();
        let (mut input, mut target) = ([0.0; 6], [9]);
        let both = data().then(&data());
        both.sample(2, &mut input, &mut target).unwrap();
        assert_eq!((both.len(), input[1], target), (4, 1.0 / 255.0, [0]));
    }

    #[test]
    fn axis_of_length_1_is_optional() {
        assert!(read(&idx(&[2, 1, 2, 3]), &idx(&[2, 1])).is_ok());
    }

    #[test]
    fn malformed_image_file_is_rejected() {
        let long = [idx(&[2, 2, 3]), vec![0]].concat();
        let short = idx(&[2, 2, 3])[..20].to_vec();
        let huge = [[0, 0, 8, 3].as_slice(), &[0xFF; 4], &[0, 0, 0, 2, 0, 0, 0, 3, 1]].concat();
        for (bytes, sentence) in [
            (vec![], "x: the file ends within its header; it is cut short"),
            (vec![0, 0, 8, 3, 0, 0], "x: the file ends within its header; it is cut short"),
            (
                vec![0, 0, 13, 3],
                "x: the magic number is 3331; expected 2051 for images or 2049 for labels, as in an IDX file of \
                 unsigned bytes",
            ),
            (vec![0, 0, 8, 0], "x: the magic number is 2048, of a file without axes"),
            (idx(&[2, 3, 2]), "x: each sample is [3, 2]; expected [1, 2, 3]"),
            (idx(&[2]), "x: each sample is []; expected [1, 2, 3]"),
            (short, "x: 4 bytes after the header; expected 12 for 2 samples; the file is cut short"),
            (long, "x: more than the 12 bytes of 2 samples; the file is damaged or not what its header says"),
            (
                huge,
                "x: 1 bytes after the header; expected 25769803770 for 4294967295 samples; the file is cut short",
            ),
        ] {
            assert_eq!(problem("x", &bytes, bytes_of_pictures), sentence);
        }
        let cut = &packed(&idx(&[2, 2, 3]))[..15];
        let said = problem("x", cut, bytes_of_pictures);
        assert!(said.starts_with("x: the gzip file is damaged or cut short ("), "{said}");
    }

    fn bytes_of_pictures(path: &Path) -> Result<u64> {
        bytes(path, Image::<1, 2, 3>::SHAPE.axes()).map(|bytes| bytes.len())
    }

    #[test]
    fn label_count_and_range_are_checked() {
        let images = idx(&[5, 2, 3]);
        let said = |labels: Vec<u8>| {
            let folder = tempfile::tempdir().unwrap();
            let x = folder.path().join("x");
            std::fs::write(&x, &images).unwrap();
            let said = problem("y", &labels, |y| Pictures::read(&x, y));
            said.replace(&format!("{}/", folder.path().display()), "")
        };
        assert_eq!(said(idx(&[4])), "y: 4 labels; expected 5, one for each image of x");
        // Only the loss decides whether a label can be used.
        let folder = tempfile::tempdir().unwrap();
        let (x, y) = (folder.path().join("x"), folder.path().join("y"));
        std::fs::write(&x, &images).unwrap();
        std::fs::write(&y, idx(&[5])).unwrap();
        let data = Pictures::read(&x, &y).unwrap();
        let data = data.clone().then(&data);
        assert_eq!(data.location(9), Some(format!("{}: label 4 (from 0)", y.display())));
        assert_eq!(said(images.clone()), "y: each sample is [2, 3]; expected []");
    }
}
