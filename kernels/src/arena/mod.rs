//! One piece of memory for all values, gradients and temporary numbers of a training step.
//!
//! Where each of them lies is planned before: a plan gives each a [`Span`], and a step then borrows the parts
//! that it needs, some to read and some to write, without asking the system for memory.
//!
//! ```
//! use trainspec_kernels::arena::{Arena, Span};
//!
//! let (x, y) = (Span { start: 0, length: 2 }, Span { start: 16, length: 2 });
//! let mut arena = Arena::new(18)?;
//! arena.write(x).copy_from_slice(&[1.0, 2.0]);
//! let ([x], [y_now]) = arena.lend([x], [y]);
//! y_now.copy_from_slice(x);
//! assert_eq!(arena.read(y), [1.0, 2.0]);
//! # Ok::<(), std::io::Error>(())
//! ```

#[cfg(test)]
mod tests;

use std::io;

use memmap2::MmapMut;

/// A part of an arena: `length` numbers from `start` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// The place of the first number.
    pub start: usize,
    /// How many numbers it has.
    pub length: usize,
}

impl Span {
    /// Nothing.
    pub const EMPTY: Self = Self { start: 0, length: 0 };

    /// The place after the last number.
    #[inline]
    #[must_use]
    pub const fn end(self) -> usize {
        self.start.saturating_add(self.length)
    }

    /// Whether it has no number.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.length == 0
    }

    /// Whether a number belongs to both; an empty span has none.
    #[inline]
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        !self.is_empty() && !other.is_empty() && self.start < other.end() && other.start < self.end()
    }
}

/// Memory of which parts are lent: [the module](self) says what for.
///
/// The memory is the system's, page by page: it is all 0 at first, takes room only where it was touched, and
/// asks for huge pages where the system has them.
#[derive(Debug)]
pub struct Arena {
    map: MmapMut,
    length: usize,
}

impl Arena {
    /// An arena of `length` numbers, all 0.
    ///
    /// # Errors
    /// If the system has no such piece of memory.
    pub fn new(length: usize) -> io::Result<Self> {
        let bytes = length.checked_mul(size_of::<f32>()).ok_or(io::ErrorKind::OutOfMemory)?;
        let map = MmapMut::map_anon(bytes)?;
        // Fewer pages are looked up faster; without them all works as well.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self { map, length })
    }

    /// How many numbers it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it has no number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Makes room for `length` numbers at least. If there was less, what the arena held is gone and all is 0.
    ///
    /// # Errors
    /// If the system has no such piece of memory; the arena is then what it was.
    pub fn grow(&mut self, length: usize) -> io::Result<()> {
        if length > self.length {
            *self = Self::new(length)?;
        }
        Ok(())
    }

    /// The numbers of `span`.
    ///
    /// # Panics
    /// If the span does not lie inside the arena.
    #[must_use]
    pub fn read(&self, span: Span) -> &[f32] {
        self.check(span);
        &bytemuck::cast_slice(&self.map)[span.start..span.end()]
    }

    /// The numbers of `span`, to be changed.
    ///
    /// # Panics
    /// If the span does not lie inside the arena.
    #[must_use]
    pub fn write(&mut self, span: Span) -> &mut [f32] {
        self.check(span);
        &mut bytemuck::cast_slice_mut(&mut self.map)[span.start..span.end()]
    }

    /// The numbers of all spans at once: those of `reads`, which may overlap each other, and those of `writes`, to
    /// be changed, which overlap nothing else.
    ///
    /// # Panics
    /// If a span does not lie inside the arena, or a span of `writes` overlaps another one.
    #[inline]
    #[must_use]
    pub fn lend<const R: usize, const W: usize>(
        &mut self,
        reads: [Span; R],
        writes: [Span; W],
    ) -> ([&[f32]; R], [&mut [f32]; W]) {
        for &span in reads.iter().chain(&writes) {
            self.check(span);
        }
        for (number, &write) in writes.iter().enumerate() {
            for &other in reads.iter().chain(&writes[..number]) {
                if write.overlaps(other) {
                    overlapping(write, other);
                }
            }
        }
        let first = bytemuck::cast_slice_mut::<u8, f32>(&mut self.map).as_mut_ptr();
        let reads = reads.map(|Span { start, length }| {
            // SAFETY: the map lives as long as the borrow of `self`, and has `start + length` numbers at least.
            // Of the parts that are written meanwhile none overlaps this one.
            unsafe { std::slice::from_raw_parts(first.add(start), length) }
        });
        let writes = writes.map(|Span { start, length }| {
            // SAFETY: as above, and no other part at all overlaps this one.
            unsafe { std::slice::from_raw_parts_mut(first.add(start), length) }
        });
        (reads, writes)
    }

    #[inline]
    fn check(&self, span: Span) {
        if span.length > self.length || span.start > self.length - span.length {
            outside(span, self.length);
        }
    }
}

/// The same memory as whole numbers: indices that are kept in an arena.
#[inline]
#[must_use]
pub fn as_words(numbers: &mut [f32]) -> &mut [u32] {
    bytemuck::cast_slice_mut(numbers)
}

/// The same memory as whole numbers, to be read.
#[inline]
#[must_use]
pub fn as_words_ref(numbers: &[f32]) -> &[u32] {
    bytemuck::cast_slice(numbers)
}

/// The same memory as numbers of 16 bits, two for each of 32.
#[inline]
#[must_use]
pub fn as_halves(numbers: &mut [f32]) -> &mut [u16] {
    bytemuck::cast_slice_mut(numbers)
}

/// The same memory as numbers of 16 bits, to be read.
#[inline]
#[must_use]
pub fn as_halves_ref(numbers: &[f32]) -> &[u16] {
    bytemuck::cast_slice(numbers)
}

#[cold]
#[inline(never)]
fn outside(span: Span, length: usize) -> ! {
    panic!("{span:?} does not lie inside an arena of {length} numbers");
}

#[cold]
#[inline(never)]
fn overlapping(write: Span, other: Span) -> ! {
    panic!("{write:?} is to be written and overlaps {other:?}");
}
