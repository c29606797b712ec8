//! Where values live: which parts of the arena are whose, and when.

use std::ops::RangeInclusive;

use trainspec_kernels::arena::Span;

/// Parts begin at multiples of this: a cache line of 16 numbers.
const ALIGNMENT: usize = 16;

/// A piece of memory that is needed for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Buffer(usize);

impl Buffer {
    /// Its place in the order in which buffers were made.
    pub(crate) fn number(self) -> usize {
        self.0
    }
}

/// Pieces of memory with the times at which they are needed.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// How many numbers each has.
    numbers: Vec<usize>,
    /// How many words of 32 bits each takes.
    lengths: Vec<usize>,
    times: Vec<RangeInclusive<usize>>,
}

impl Buffers {
    /// A buffer of `length` numbers, needed at `time`.
    pub(crate) fn new_at(&mut self, length: usize, time: usize) -> Buffer {
        self.numbers.push(length);
        self.lengths.push(length);
        self.times.push(time..=time);
        Buffer(self.lengths.len() - 1)
    }

    /// Needs `buffer` at `time` too, and all the time between.
    pub(crate) fn touch(&mut self, buffer: Buffer, time: usize) {
        let times = &mut self.times[buffer.0];
        *times = (*times.start()).min(time)..=(*times.end()).max(time);
    }

    /// How many buffers there are.
    pub(crate) fn count(&self) -> usize {
        self.numbers.len()
    }

    /// How many numbers a buffer has.
    pub(crate) fn length(&self, buffer: Buffer) -> usize {
        self.numbers[buffer.0]
    }

    /// Takes half a word for each of a buffer's first `values` numbers.
    pub(crate) fn pack(&mut self, buffer: Buffer, values: usize) {
        self.lengths[buffer.0] = values.div_ceil(2) + (self.numbers[buffer.0] - values);
    }

    /// The first and the last time at which a buffer is needed.
    pub(crate) fn times(&self, buffer: Buffer) -> &RangeInclusive<usize> {
        &self.times[buffer.0]
    }

    /// How many words all buffers take that are needed at `time`.
    pub(crate) fn words_at(&self, time: usize) -> usize {
        let all = self.lengths.iter().zip(&self.times);
        all.filter(|(_, times)| times.contains(&time)).map(|(words, _)| words).sum()
    }

    /// Places all buffers so that no two that are needed at one time overlap.
    ///
    /// The largest are placed first, each as low as it fits: the best simple rule known for this problem
    /// (Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020).
    pub(crate) fn place(self) -> Layout {
        let mut order: Vec<usize> = (0..self.lengths.len()).collect();
        order.sort_by_key(|&buffer| std::cmp::Reverse(self.lengths[buffer]));
        let mut spans = vec![Span::EMPTY; self.lengths.len()];
        // Those that are placed, by where they begin.
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

    /// Whether two buffers are needed at one time.
    fn meet(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.times[a], &self.times[b]);
        a.start() <= b.end() && b.start() <= a.end()
    }
}

/// Where each buffer is.
#[derive(Debug)]
pub(crate) struct Layout {
    spans: Vec<Span>,
    length: usize,
}

impl Layout {
    /// Where a buffer is; nowhere for `None`.
    pub(crate) fn span(&self, buffer: Option<Buffer>) -> Span {
        buffer.map_or(Span::EMPTY, |buffer| self.spans[buffer.0])
    }

    /// How many numbers the arena needs to have.
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
        fn buffers_of_one_time_do_not_overlap(
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
    fn memory_is_used_again() {
        let mut buffers = Buffers::default();
        let (a, b, c) = (buffers.new_at(64, 0), buffers.new_at(64, 1), buffers.new_at(64, 2));
        buffers.touch(b, 2);
        let layout = buffers.place();
        assert_eq!(layout.length(), 128);
        assert!(!layout.span(Some(b)).overlaps(layout.span(Some(c))));
        assert!(layout.span(Some(a)).start == 0 || layout.span(Some(b)).start == 0);
    }
}
