//! A data file, decompressed while it is read if it is gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;

use super::stream::Stream;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

/// The most bytes that one byte of gzip decompresses to: deflate writes up to 258 bytes with two bits.
const EXPANSION: u64 = 1032;

/// Where bytes come from, for messages.
pub(super) struct Origin {
    path: PathBuf,
    packed: bool,
    /// The size of the stored file; unknown for a pipe.
    size: Option<u64>,
}

/// The file's bytes. Its first two bytes decide whether it is gzip, not its name.
pub(super) fn open(path: &Path) -> Result<(Origin, Box<dyn BufRead>)> {
    let interrupt = Interrupt::current();
    let about = std::fs::metadata(path).map_err(Error::file(path))?;
    if about.is_file() || about.is_dir() {
        let file = File::open(path).map_err(Error::file(path))?;
        return unpacked(
            path,
            BufReader::new(Polled { file, interrupt }),
            about.is_file().then_some(about.len()),
        );
    }
    let stream = Stream::open(path.to_owned(), interrupt).map_err(Error::file(path))?;
    unpacked(path, BufReader::new(stream), None)
}

/// Reads a file until a stop is requested.
struct Polled<R> {
    file: R,
    interrupt: Interrupt,
}

impl<R: Read> Read for Polled<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Not as `ErrorKind::Interrupted`, after which a reader retries.
        self.interrupt.check().map_err(Error::from).map_err(io::Error::other)?;
        self.file.read(buffer)
    }
}

/// The same for bytes in memory.
pub(super) fn unpacked<'a>(
    path: &Path,
    mut bytes: impl BufRead + 'a,
    size: Option<u64>,
) -> Result<(Origin, Box<dyn BufRead + 'a>)> {
    let mut origin = Origin { path: path.to_owned(), packed: false, size };
    let start = start(&mut bytes, 64).map_err(|error| origin.unreadable(error))?;
    origin.packed = start.starts_with(&[0x1F, 0x8B]);
    let bytes = io::Cursor::new(start).chain(bytes);
    if origin.packed {
        return Ok((origin, Box::new(BufReader::new(Members(Some(GzDecoder::new(bytes)))))));
    }
    Ok((origin, Box::new(bytes)))
}

/// The first bytes, as many as `count` if there are so many: a pipe may return them one by one.
fn start(bytes: &mut impl Read, count: u64) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    bytes.take(count).read_to_end(&mut start)?;
    Ok(start)
}

