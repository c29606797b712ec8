//! Buffer allocation: which part of the arena holds which value, and when.

use std::ops::RangeInclusive;

use trainspec_kernels::arena::Span;

/// Buffers are aligned to this: a cache line of 16 elements.
const ALIGNMENT: usize = 16;

/// A piece of memory with a lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Buffer(usize);

impl Buffer {
    /// Its index in the order of creation.
    pub(crate) fn number(self) -> usize {
        self.0
    }
}

/// Buffers with their lifetimes.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// The number of elements of each.
    numbers: Vec<usize>,
    /// The number of 32-bit words of each.
    lengths: Vec<usize>,
    times: Vec<RangeInclusive<usize>>,
}

impl Buffers {
    /// Adds a buffer of `length` elements, needed at `time`.
    pub(crate) fn new_at(&mut self, length: usize, time: usize) -> Buffer {
        self.numbers.push(length);
        self.lengths.push(length);
        self.times.push(time..=time);
        Buffer(self.lengths.len() - 1)
    }

    /// Extends the lifetime of `buffer` to `time`.
    pub(crate) fn touch(&mut self, buffer: Buffer, time: usize) {
        let times = &mut self.times[buffer.0];
        *times = (*times.start()).min(time)..=(*times.end()).max(time);
    }

    /// The number of buffers.
    pub(crate) fn count(&self) -> usize {
        self.numbers.len()
    }

    /// The number of elements of a buffer.
    pub(crate) fn length(&self, buffer: Buffer) -> usize {
        self.numbers[buffer.0]
    }

    /// Stores each of a buffer's first `values` elements in half a word.
    pub(crate) fn pack(&mut self, buffer: Buffer, values: usize) {
        self.lengths[buffer.0] = values.div_ceil(2) + (self.numbers[buffer.0] - values);
    }

    /// The first and the last time at which a buffer is needed.
    pub(crate) fn times(&self, buffer: Buffer) -> &RangeInclusive<usize> {
        &self.times[buffer.0]
    }

    /// The total number of words of the buffers that are needed at `time`.
    pub(crate) fn words_at(&self, time: usize) -> usize {
        let all = self.lengths.iter().zip(&self.times);
        all.filter(|(_, times)| times.contains(&time)).map(|(words, _)| words).sum()
    }

    /// Places all buffers so that no two with overlapping lifetimes overlap in memory.
    ///
    /// The largest are placed first, each at the lowest address that fits: the best simple rule known for this problem
    /// (Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020).
    pub(crate) fn place(self) -> Layout {
        let mut order: Vec<usize> = (0..self.lengths.len()).collect();
        order.sort_by_key(|&buffer| std::cmp::Reverse(self.lengths[buffer]));
        let mut spans = vec![Span::EMPTY; self.lengths.len()];
        // The placed buffers, ordered by their start.
        let mut placed: Vec<usize> = Vec::new();
        let mut total = 0;
        for buffer in order {
            let length = self.lengths[buffer];
            if length == 0 {
                break;
            }
            let mut start = 0;
            for &other in &placed {
                let taken: Span = spans[other];
                if start + length <= taken.start {
                    break;
                }
                if self.meet(buffer, other) {
                    start = start.max(taken.end().next_multiple_of(ALIGNMENT));
                }
            }
            spans[buffer] = Span { start, length };
            total = total.max(start + length);
            let at = placed.partition_point(|&other| spans[other].start <= start);
            placed.insert(at, buffer);
        }
        Layout { spans, length: total }
    }

    /// Whether the lifetimes of two buffers overlap.
    fn meet(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.times[a], &self.times[b]);
        a.start() <= b.end() && b.start() <= a.end()
    }
}

/// The placement of each buffer.
#[derive(Debug)]
pub(crate) struct Layout {
    spans: Vec<Span>,
    length: usize,
}

impl Layout {
    /// The span of a buffer; empty for `None`.
    pub(crate) fn span(&self, buffer: Option<Buffer>) -> Span {
        buffer.map_or(Span::EMPTY, |buffer| self.spans[buffer.0])
    }

    /// The number of elements that the arena needs.
    pub(crate) fn length(&self) -> usize {
        self.length
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn live_buffers_do_not_overlap(
            wanted in prop::collection::vec((0..200_usize, 0..20_usize, 0..8_usize), 0..40),
        ) {
            let mut buffers = Buffers::default();
            let made: Vec<_> = wanted
                .iter()
                .map(|&(length, first, more)| {
                    let buffer = buffers.new_at(length, first);
                    buffers.touch(buffer, first + more);
                    buffer
                })
                .collect();
            let most_at_once = (0..30)
                .map(|time| {
                    let alive = wanted.iter().filter(|(_, first, more)| (*first..=first + more).contains(&time));
                    alive.map(|(length, ..)| length).sum::<usize>()
                })
                .max()
                .unwrap_or(0);
            let layout = buffers.place();
            prop_assert!(layout.length() >= most_at_once);
            for (i, &(length, first, more)) in wanted.iter().enumerate() {
                let span = layout.span(Some(made[i]));
                prop_assert_eq!(span.length, length);
                prop_assert!(span.end() <= layout.length() && span.start.is_multiple_of(ALIGNMENT));
                for (j, &(_, other_first, other_more)) in wanted.iter().enumerate().skip(i + 1) {
                    let meet = first <= other_first + other_more && other_first <= first + more;
                    prop_assert!(!meet || !span.overlaps(layout.span(Some(made[j]))));
                }
            }
        }
    }

    #[test]
    fn buffer_memory_is_reused() {
        let mut buffers = Buffers::default();
        let (a, b, c) = (buffers.new_at(64, 0), buffers.new_at(64, 1), buffers.new_at(64, 2));
        buffers.touch(b, 2);
        let layout = buffers.place();
        assert_eq!(layout.length(), 128);
        assert!(!layout.span(Some(b)).overlaps(layout.span(Some(c))));
        assert!(layout.span(Some(a)).start == 0 || layout.span(Some(b)).start == 0);
    }
}
