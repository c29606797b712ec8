//! The lines of a file, cut into cells, each with its number.

use std::io::{self, BufRead, Read};

use csv::{ByteRecord, ReaderBuilder, Terminator};

use crate::data::file::Origin;
use crate::error::Result;

/// The lines of a file, cut into cells.
///
/// The `csv` crate cuts them; lines are counted here, because its own count is one too low after `\r\n`
/// and does not see empty lines.
pub(super) struct Rows<'a> {
    bytes: Box<dyn BufRead + 'a>,
    cutter: ReaderBuilder,
    text: Vec<u8>,
    /// The cells of the current row.
    pub(super) record: ByteRecord,
    /// Where the current row begins, from 1.
    pub(super) line: u64,
    lines: u64,
    /// How many bytes a row may have, so that no more are kept of what is no table at all.
    longest: u64,
}

impl<'a> Rows<'a> {
    /// What a row may have beside its numbers, in bytes: columns that are ignored may hold anything.
    const LONGEST: u64 = 16 << 20;
    /// And for each number.
    const NUMBER: u64 = 64;

    /// The rows of a table of which `numbers` columns are looked at.
    pub(super) fn new(bytes: Box<dyn BufRead + 'a>, delimiter: u8, numbers: usize) -> Self {
        let mut cutter = ReaderBuilder::new();
        // Only `\n` ends a line; the `\r` before it goes with the blanks around a cell.
        cutter.has_headers(false).flexible(true).delimiter(delimiter).terminator(Terminator::Any(b'\n'));
        let longest = Self::LONGEST.saturating_add(Self::NUMBER.saturating_mul(numbers as u64));
        Self { bytes, cutter, text: Vec::new(), record: ByteRecord::new(), line: 0, lines: 0, longest }
    }

    /// Reads over some lines.
    pub(super) fn skip(&mut self, lines: u64) -> io::Result<()> {
        for _ in 0..lines {
            if self.bytes.skip_until(b'\n')? == 0 {
                break;
            }
            self.lines += 1;
        }
        Ok(())
    }

    /// Goes to the next row that is not empty; `false` if there is none.
    pub(super) fn advance(&mut self, origin: &Origin) -> Result<bool> {
        loop {
            self.read().map_err(|error| origin.unreadable(error))?;
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
        }
        let mut cells = self.cutter.from_reader(self.text.as_slice());
        let broken = |error: csv::Error| origin.problem_at(self.line, error.to_string());
        cells.read_byte_record(&mut self.record).map_err(broken)?;
        // A quotation mark within a cell does not quote, so the lines after it are rows of their own.
        if cells.read_byte_record(&mut ByteRecord::new()).map_err(broken)? {
            return Err(
                origin.problem_at(self.line, "a quotation mark is not closed; remove it, or double it")
            );
        }
        Ok(true)
    }

    /// Reads a row's text: one line, or more if a quoted cell goes on.
    fn read(&mut self) -> io::Result<()> {
        self.text.clear();
        self.line = self.lines + 1;
        let mut quoted = false;
        loop {
            let before = self.text.len();
            let rest = (self.longest + 1).saturating_sub(before as u64);
            if self.bytes.by_ref().take(rest).read_until(b'\n', &mut self.text)? == 0 {
                return Ok(());
            }
            self.lines += 1;
            for byte in self.text.iter().skip(before) {
                quoted ^= *byte == b'"';
            }
            if !quoted {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::file;

    #[test]
    fn a_row_knows_its_line_whatever_ends_lines_and_stands_between_them() {
        for (text, lines) in [
            ("a,b\nc,d\n\n\ne,f\n", vec![1, 2, 5]),
            ("a,b\r\nc,d\r\n\r\ne,f", vec![1, 2, 4]),
            ("\n  \n\"a\nb\",c\n\"\n\",e\nf\n", vec![3, 5, 7]),
            ("\u{FEFF}a,b\nc,d", vec![1, 2]),
        ] {
            for skipped in 0..2 {
                let (origin, bytes) = file::unpacked(Path::new("x"), text.as_bytes()).unwrap();
                let mut rows = Rows::new(bytes, b',', 2);
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
}
