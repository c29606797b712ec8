//! Prefetching: loads the data to be packed next while tiles are computed.

use std::ops::Range;

use super::View;
use super::kernel::Kernel;

/// Elements per cache line.
const LINE: usize = 16;

/// A part of a matrix that is prefetched in shares.
pub(super) struct Ahead {
    /// The run that is being fetched, and the distance between runs.
    run: *const f32,
    stride: usize,
    /// The number of remaining runs, and their length.
    runs: usize,
    length: usize,
    /// How much of the run has been fetched.
    at: usize,
    /// Cache lines per share.
    share: usize,
}

impl Ahead {
    /// The part `rows` by `columns` of a matrix, in this number of shares; empty if it is not contiguous, or does not exist.
    pub(super) fn new(view: &View<'_>, rows: Range<usize>, columns: Range<usize>, shares: usize) -> Self {
        let (rows, columns) =
            (rows.start..rows.end.min(view.rows), columns.start..columns.end.min(view.columns));
        let (runs, length, stride) = match (view.row_stride, view.column_stride) {
            (stride, 1) => (rows.len(), columns.len(), stride),
            (1, stride) => (columns.len(), rows.len(), stride),
            _ => (0, 0, 0),
        };
        let place = rows.start * view.row_stride + columns.start * view.column_stride;
        let run = view.data.as_ptr().wrapping_add(place);
        let share = (runs * length.div_ceil(LINE)).div_ceil(shares.max(1));
        Self { run, stride, runs: if length == 0 { 0 } else { runs }, length, at: 0, share }
    }

    /// None.
    pub(super) fn nothing() -> Self {
        Self { run: std::ptr::null(), stride: 0, runs: 0, length: 0, at: 0, share: 0 }
    }

    /// Fetches the next share.
    #[inline]
    pub(super) fn fetch<K: Kernel>(&mut self) {
        for _ in 0..self.share {
            if self.runs == 0 {
                return;
            }
            K::fetch(self.run.wrapping_add(self.at));
            self.at += LINE;
            if self.at >= self.length {
                (self.at, self.runs) = (0, self.runs - 1);
                self.run = self.run.wrapping_add(self.stride);
            }
        }
    }
}
