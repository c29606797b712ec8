//! Arrays in an archive of NumPy, a ZIP file.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::DeflateDecoder;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::header::Header;
use super::{Array, exact, samples};
use crate::data::file::Origin;
use crate::data::stored::{IN_MEMORY, Stored, at_most};
use crate::error::{Error, Result};
use crate::files::regular;
use crate::format::plain;
use crate::interrupt::Interrupt;
use crate::shape::Shape;

/// The most arrays of an archive.
const MOST: usize = 10_000;

/// Where an array lies in its archive.
struct Member {
    start: u64,
    stored: u64,
    size: u64,
    crc: u32,
    is_packed: bool,
}

impl Array {
    /// Opens an array of an archive by its name.
    pub(super) fn in_archive(path: &Path, name: &str, kind: &str, shape: Shape) -> Result<Self> {
        let about = regular(path).map_err(Error::file(path))?;
        let origin = Origin::of_file(path, about.len());
        let what = format!("array `{}`: ", plain(name, 40));
        let wrong = |problem: String| origin.problem(format!("{what}{problem}"));
        let mut file = File::open(path).map_err(Error::file(path))?;
        let member = Member::find(&origin, &file, name)?;
        if member.start.checked_add(member.stored).is_none_or(|end| end > about.len()) {
            return Err(wrong("the archive is cut short; replace it with an intact copy".to_owned()));
        }
        file.seek(SeekFrom::Start(member.start)).map_err(Error::file(path))?;
        let mut summed = Summed::new(member.reader(&file));
        let mut bytes = BufReader::new(&mut summed);
        let header = Header::read(&origin, &what, &mut bytes)?;
        let samples = samples(&header, kind, shape).map_err(wrong)?;
        let expected = header.bytes();
        exact(member.size.saturating_sub(header.length), expected, &header).map_err(wrong)?;
        let bytes = if !member.is_packed && expected > IN_MEMORY {
            let file = File::open(path).map_err(Error::file(path))?;
            Stored::in_file(file, path, member.start + header.length, expected)
        } else {
            let body = at_most(&origin, &mut bytes, expected.saturating_add(1))?;
            exact(body.len() as u64, expected, &header).map_err(wrong)?;
            if summed.crc.sum() != member.crc {
                return Err(wrong(
                    "its checksum does not match; replace the archive with an intact copy".to_owned(),
                ));
            }
            Stored::Memory(body.into())
        };
        Ok(Self { path: path.to_owned(), name: Some(name.to_owned()), values: header.values, samples, bytes })
    }
}

impl Member {
    fn find(origin: &Origin, file: &File, name: &str) -> Result<Self> {
        let damaged = |error: ZipError| {
            match error {
            ZipError::Io(error) => origin.unreadable(error),
            error => origin.problem(format!(
                "this is not an archive of `numpy.savez` ({}); expected one, or `Npy::read` for files of `numpy.save`",
                plain(&error.to_string(), 100)
            )),
        }
        };
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
        let place = archive.index_for_name(&format!("{name}.npy")).or_else(|| archive.index_for_name(name));
        let Some(place) = place.filter(|_| archive.len() <= MOST) else {
            let names = archive.file_names().take(20).flatten();
            let names: Vec<_> =
                names.map(|name| format!("`{}`", plain(name.trim_end_matches(".npy"), 40))).collect();
            return Err(origin.problem(format!(
                "the archive has no array `{}`; found {} arrays: {}",
                plain(name, 40),
                archive.len(),
                names.join(", ")
            )));
        };
        let member = archive.by_index_raw(place).map_err(damaged)?;
        let is_packed = match member.compression() {
            CompressionMethod::STORE => false,
            CompressionMethod::DEFLATE => true,
            other => {
                return Err(origin.problem(format!(
                    "the array `{}` is compressed by {other}; expected an archive of `numpy.savez` or `numpy.savez_compressed`",
                    plain(name, 40)
                )));
            }
        };
        let Some(start) = member.data_start().filter(|_| !member.encrypted()) else {
            return Err(origin
                .problem(format!("the array `{}` is encrypted; expected one that is not", plain(name, 40))));
        };
        let (stored, size, crc) = (member.compressed_size(), member.size(), member.crc32());
        Ok(Self { start, stored, size, crc, is_packed })
    }

    /// Its bytes, decompressed; the file is at its start.
    fn reader<'a>(&self, file: &'a File) -> Box<dyn Read + 'a> {
        let bytes = BufReader::new(file).take(self.stored);
        if self.is_packed { Box::new(DeflateDecoder::new(bytes)) } else { Box::new(bytes) }
    }
}

/// Bytes with their checksum, until a stop is requested.
struct Summed<'a> {
    bytes: Box<dyn Read + 'a>,
    crc: flate2::Crc,
    interrupt: Interrupt,
}

impl<'a> Summed<'a> {
    fn new(bytes: Box<dyn Read + 'a>) -> Self {
        Self { bytes, crc: flate2::Crc::new(), interrupt: Interrupt::current() }
    }
}

impl Read for Summed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // Not as `ErrorKind::Interrupted`, after which a reader retries.
        self.interrupt.check().map_err(Error::from).map_err(std::io::Error::other)?;
        let read = self.bytes.read(buffer)?;
        self.crc.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}
