//! One allocation for all values, gradients and temporaries of a training step.
//!
//! Their placement is planned in advance: a plan assigns each a [`Span`], and a step borrows the parts
//! that it needs, some to read and some to write, without allocating.
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

mod tensors;
#[cfg(test)]
mod tests;

pub use crate::slices::Slices;
pub use tensors::{TensorArena, TensorList, Tensors};

use std::io;

use memmap2::MmapMut;

use crate::half::Half;

/// A part of an arena: `length` elements from `start` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// The index of the first element.
    pub start: usize,
    /// The number of elements.
    pub length: usize,
}

impl Span {
    /// None.
    pub const EMPTY: Self = Self { start: 0, length: 0 };

    /// The index after the last element.
    #[inline]
    #[must_use]
    pub const fn end(self) -> usize {
        self.start.saturating_add(self.length)
    }

    /// Whether it is empty.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.length == 0
    }

    /// Whether the spans overlap; an empty span overlaps none.
    #[inline]
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        !self.is_empty() && !other.is_empty() && self.start < other.end() && other.start < self.end()
    }
}

/// Memory that is borrowed in parts; see [the module](self).
///
/// The memory is mapped from the system: it is initially 0, occupies only pages that were touched, and
/// uses huge pages where available.
#[derive(Debug)]
pub struct Arena {
    map: MmapMut,
    length: usize,
}

impl Arena {
    /// Creates an arena of `length` elements, all 0.
    ///
    /// # Errors
    /// If the system cannot provide the memory.
    pub fn new(length: usize) -> io::Result<Self> {
        let bytes = length.checked_mul(size_of::<f32>()).ok_or(io::ErrorKind::OutOfMemory)?;
        let map = MmapMut::map_anon(bytes)?;
        // Huge pages need fewer lookups; everything also works without them.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self { map, length })
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Grows the arena to at least `length` elements. If it grows, its contents are discarded and all elements are 0.
    ///
    /// # Errors
    /// If the system cannot provide the memory; the arena is then unchanged.
    pub fn grow(&mut self, length: usize) -> io::Result<()> {
        if length > self.length {
            *self = Self::new(length)?;
        }
        Ok(())
    }

    /// The elements of `span`.
    ///
    /// # Panics
    /// If the span is not inside the arena.
    #[must_use]
    pub fn read(&self, span: Span) -> &[f32] {
        self.check(span);
        &bytemuck::cast_slice(&self.map)[span.start..span.end()]
    }

    /// The elements of `span`, mutably.
    ///
    /// # Panics
    /// If the span is not inside the arena.
    #[must_use]
    pub fn write(&mut self, span: Span) -> &mut [f32] {
        self.check(span);
        &mut bytemuck::cast_slice_mut(&mut self.map)[span.start..span.end()]
    }

    /// Borrows all spans at once: those of `reads`, which may overlap each other, and mutably those of `writes`,
    /// which must not overlap any other span.
    ///
    /// # Panics
    /// If a span is not inside the arena, or a span of `writes` overlaps another one.
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
            // SAFETY: the map lives as long as the borrow of `self`, and has at least `start + length` elements.
            // No part that is written meanwhile overlaps this one.
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

/// The same memory as u32: indices that are kept in an arena.
#[inline]
#[must_use]
pub fn as_words(numbers: &mut [f32]) -> &mut [u32] {
    bytemuck::cast_slice_mut(numbers)
}

/// The same memory as u32, for reading.
#[inline]
#[must_use]
pub fn as_words_ref(numbers: &[f32]) -> &[u32] {
    bytemuck::cast_slice(numbers)
}

/// The same memory as 16-bit numbers, two per element.
#[inline]
#[must_use]
pub fn as_halves<H: Half>(numbers: &mut [f32]) -> &mut [H] {
    bytemuck::cast_slice_mut(numbers)
}

/// The same memory as 16-bit numbers, for reading.
#[inline]
#[must_use]
pub fn as_halves_ref<H: Half>(numbers: &[f32]) -> &[H] {
    bytemuck::cast_slice(numbers)
}

#[cold]
#[inline(never)]
fn outside(span: Span, length: usize) -> ! {
    panic!("{span:?} is not inside an arena of {length} elements");
}

#[cold]
#[inline(never)]
fn overlapping(write: Span, other: Span) -> ! {
    panic!("{write:?} is written and overlaps {other:?}");
}
