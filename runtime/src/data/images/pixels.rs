//! The pixels of PNG and JPEG files.

use std::io::Cursor;
use std::path::Path;

use png::{BitDepth, ColorType, Limits, Transformations};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::decode::{LARGEST, problem};
use crate::error::{Error, Result};
use crate::files::{read_file, regular};

/// The most bytes of an image for each byte of its file: deflate and JPEG reach about 1,000, and one bit of a palette becomes up to
/// four bytes. A header that claims more is not trusted with an allocation.
const EXPANSION: u64 = 1032 * 32;

/// An image file whose header was read.
pub(super) enum ImageFile {
    Png(Box<png::Reader<Cursor<Vec<u8>>>>),
    Jpeg { decoder: Box<JpegDecoder<ZCursor<Vec<u8>>>>, orientation: u8 },
}

/// An image: row by row, the channels of a pixel next to each other.
pub(super) struct Pixels {
    rows: usize,
    columns: usize,
    channels: usize,
    pub(super) bytes: Vec<u8>,
}

/// Reads a file and its header.
pub(super) fn read(path: &Path) -> Result<ImageFile> {
    let size = regular(path).map_err(Error::file(path))?.len();
    let too_large = |what: String, bytes: u64| {
        let bytes = crate::format::bytes(bytes);
        problem(path, format!("{what} {bytes}; expected at most {}", crate::format::bytes(LARGEST)))
    };
    if size > LARGEST {
        return Err(too_large("the file has".to_owned(), size));
    }
    let file = read_file(path).map_err(Error::file(path))?;
    let file = if file.starts_with(b"\x89PNG\r\n\x1A\n") {
        let limits = Limits { bytes: LARGEST as usize };
        let mut decoder = png::Decoder::new_with_limits(Cursor::new(file), limits);
        decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        ImageFile::Png(Box::new(decoder.read_info().map_err(|error| damaged(path, &error))?))
    } else if file.starts_with(&[0xFF, 0xD8]) {
        if !has_end(&file) {
            return Err(problem(
                path,
                "the JPEG file is cut short; replace it with an intact copy".to_owned(),
            ));
        }
        let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
        let options = options.set_max_width(usize::from(u16::MAX)).set_max_height(usize::from(u16::MAX));
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
        decoder.decode_headers().map_err(|error| damaged(path, &error))?;
        let orientation = decoder.exif().and_then(|exif| orientation(exif)).unwrap_or(1);
        ImageFile::Jpeg { decoder: Box::new(decoder), orientation }
    } else {
        return Err(problem(path, "the file is neither PNG nor JPEG; expected one of them".to_owned()));
    };
    let (rows, columns) = file.size();
    // A decoder may need four bytes for a pixel.
    let bytes = (rows as u64).saturating_mul(columns as u64).saturating_mul(4);
    if bytes > LARGEST {
        return Err(too_large(format!("the image has {rows} rows and {columns} columns, which take"), bytes));
    }
    if bytes > size.saturating_mul(EXPANSION) {
        return Err(problem(
            path,
            format!(
                "the header declares {rows} rows and {columns} columns, more than a file of {size} bytes holds; the file is damaged"
            ),
        ));
    }
    Ok(file)
}

impl ImageFile {
    /// Its rows and columns.
    pub(super) fn size(&self) -> (usize, usize) {
        match self {
            Self::Png(reader) => (reader.info().height as usize, reader.info().width as usize),
            Self::Jpeg { decoder, orientation } => {
                let (columns, rows) = decoder.dimensions().unwrap_or_default();
                if *orientation >= 5 { (columns, rows) } else { (rows, columns) }
            }
        }
    }