/// The contents of a gzip file: consecutive members, possibly followed by zeros with which tapes and block
/// devices pad their blocks. `gzip -t` accepts the same.
struct Members<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(mut rest) = self.0.take().map(GzDecoder::into_inner) else { break };
            if !is_at_end(&mut rest)? {
                self.0 = Some(GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}

/// Returns whether only zeros follow a member.
fn is_at_end(rest: &mut impl BufRead) -> io::Result<bool> {
    let mut is_padded = false;
    loop {
        let bytes = rest.fill_buf()?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        if zeros < bytes.len() {
            return if is_padded || zeros > 0 {
                Err(io::Error::new(io::ErrorKind::InvalidData, "data after its zero padding"))
            } else {
                Ok(false)
            };
        }
        if zeros == 0 {
            return Ok(true);
        }
        rest.consume(zeros);
        is_padded = true;
    }
}

impl Origin {
    /// A file of this size that is not compressed.
    pub(super) fn of_file(path: &Path, size: u64) -> Self {
        Self { path: path.to_owned(), packed: false, size: Some(size) }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The most bytes that the decompressed file can have, if its size is known.
    pub(super) fn most(&self) -> Option<u64> {
        Some(self.size?.saturating_mul(if self.packed { EXPANSION } else { 1 }))
    }

    /// Whether the file is gzip.
    pub(super) fn is_packed(&self) -> bool {
        self.packed
    }

    /// Reserves memory for more bytes, or reports that the system cannot allocate it.
    pub(super) fn reserve<T>(&self, list: &mut Vec<T>, more: usize) -> Result<()> {
        if list.capacity() - list.len() >= more {
            return Ok(());
        }
        list.try_reserve(more).map_err(|_| {
            let bytes = list.len().saturating_mul(size_of::<T>()) as u64;
            self.problem(format!(
                "the system cannot allocate memory for more than the {} already read; expected a smaller file, or more \
                 memory",
                crate::format::bytes(bytes)
            ))
        })
    }

    /// An error in the content of the file.
    pub(super) fn problem(&self, problem: impl Into<String>) -> Error {
        Error::Data { path: self.path.clone(), line: None, problem: problem.into() }
    }

    /// An error in a line of the file, from 1.
    pub(super) fn problem_at(&self, line: u64, problem: impl Into<String>) -> Error {
        Error::Data { path: self.path.clone(), line: Some(line), problem: problem.into() }
    }

    /// A read error, of the decompressor or of the system.
    pub(super) fn unreadable(&self, source: io::Error) -> Error {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        if let Some(&Error::Interrupted(cause)) = source.get_ref().and_then(|error| error.downcast_ref()) {
            return Error::Interrupted(cause);
        }
        if self.packed && matches!(source.kind(), InvalidData | InvalidInput | UnexpectedEof) {
            return self.problem(format!(
                "the gzip file is damaged or cut short ({source}); replace it with an intact copy"
            ));
        }
        Error::File { path: self.path.clone(), cause: source }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{Read, Write};

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    /// Compresses bytes with gzip.
    pub(in crate::data) fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    /// Writes a file in a new folder, lets `read` fail on it, and returns the error without the folder's name.
    pub(in crate::data) fn problem<T: std::fmt::Debug>(
        name: &str,
        bytes: &[u8],
        read: impl FnOnce(&Path) -> Result<T>,
    ) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let problem = read(&path).unwrap_err().to_string();
        problem.replace(&format!("{}/", folder.path().display()), "")
    }

    fn text(path: &Path) -> Result<String> {
        let (origin, mut bytes) = open(path)?;
        let mut text = String::new();
        bytes.read_to_string(&mut text).map_err(|error| origin.unreadable(error))?;
        Ok(text)
    }

    #[test]
    fn gzip_and_plain_files_read_equally() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("named-anything");
        let twice = [packed(b"hel"), packed(b""), packed(b"lo")].concat();
        // As tapes and block devices pad it, also over the length of a buffer.
        let padded = [packed(b"hello"), vec![0; 20_000]].concat();
        for bytes in [b"hello".to_vec(), packed(b"hello"), twice, padded] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(text(&path).unwrap(), "hello");
        }
        std::fs::write(&path, b"").unwrap();
        assert_eq!(text(&path).unwrap(), "");
    }

    #[test]
    fn damaged_file_is_distinguished_from_system_error() {
        let whole = packed(b"hello, hello, hello");
        let cut = &whole[..whole.len() - 4];
        assert_eq!(
            problem("x.gz", cut, text),
            "x.gz: the gzip file is damaged or cut short (unexpected end of file); replace it with an intact copy"
        );
        let mut flipped = whole.clone();
        flipped[15] ^= 0xFF;
        assert!(problem("x.gz", &flipped, text).starts_with("x.gz: the gzip file is damaged or cut short ("));
        for behind in [b"more".as_slice(), b"\0\0more"] {
            let said = problem("x.gz", &[&whole, behind].concat(), text);
            assert!(said.starts_with("x.gz: the gzip file is damaged or cut short ("), "{said}");
        }
        let missing = text(Path::new("no-such-file")).unwrap_err().to_string();
        assert!(missing.starts_with("no-such-file: No such file"), "{missing}");
        assert!(matches!(text(Path::new("/")), Err(Error::File { .. })));
    }

    /// Compressed or not, in the middle of the file; the decompressor passes the error through unchanged.
    #[test]
    fn reading_stops_on_interruption() {
        let noise: Vec<u8> =
            (0..100_000_u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let folder = tempfile::tempdir().unwrap();
        for bytes in [packed(&noise), noise] {
            let path = folder.path().join("noise");
            std::fs::write(&path, bytes).unwrap();
            let interrupt = Interrupt::new();
            let (origin, mut bytes) = interrupt.during(|| open(&path)).unwrap();
            bytes.read_exact(&mut [0; 1000]).unwrap();
            interrupt.request();
            let error = bytes.read_to_end(&mut Vec::new()).unwrap_err();
            assert!(matches!(origin.unreadable(error), Error::Interrupted(_)));
            let Err(error) = interrupt.during(|| open(&path)) else { panic!("it was opened") };
            assert!(matches!(error, Error::Interrupted(_)), "{error}");
        }
    }
}
