//! Image files as samples.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Mutex;

use super::decode::Decoder;
use crate::data::Dataset;
use crate::data::memory::row;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::loss::TargetKind;
use crate::shape::{InputKind, Kind};

/// Images in files, each with its class. [`ImageFolder::read`](super::ImageFolder::read) creates them.
#[derive(Clone)]
pub struct ImageFiles<I, T> {
    files: Vec<(PathBuf, u32)>,
    names: Vec<String>,
    decoder: Decoder,
    /// The values of all images, unless they are decoded when they are used.
    pixels: Option<Vec<u8>>,
    kinds: PhantomData<fn() -> (I, T)>,
}

/// The most problems in one message.
const SHOWN: usize = 5;

impl<I, T> ImageFiles<I, T> {
    pub(super) fn new(
        files: Vec<(PathBuf, u32)>,
        names: Vec<String>,
        decoder: Decoder,
        on_demand: bool,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let mut pixels = Vec::new();
        let size = if on_demand { 0 } else { decoder.size() };
        let total = files.len().saturating_mul(size);
        pixels.try_reserve_exact(total).map_err(|_| {
            Error::Dataset(format!(
                "the system cannot allocate {} for {} images; expected smaller images, or `.on_demand()`",
                crate::format::bytes(total as u64),
                files.len()
            ))
        })?;
        pixels.resize(total, 0);
        let work = |path: &PathBuf, to: &mut [u8]| match to {
            [] => decoder.check(path),
            to => decoder.decode(path, to),
        };
        each(&files, &mut pixels, size, interrupt, work)?;
        let pixels = Some(pixels).filter(|_| !on_demand);
        Ok(Self { files, names, decoder, pixels, kinds: PhantomData })
    }

    /// The names of the classes, in the order of their numbers.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.names
    }
}

/// Does `work` for each file and its part of the values, on several threads. The result does not depend on their number.
fn each(
    files: &[(PathBuf, u32)],
    pixels: &mut [u8],
    size: usize,
    interrupt: &Interrupt,
    work: impl Fn(&PathBuf, &mut [u8]) -> Result<()> + Sync,
) -> Result<()> {
    let mut chunks = pixels.chunks_exact_mut(size.max(1));
    let places =
        files.iter().enumerate().map(|(number, (path, _))| (number, path, chunks.next().unwrap_or_default()));
    let queue = Mutex::new(places);
    let problems = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8).min(files.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let Some((number, path, to)) = next.filter(|_| interrupt.requested().is_none()) else {
                        break;
                    };
                    if let (Err(error), Ok(mut problems)) = (work(path, to), problems.lock()) {
                        problems.push((number, error));
                    }
                }
            });
        }
    });
    interrupt.check()?;
    let mut problems = problems.into_inner().unwrap_or_default();
    problems.sort_by_key(|(number, _)| *number);
    let count = problems.len();
    if count < 2 {
        return problems.pop().map_or(Ok(()), |(_, error)| Err(error));
    }
    let mut shown: Vec<_> = problems.iter().take(SHOWN).map(|(_, error)| error.to_string()).collect();
    if count > SHOWN {
        shown.push(format!("and {} more", count - SHOWN));
    }
    Err(Error::Dataset(format!("{count} of {} images cannot be used: {}", files.len(), shown.join(". "))))
}

impl<I: InputKind + Kind<Element = f32>, T: TargetKind + Kind<Element = u32>> Dataset for ImageFiles<I, T> {
    type Input = I;
    type Target = T;

    fn len(&self) -> usize {
        self.files.len()
    }

    fn sample(&self, index: usize, input: &mut [f32], target: &mut [u32]) -> Result<()> {
        let Some((path, class)) = self.files.get(index) else {
            return Err(Error::Dataset(format!("there is no sample {index}")));
        };
        let write = |input: &mut [f32], pixels: &[u8]| {
            input.iter_mut().zip(pixels).for_each(|(x, &pixel)| *x = f32::from(pixel) / 255.0);
        };
        match &self.pixels {
            Some(pixels) => write(input, row(pixels, index, input.len())?),
            None => {
                let mut pixels = vec![0; self.decoder.size()];
                self.decoder.decode(path, &mut pixels)?;
                write(input, &pixels);
            }
        }
        target.fill(*class);
        Ok(())
    }

    fn class_names(&self, target: usize) -> &[String] {
        if target == 0 { &self.names } else { &[] }
    }

    fn location(&self, index: usize) -> Option<String> {
        Some(self.files.get(index)?.0.display().to_string())
    }
}

impl<I: Kind, T: Kind> fmt::Debug for ImageFiles<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ImageFiles({} of {} {}, {} classes)",
            self.files.len(),
            I::NAME,
            I::SHAPE,
            self.names.len()
        )
    }
}