    /// Decodes it.
    pub(super) fn pixels(self, path: &Path) -> Result<Pixels> {
        let (rows, columns) = self.size();
        match self {
            Self::Png(mut reader) => {
                let (color, depth) = reader.output_color_type();
                let channels = match (color, depth) {
                    (ColorType::Grayscale, BitDepth::Eight) => 1,
                    (ColorType::GrayscaleAlpha, BitDepth::Eight) => 2,
                    (ColorType::Rgb, BitDepth::Eight) => 3,
                    (ColorType::Rgba, BitDepth::Eight) => 4,
                    _ => return Err(Error::Internal("a PNG file was not expanded to 8 bits")),
                };
                let length = rows * columns * channels;
                let mut bytes = vec![0; reader.output_buffer_size().unwrap_or(length).min(LARGEST as usize)];
                reader.next_frame(&mut bytes).map_err(|error| damaged(path, &error))?;
                // Reads the checksum of the last part.
                reader.finish().map_err(|error| damaged(path, &error))?;
                bytes.truncate(length);
                Ok(Pixels { rows, columns, channels, bytes })
            }
            Self::Jpeg { mut decoder, orientation } => {
                let bytes = decoder.decode().map_err(|error| damaged(path, &error))?;
                let (of_columns, of_rows) = decoder.dimensions().unwrap_or_default();
                let pixels = Pixels { rows: of_rows, columns: of_columns, channels: 3, bytes };
                if pixels.bytes.len() != of_rows * of_columns * 3 {
                    return Err(damaged(path, &"another number of pixels than its header says"));
                }
                Ok(pixels.oriented(orientation, rows, columns))
            }
        }
    }
}

impl Pixels {
    /// The same with 1, 3 or 4 channels.
    pub(super) fn with_channels(self, channels: usize) -> Self {
        if channels == self.channels {
            return self;
        }
        let mut bytes = Vec::with_capacity(self.rows * self.columns * channels);
        for pixel in self.bytes.chunks_exact(self.channels) {
            let (color, alpha) = match *pixel {
                [gray] => ([gray; 3], u8::MAX),
                [gray, alpha] => ([gray; 3], alpha),
                [red, green, blue] => ([red, green, blue], u8::MAX),
                [red, green, blue, alpha, ..] => ([red, green, blue], alpha),
                [] => ([0; 3], u8::MAX),
            };
            match channels {
                1 => bytes.push(gray(color)),
                3 => bytes.extend(color),
                _ => {
                    bytes.extend(color);
                    bytes.push(alpha);
                }
            }
        }
        Self { channels, bytes, ..self }
    }

    /// The same with the orientation of Exif, a number from 1 to 8, applied.
    fn oriented(self, orientation: u8, rows: usize, columns: usize) -> Self {
        if !(2..=8).contains(&orientation) {
            return self;
        }
        let (bottom, right) = (self.rows.saturating_sub(1), self.columns.saturating_sub(1));
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for row in 0..rows {
            for column in 0..columns {
                let (row, column) = match orientation {
                    2 => (row, right - column),
                    3 => (bottom - row, right - column),
                    4 => (bottom - row, column),
                    5 => (column, row),
                    6 => (bottom - column, row),
                    7 => (bottom - column, right - row),
                    _ => (column, right - row),
                };
                let start = (row * self.columns + column) * self.channels;
                bytes.extend_from_slice(self.bytes.get(start..start + self.channels).unwrap_or_default());
            }
        }
        Self { rows, columns, channels: self.channels, bytes }
    }

    /// The same with this many rows and columns: each value is a mean of those near it, weighted by their distance.
    pub(super) fn resized(self, rows: usize, columns: usize) -> Self {
        if (rows, columns) == (self.rows, self.columns) {
            return self;
        }
        let channels = self.channels;
        let across = Weights::new(self.columns, columns);
        let mut wide = Vec::with_capacity(self.rows * columns * channels);
        for row in self.bytes.chunks_exact((self.columns * channels).max(1)) {
            for (start, weights) in across.of_each() {
                for channel in 0..channels {
                    let values = row.iter().skip(start * channels + channel).step_by(channels);
                    wide.push(
                        weights.iter().zip(values).map(|(weight, &value)| weight * f32::from(value)).sum(),
                    );
                }
            }
        }
        let down = Weights::new(self.rows, rows);
        let width = columns * channels;
        let mut bytes = Vec::with_capacity(rows * width);
        for (start, weights) in down.of_each() {
            for place in 0..width {
                let values = wide.iter().skip(start * width + place).step_by(width);
                let mean: f32 =
                    weights.iter().zip(values).map(|(weight, value): (&f32, &f32)| weight * value).sum();
                bytes.push(mean.round() as u8);
            }
        }
        Self { rows, columns, channels, bytes }
    }
}

