//! The lines of a file, split into cells, with line numbers.

use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};
use memchr::{memchr, memchr_iter};

use crate::data::file::Origin;
use crate::error::Result;

/// The lines of a file, split into cells.
///
/// Most rows have no quotation mark and are split at each delimiter. The `csv-core` crate splits the others. Lines are
/// counted here, because the count of `csv-core` is one too low after `\r\n` and does not include empty lines.
pub(in crate::data) struct Rows<'a> {
    bytes: Box<dyn BufRead + 'a>,
    delimiter: u8,
    /// For rows with quotation marks.
    cutter: Reader,
    /// The current row as in the file.
    text: Vec<u8>,
    /// The current row without its quotation marks, if it has some.
    unquoted: Vec<u8>,
    is_quoted: bool,
    /// The end of each cell.
    ends: Vec<usize>,
    /// The line in which the current row starts, from 1.
    pub(in crate::data) line: u64,
    lines: u64,
    /// The most bytes of a row, which bounds the memory for a file that is not a table.
    longest: u64,
}

impl<'a> Rows<'a> {
    /// What a row may have besides its values, in bytes: ignored columns may hold anything.
    const LONGEST: u64 = 16 << 20;
    /// And for each value.
    const NUMBER: u64 = 64;

    /// Reads the rows of a table of which `numbers` columns are used.
    pub(in crate::data) fn new(bytes: Box<dyn BufRead + 'a>, delimiter: u8, numbers: usize) -> Self {
        // Only `\n` ends a line. A `\r` before it is trimmed like the blanks around a cell.
        let cutter = ReaderBuilder::new().delimiter(delimiter).terminator(Terminator::Any(b'\n')).build();
        let longest = Self::LONGEST.saturating_add(Self::NUMBER.saturating_mul(numbers as u64));
        Self {
            bytes,
            delimiter,
            cutter,
            text: Vec::new(),
            unquoted: Vec::new(),
            is_quoted: false,
            ends: Vec::new(),
            line: 0,
            lines: 0,
            longest,
        }
    }

    /// Skips some lines.
    pub(super) fn skip(&mut self, lines: u64) -> io::Result<()> {
        for _ in 0..lines {
            if self.bytes.skip_until(b'\n')? == 0 {
                break;
            }
            self.lines += 1;
        }
        Ok(())
    }

