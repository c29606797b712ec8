//! Arrays in NumPy's formats.

use std::fmt;
use std::io::BufRead;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use super::Dataset;
use super::file;
use super::memory::{size, whole_number};
use super::stored::{IN_MEMORY, Stored, at_most};
use crate::error::{Error, Result};
use crate::loss::TargetKind;
use crate::shape::{Element, InputKind, Kind, Shape};
use header::{Header, Type};

mod header;
mod zip;

/// Two arrays of NumPy, with the inputs and the targets: two files of `numpy.save`, or two arrays of `numpy.savez`.
///
/// The first axis of each array counts the samples; the others are those of the kind, where an axis of length 1 may be omitted. So
/// `Image<1, 28, 28>` and `Class<10>` are arrays of the shapes `(N, 28, 28)` and `(N,)`. Their values may be of the types `bool`,
/// `uint8` to `uint64`, `int8` to `int64`, `float32` and `float64`, little-endian and in C order. They are used unchanged, except that
/// they are rounded to f32; [`Npy::scale`] brings bytes into the range from 0 to 1.
///
/// # Errors
/// [`Npy::read`] names the file of an array of another shape, type or order, with the NumPy call that changes it; and a file that is
/// shorter or longer than its header says. A value that is not finite, or not a class or token, is reported with its sample when
/// it is read.
///
/// # Memory
/// An array of up to 64 MiB is read into memory, with the type of its file. Of a larger file, each sample is read when it is used, so
/// that data may be larger than memory; it must not change meanwhile. A compressed array is always read into memory.
///
/// # Example
/// ```
/// use trainspec::data::{Dataset, Npy};
/// use trainspec::{Class, Features};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let (x, y) = (folder.path().join("x.npy"), folder.path().join("y.npy"));
/// # let array = |values: &str, shape: &str, bytes: &[u8]| {
/// #     let header = format!("{{'descr': '{values}', 'fortran_order': False, 'shape': {shape}, }}\n");
/// #     [b"\x93NUMPY\x01\0".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), bytes].concat()
/// # };
/// # std::fs::write(&x, array("|u1", "(2, 3)", &[0, 51, 102, 153, 204, 255])).unwrap();
/// # std::fs::write(&y, array("|u1", "(2,)", &[1, 0])).unwrap();
/// // numpy.save("x.npy", numpy.array([[0, 51, 102], [153, 204, 255]], dtype="uint8"))
/// // numpy.save("y.npy", numpy.array([1, 0]))
/// let data = Npy::<Features<3>, Class<2>>::read(x, y)?.scale(1.0 / 255.0);
/// let (mut input, mut target) = ([0.0; 3], [0]);
/// data.sample(1, &mut input, &mut target)?;
/// assert_eq!((input, target), ([0.6, 0.8, 1.0], [0]));
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone)]
pub struct Npy<I, T> {
    inputs: Array,
    targets: Array,
    scale: f64,
    kinds: PhantomData<fn() -> (I, T)>,
}

/// An array whose first axis counts samples.
#[derive(Clone)]
struct Array {
    path: PathBuf,
    /// The array's name in its file, if there are several.
    name: Option<String>,
    values: Type,
    samples: usize,
    bytes: Stored,
}

impl<I: InputKind, T: TargetKind> Npy<I, T> {
    /// Opens two files of `numpy.save`.
    ///
    /// # Errors
    /// If a file cannot be read, or if they do not hold samples of these kinds; see [`Npy`].
    pub fn read(inputs: impl AsRef<Path>, targets: impl AsRef<Path>) -> Result<Self> {
        let (inputs, targets) = (inputs.as_ref(), targets.as_ref());
        Self::new(Array::open(inputs, I::NAME, I::SHAPE)?, Array::open(targets, T::NAME, T::SHAPE)?)
    }