/// The weights of the values that each value of a scaled line is a mean of.
struct Weights {
    starts: Vec<usize>,
    ends: Vec<usize>,
    list: Vec<f32>,
}

impl Weights {
    /// A triangle around the center of each new value; as wide as two old values, or two new ones where these are larger.
    fn new(from: usize, to: usize) -> Self {
        let scale = from as f64 / to.max(1) as f64;
        let radius = scale.max(1.0);
        let (mut starts, mut ends, mut list) = (Vec::new(), Vec::new(), Vec::new());
        for place in 0..to {
            let center = (place as f64 + 0.5) * scale;
            let start = (center - radius).floor().max(0.0) as usize;
            let end = ((center + radius).ceil() as usize).min(from);
            let weight = |old: usize| (1.0 - ((old as f64 + 0.5 - center) / radius).abs()).max(0.0);
            let sum: f64 = (start..end).map(weight).sum();
            list.extend((start..end).map(|old| (weight(old) / sum) as f32));
            starts.push(start);
            ends.push(list.len());
        }
        Self { starts, ends, list }
    }

    /// For each value the first old one, and its weight and those of the next ones.
    fn of_each(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let mut first = 0;
        self.starts.iter().zip(&self.ends).map(move |(&start, &end)| {
            let weights = self.list.get(first..end).unwrap_or_default();
            first = end;
            (start, weights)
        })
    }
}

/// The brightness of a color, with the weights of ITU-R BT.601.
fn gray([red, green, blue]: [u8; 3]) -> u8 {
    let sum = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
    ((sum + 500) / 1000) as u8
}

/// The orientation in the Exif data of a JPEG file: TIFF, whose first directory has it as the number of the tag 0x0112.
fn orientation(exif: &[u8]) -> Option<u8> {
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let is_little = match exif.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let number = |at: usize, length: usize| {
        let bytes = exif.get(at..at.checked_add(length)?)?.iter();
        let add = |number: usize, byte: &u8| number << 8 | usize::from(*byte);
        Some(if is_little { bytes.rev().fold(0, add) } else { bytes.fold(0, add) })
    };
    let directory = number(4, 4)?;
    let entries = number(directory, 2)?;
    let mut entries = (0..entries).map(|entry| directory + 2 + entry * 12);
    let entry = entries.find(|&entry| number(entry, 2) == Some(0x0112))?;
    u8::try_from(number(entry + 8, 2)?).ok().filter(|orientation| (1..=8).contains(orientation))
}

/// Whether a JPEG file has its end marker. Without it, the decoder fills the missing part of the image with gray.
///
/// The format: markers of 0xFF and a code, most with a length in two bytes that includes these. The data after the marker 0xDA have
/// no length; in them, 0xFF is followed by 0 or by a restart marker, 0xD0 to 0xD7.
fn has_end(file: &[u8]) -> bool {
    let mut at = 2;
    loop {
        let Some(&[first, code]) = file.get(at..).and_then(|rest| rest.first_chunk()) else { return false };
        match (first, code) {
            (0xFF, 0xD9) => return true,
            (0xFF, 0x01 | 0xD0..=0xD8) => at += 2,
            (0xFF, 0x02..=0xFE) => {
                let Some(&length) = file.get(at + 2..).and_then(|rest| rest.first_chunk()) else {
                    return false;
                };
                at += 2 + usize::from(u16::from_be_bytes(length)).max(2);
            }
            // Data, or fill bytes before a marker.
            _ => match memchr::memchr(0xFF, file.get(at + 1..).unwrap_or_default()) {
                Some(distance) => at += 1 + distance,
                None => return false,
            },
        }
    }
}

/// The error of a file that cannot be decoded.
fn damaged(path: &Path, error: &dyn std::fmt::Display) -> Error {
    let error = crate::format::plain(&error.to_string(), 200);
    problem(path, format!("the image cannot be decoded ({error}); replace it with an intact copy"))
}
