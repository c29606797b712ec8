//! A slice of which threads write different, noncontiguous parts: the elements of a channel
//! or of a head are strided, so that they cannot be split into separate slices.

use std::marker::PhantomData;
use std::ops::Range;

/// A slice that is borrowed in parts.
pub(crate) struct Shared<'a> {
    start: *mut f32,
    length: usize,
    slice: PhantomData<&'a mut [f32]>,
}

// SAFETY: the slice is borrowed for as long as this lives, and the callers of `part` ensure that no two
// of them hold the same element.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    pub(crate) fn new(slice: &'a mut [f32]) -> Self {
        Self { start: slice.as_mut_ptr(), length: slice.len(), slice: PhantomData }
    }

    /// The elements `range`.
    ///
    /// # Safety
    /// While the result is alive, no other part may contain an element of `range`.
    #[inline]
    #[allow(clippy::mut_from_ref, reason = "what the parts of a shared slice are for")]
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &mut [f32] {
        assert!(range.start <= range.end && range.end <= self.length, "a part lies inside the slice");
        // SAFETY: the range lies inside the slice, and no other part has these elements, as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}