    /// Opens two arrays of one file of `numpy.savez` or `numpy.savez_compressed`, by their names.
    ///
    /// ```no_run
    /// use trainspec::data::Npy;
    /// use trainspec::{Class, Image};
    ///
    /// // numpy.savez("digits.npz", images=images, labels=labels)
    /// let data = Npy::<Image<1, 8, 8>, Class<10>>::read_npz("digits.npz", "images", "labels")?;
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Npy::read`], and if the file has no arrays of these names.
    pub fn read_npz(path: impl AsRef<Path>, inputs: &str, targets: &str) -> Result<Self> {
        let path = path.as_ref();
        let inputs = Array::in_archive(path, inputs, I::NAME, I::SHAPE)?;
        Self::new(inputs, Array::in_archive(path, targets, T::NAME, T::SHAPE)?)
    }

    /// Multiplies each input value by this number: `1.0 / 255.0` for bytes of images. The model then expects the product, for
    /// predictions too.
    #[must_use]
    pub fn scale(mut self, factor: f64) -> Self {
        self.scale *= factor;
        self
    }

    fn new(inputs: Array, targets: Array) -> Result<Self> {
        if inputs.samples != targets.samples {
            let (found, expected) = (targets.samples, inputs.samples);
            return Err(targets.problem(&format!(
                "{found} targets; expected {expected}, one for each input of {}",
                inputs.shown()
            )));
        }
        Ok(Self { inputs, targets, scale: 1.0, kinds: PhantomData })
    }
}

impl Array {
    fn open(path: &Path, kind: &str, shape: Shape) -> Result<Self> {
        let (origin, mut bytes) = file::open(path)?;
        let header = Header::read(&origin, "", &mut *bytes)?;
        let samples = samples(&header, kind, shape).map_err(|text| origin.problem(text))?;
        let expected = header.bytes();
        let stored = origin.most().filter(|_| !origin.is_packed());
        let bytes = match stored {
            Some(size) => {
                let found = size.saturating_sub(header.length);
                exact(found, expected, &header).map_err(|text| origin.problem(text))?;
                if found > IN_MEMORY {
                    let file = std::fs::File::open(path).map_err(Error::file(path))?;
                    Stored::in_file(file, path, header.length, found)
                } else {
                    content(&origin, &mut *bytes, &header)?
                }
            }
            None => content(&origin, &mut *bytes, &header)?,
        };
        Ok(Self { path: path.to_owned(), name: None, values: header.values, samples, bytes })
    }

    fn problem(&self, problem: &str) -> Error {
        let name = self.name.as_ref().map(|name| format!("array `{name}`: ")).unwrap_or_default();
        Error::Data { path: self.path.clone(), line: None, problem: format!("{name}{problem}") }
    }

    fn shown(&self) -> String {
        match &self.name {
            Some(name) => format!("`{name}`"),
            None => self.path.display().to_string(),
        }
    }

    /// Writes a sample, each value of which `change` may change.
    fn sample<E: Element>(
        &self,
        index: usize,
        to: &mut [E],
        shape: Shape,
        change: impl Fn(f64) -> f64,
    ) -> Result<()> {
        let length = to.len().saturating_mul(self.values.size());
        let start = (index as u64).saturating_mul(length as u64);
        let wrong = self.bytes.read(start, length, |bytes| {
            let values = to.iter_mut().zip(self.values.values(bytes)).enumerate();
            values.into_iter().find_map(|(place, (to, value))| match E::from_number(change(value)) {
                Some(number) => {
                    *to = number;
                    None
                }
                None => Some((place, value)),
            })
        })?;
        match wrong {
            None => Err(Error::Dataset(format!("there is no sample {index}"))),
            Some(None) => Ok(()),
            Some(Some((place, value))) => {
                let expected = match shape.vocabulary() {
                    Some(known) => whole_number(known, Some(value)),
                    None => "a finite number".to_owned(),
                };
                let place = if shape.rank() == 0 { String::new() } else { format!("element {place} of ") };
                Err(self.problem(&format!("{place}sample {index} (from 0) is {value}; expected {expected}")))
            }
        }
    }
}

/// The number of samples of an array, whose other axes must be those of the kind.
fn samples(header: &Header, kind: &str, shape: Shape) -> Result<usize, String> {
    size(kind, shape).map_err(|error| error.to_string())?;
    let wide = |axes: &[usize]| axes.iter().copied().filter(|&axis| axis != 1).collect::<Vec<_>>();
    let (samples, axes) =
        header.shape.split_first().map_or((None, &[][..]), |(first, axes)| (Some(*first), axes));
    if let Some(samples) = samples.filter(|_| wide(axes) == wide(shape.axes())) {
        return Ok(samples);
    }
    let of_kind: Vec<String> = shape.axes().iter().map(ToString::to_string).collect();
    let hint = match (shape.axes(), axes) {
        (&[channels, rows, columns], &[a, b, c]) if [rows, columns, channels] == [a, b, c] => {
            "; the channels seem to be last: save `x.transpose(0, 3, 1, 2)`"
        }
        ([], [_]) => "; if each row has a 1 at its class, save `y.argmax(axis=1)`",
        _ => "",
    };
    Err(format!(
        "the array has the shape {}; expected (N, {}) for N samples of `{kind}`{hint}",
        header.shown(),
        of_kind.join(", "),
    )
    .replace("(N, )", "(N,)"))
}

/// Checks the number of bytes after a header.
fn exact(found: u64, expected: u64, header: &Header) -> Result<(), String> {
    let (shape, values) = (header.shown(), header.values.name());
    if found < expected {
        return Err(format!(
            "{found} bytes after the header; expected {expected} for the shape {shape} of {values}; the file is cut short"
        ));
    }
    if found > expected {
        return Err(format!(
            "more than the {expected} bytes of the shape {shape} of {values}; the file is damaged or not what its header says"
        ));
    }
    Ok(())
}

/// Reads the values after a header into memory.
fn content(origin: &file::Origin, bytes: &mut dyn BufRead, header: &Header) -> Result<Stored> {
    let expected = header.bytes();
    if let Some(most) = origin.most().filter(|most| *most < expected) {
        return Err(origin.problem(format!(
            "the header declares {expected} bytes, and a file of this size holds at most {most}; the file is damaged or not what its \
             header says"
        )));
    }
    let body = at_most(origin, bytes, expected.saturating_add(1))?;
    exact(body.len() as u64, expected, header).map_err(|text| origin.problem(text))?;
    Ok(Stored::Memory(body.into()))
}

impl<I: InputKind, T: TargetKind> Dataset for Npy<I, T> {
    type Input = I;
    type Target = T;

    fn len(&self) -> usize {
        self.inputs.samples
    }

    fn sample(&self, index: usize, input: &mut [I::Element], target: &mut [T::Element]) -> Result<()> {
        self.inputs.sample(index, input, I::SHAPE, |value| value * self.scale)?;
        self.targets.sample(index, target, T::SHAPE, |value| value)
    }

    fn location(&self, index: usize) -> Option<String> {
        let _ = index;
        Some(self.inputs.path.display().to_string())
    }
}

impl<I: Kind, T: Kind> fmt::Debug for Npy<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [(I::NAME, I::SHAPE), (T::NAME, T::SHAPE)].map(|(name, shape)| format!("{name} {shape}"));
        write!(f, "Npy({} samples, {})", self.inputs.samples, kinds.join(" to "))
    }
}

#[cfg(test)]
mod tests;
