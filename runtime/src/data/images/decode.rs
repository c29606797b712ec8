//! Decodes one image into the values of a sample.

use std::path::Path;

use super::pixels::read;
use crate::error::{Error, Result};

/// The most bytes of a file, and of a decoded image.
pub(super) const LARGEST: u64 = 256 << 20;

/// How an image is scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resize {
    Never,
    /// To these rows and columns.
    To(usize, usize),
    /// Its shorter side to this length.
    Shorter(usize),
}

/// Decodes images into bytes of one shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decoder {
    kind: &'static str,
    channels: usize,
    rows: usize,
    columns: usize,
    resize: Resize,
    crop: bool,
}

impl Decoder {
    /// A decoder for images of these axes, or why they cannot be of this size.
    pub(super) fn new(
        kind: &'static str,
        [channels, rows, columns]: [usize; 3],
        resize: Resize,
        crop: bool,
    ) -> Result<Self> {
        let problem = |problem: String| Err(Error::Dataset(format!("`ImageFolder`: {problem}")));
        let expected = format!("`{kind}<{channels}, {rows}, {columns}>`");
        let longest = LARGEST as usize;
        let sides = match resize {
            Resize::Never => [1, 1],
            Resize::To(rows, columns) => [rows, columns],
            Resize::Shorter(side) => [side, side],
        };
        if sides.contains(&0) || sides[0].saturating_mul(sides[1]) > longest {
            return problem(format!(
                "the images are resized to {} by {} pixels; expected at least 1 by 1 and at most {longest} in all",
                sides[0], sides[1]
            ));
        }
        match resize {
            Resize::To(of_rows, of_columns) if crop && (of_rows < rows || of_columns < columns) => {
                problem(format!(
                    "`.resize({of_rows}, {of_columns})` is smaller than {expected}, to which `.crop()` cuts; expected at least \
                 `.resize({rows}, {columns})`"
                ))
            }
            Resize::To(of_rows, of_columns) if !crop && (of_rows, of_columns) != (rows, columns) => {
                problem(format!(
                    "`.resize({of_rows}, {of_columns})` does not fit {expected}; write `.resize({rows}, {columns})`, or add `.crop()`"
                ))
            }
            Resize::Shorter(side) if !crop => problem(format!(
                "`.resize_shorter({side})` leaves the longer side as it is; add `.crop()`, or use `.resize({rows}, {columns})`"
            )),
            Resize::Shorter(side) if side < rows.min(columns) => problem(format!(
                "`.resize_shorter({side})` is smaller than {expected}, to which `.crop()` cuts; expected at least \
                 `.resize_shorter({})`",
                rows.min(columns)
            )),
            _ => Ok(Self { kind, channels, rows, columns, resize, crop }),
        }
    }

    /// The number of values of an image.
    pub(super) fn size(&self) -> usize {
        self.channels * self.rows * self.columns
    }

    /// Checks format and size of a file, without decoding it.
    pub(super) fn check(&self, path: &Path) -> Result<()> {
        let (rows, columns) = read(path)?.size();
        self.fitting(path, rows, columns)
    }

    /// Decodes a file: one channel after the other, each row by row.
    pub(super) fn decode(&self, path: &Path, to: &mut [u8]) -> Result<()> {
        let file = read(path)?;
        let (rows, columns) = file.size();
        self.fitting(path, rows, columns)?;
        let image = file.pixels(path)?.with_channels(self.channels);
        let (rows, columns) = self.after_resize(rows, columns);
        let image = image.resized(rows, columns);
        let (top, left) = ((rows - self.rows) / 2, (columns - self.columns) / 2);
        let planes = to.chunks_exact_mut((self.rows * self.columns).max(1));
        for (channel, plane) in planes.enumerate() {
            for (row, line) in plane.chunks_exact_mut(self.columns.max(1)).enumerate() {
                let start = ((top + row) * columns + left) * self.channels + channel;
                let pixels = image.bytes.get(start..).unwrap_or_default().iter().step_by(self.channels);
                line.iter_mut().zip(pixels).for_each(|(to, &from)| *to = from);
            }
        }
        Ok(())
    }

    /// The rows and columns of an image of this size after it is scaled.
    fn after_resize(&self, rows: usize, columns: usize) -> (usize, usize) {
        // Rounded to the nearest, as the other side is exact.
        let scaled = |side: usize, long: usize, short: usize| (long * side + short / 2) / short.max(1);
        match self.resize {
            Resize::Never => (rows, columns),
            Resize::To(rows, columns) => (rows, columns),
            Resize::Shorter(side) if rows <= columns => (side, scaled(side, columns, rows)),
            Resize::Shorter(side) => (scaled(side, rows, columns), side),
        }
    }

    /// Checks that an image of this size becomes one of the kind.
    fn fitting(&self, path: &Path, rows: usize, columns: usize) -> Result<()> {
        let (after_rows, after_columns) = self.after_resize(rows, columns);
        let pixels = after_rows.saturating_mul(after_columns).saturating_mul(self.channels);
        let fits = if self.crop {
            after_rows >= self.rows && after_columns >= self.columns && pixels as u64 <= LARGEST
        } else {
            (after_rows, after_columns) == (self.rows, self.columns)
        };
        if fits {
            return Ok(());
        }
        let (kind, [channels, of_rows, of_columns]) = (self.kind, [self.channels, self.rows, self.columns]);
        let resized = if self.resize == Resize::Never {
            String::new()
        } else {
            format!(", and {after_rows} and {after_columns} after it is resized")
        };
        let least = if self.crop { "at least " } else { "" };
        Err(problem(
            path,
            format!(
                "the image has {rows} rows and {columns} columns{resized}; expected {least}{of_rows} and {of_columns}, as in \
                 `{kind}<{channels}, {of_rows}, {of_columns}>`; add `.resize({of_rows}, {of_columns})`"
            ),
        ))
    }
}

/// An error in a file.
pub(super) fn problem(path: &Path, problem: String) -> Error {
    Error::Data { path: path.to_owned(), line: None, problem }
}