    /// The number of cells in the current row.
    pub(in crate::data) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A cell of the current row; empty if there is none.
    #[inline]
    pub(super) fn cell(&self, number: usize) -> &[u8] {
        let (bytes, gap) = if self.is_quoted { (&self.unquoted, 0) } else { (&self.text, 1) };
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| end + gap);
        self.ends.get(number).and_then(|&end| bytes.get(start..end)).unwrap_or_default()
    }

    /// The cells of the current row.
    pub(in crate::data) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        // Where there were quotation marks, the delimiters between the cells are already removed.
        let (bytes, gap) = if self.is_quoted { (&self.unquoted, 0) } else { (&self.text, 1) };
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let cell = bytes.get(start..end).unwrap_or_default();
            start = end + gap;
            cell
        })
    }

    /// The current row as in the file.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Moves to the next row that is not empty; returns `false` if there is none.
    pub(in crate::data) fn advance(&mut self, origin: &Origin) -> Result<bool> {
        let mut empty = 0;
        loop {
            self.read(origin)?;
            if self.text.len() as u64 > self.longest {
                let problem = format!(
                    "a row of more than {} bytes; expected a table of numbers, in which every quotation mark is closed",
                    self.longest
                );
                return Err(origin.problem_at(self.line, problem));
            }
            if self.text.is_empty() {
                return Ok(false);
            }
            if !self.text.iter().all(|byte| matches!(byte, b' ' | b'\r' | b'\n')) {
                break;
            }
            empty += self.text.len() as u64;
            if empty > self.longest {
                let problem =
                    format!("more than {} bytes of empty lines; expected a table of numbers", self.longest);
                return Err(origin.problem_at(self.line, problem));
            }
        }
        self.ends.clear();
        self.is_quoted = memchr(b'"', &self.text).is_some();
        if self.is_quoted {
            self.unquote(origin)?;
        } else {
            self.cut(origin)?;
        }
        Ok(true)
    }

    /// Splits a row without quotation marks.
    fn cut(&mut self, origin: &Origin) -> Result<()> {
        let row = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
        for (place, byte) in row.iter().enumerate() {
            if *byte == self.delimiter {
                origin.reserve(&mut self.ends, 1)?;
                self.ends.push(place);
            }
        }
        origin.reserve(&mut self.ends, 1)?;
        self.ends.push(row.len());
        Ok(())
    }

    /// Splits a row with quotation marks.
    fn unquote(&mut self, origin: &Origin) -> Result<()> {
        let Self { cutter, text, unquoted, ends, .. } = self;
        cutter.reset();
        // A cell never gets longer when its quotation marks are removed.
        origin.reserve(unquoted, text.len().saturating_sub(unquoted.len()))?;
        unquoted.resize(text.len(), 0);
        let (mut read, mut written, mut cells) = (0, 0, 0);
        loop {
            if ends.len() == cells {
                let more = cells.max(64);
                origin.reserve(ends, more)?;
                ends.resize(cells + more, 0);
            }
            let input = text.get(read..).unwrap_or_default();
            let output = unquoted.get_mut(written..).unwrap_or_default();
            let (result, n_read, n_written, n_cells) =
                cutter.read_record(input, output, ends.get_mut(cells..).unwrap_or_default());
            (read, written, cells) = (read + n_read, written + n_written, cells + n_cells);
            match result {
                // Called again with no input left, it ends the row.
                ReadRecordResult::InputEmpty | ReadRecordResult::OutputEndsFull => {}
                ReadRecordResult::OutputFull | ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        ends.truncate(cells);
        // A quotation mark inside a cell does not quote, so the following lines are separate rows.
        let rest = text.get(read..).unwrap_or_default();
        if rest.iter().all(|byte| matches!(byte, b' ' | b'\r' | b'\n')) {
            return Ok(());
        }
        Err(origin.problem_at(self.line, "a quotation mark is not closed; remove it, or double it"))
    }

    /// Reads a row's text: one line, or more if a quoted cell continues.
    fn read(&mut self, origin: &Origin) -> Result<()> {
        self.text.clear();
        self.line = self.lines + 1;
        let mut quoted = false;
        loop {
            let bytes = self.bytes.fill_buf().map_err(|error| origin.unreadable(error))?;
            let end = memchr(b'\n', bytes).map(|place| place + 1);
            // One byte more than allowed shows that the row is too long.
            let room = usize::try_from(self.longest + 1).unwrap_or(usize::MAX) - self.text.len();
            let part = &bytes[..end.unwrap_or(bytes.len()).min(room)];
            let (length, is_whole) = (part.len(), end == Some(part.len()));
            if length == 0 {
                break;
            }
            origin.reserve(&mut self.text, length)?;
            self.text.extend_from_slice(part);
            quoted ^= memchr_iter(b'"', part).count() % 2 == 1;
            self.bytes.consume(length);
            self.lines += u64::from(is_whole);
            if is_whole && !quoted {
                break;
            }
        }
        if self.line == 1 && self.text.starts_with("\u{FEFF}".as_bytes()) {
            self.text.drain(..'\u{FEFF}'.len_utf8());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::data::file;

    fn rows(text: &[u8], delimiter: u8) -> (Origin, Rows<'_>) {
        let (origin, bytes) = file::unpacked(Path::new("x"), text, None).unwrap();
        (origin, Rows::new(bytes, delimiter, 2))
    }

    #[test]
    fn row_line_numbers_count_all_line_endings_and_blank_lines() {
        for (text, lines) in [
            ("a,b\nc,d\n\n\ne,f\n", vec![1, 2, 5]),
            ("a,b\r\nc,d\r\n\r\ne,f", vec![1, 2, 4]),
            ("\n  \n\"a\nb\",c\n\"\n\",e\nf\n", vec![3, 5, 7]),
            ("\u{FEFF}a,b\nc,d", vec![1, 2]),
        ] {
            for skipped in 0..2 {
                let (origin, mut rows) = rows(text.as_bytes(), b',');
                rows.skip(skipped).unwrap();
                let mut found = Vec::new();
                while rows.advance(&origin).unwrap() {
                    found.push(rows.line);
                }
                let expected: Vec<u64> = lines.iter().copied().filter(|line| *line > skipped).collect();
                assert_eq!(found, expected, "{text:?}");
            }
        }
    }

    /// The cells of all rows; `None` if a quotation mark is not closed.
    fn cells(text: &[u8], delimiter: u8) -> Option<Vec<Vec<Vec<u8>>>> {
        let (origin, mut rows) = rows(text, delimiter);
        let mut all = Vec::new();
        while rows.advance(&origin).ok()? {
            all.push(rows.cells().map(<[u8]>::to_vec).collect());
        }
        Some(all)
    }

    /// A reader that starts with this row.
    fn by_itself(row: &[u8], delimiter: u8) -> Vec<Vec<u8>> {
        let mut cutter = ReaderBuilder::new().delimiter(delimiter).terminator(Terminator::Any(b'\n')).build();
        let (mut output, mut ends) = ([0; 100], [0; 100]);
        let (mut written, mut cells) = (0, 0);
        for input in [row, b""] {
            let (result, _, n_written, n_cells) =
                cutter.read_record(input, &mut output[written..], &mut ends[cells..]);
            (written, cells) = (written + n_written, cells + n_cells);
            if matches!(result, ReadRecordResult::Record) {
                break;
            }
        }
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(&ends[..cells]).map(|(start, &end)| output[start..end].to_vec()).collect()
    }

    proptest! {
        /// One reader for all rows returns the same as a new one for each row, with and without quotation marks.
        #[test]
        fn reused_reader_equals_new_reader_per_row(
            rows in prop::collection::vec("([a-c ]{0,3}|\"(\"\"|[a,\n]){0,3}\")(,([a-c]{0,3}|\"[b,]{0,2}\")){0,4}", 0..6),
            delimiter in prop::sample::select(vec![b',', b';', b' ']),
        ) {
            let rows: Vec<_> = rows.into_iter().filter(|row| row.matches('"').count() % 2 == 0 && !row.trim().is_empty()).collect();
            let text = rows.iter().map(|row| format!("{row}\n")).collect::<Vec<_>>().concat();
            if let Some(found) = cells(text.as_bytes(), delimiter) {
                let expected: Vec<_> = rows.iter().map(|row| by_itself(format!("{row}\n").as_bytes(), delimiter)).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
