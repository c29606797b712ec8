//! A slice of which threads write different parts, where these do not lie one after the other: the numbers of a channel
//! or of a head lie apart, so that none has a slice of its own.

use std::marker::PhantomData;
use std::ops::Range;

/// A slice that is lent out in parts.
pub(crate) struct Shared<'a> {
    start: *mut f32,
    length: usize,
    slice: PhantomData<&'a mut [f32]>,
}

// SAFETY: the slice is borrowed for as long as this lives, and `part` leaves it to its callers that no two
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
    /// As long as the result lives, no other part may have an element of `range`.
    #[inline]
    #[allow(clippy::mut_from_ref, reason = "what the parts of a shared slice are for")]
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &mut [f32] {
        assert!(range.start <= range.end && range.end <= self.length, "a part lies inside the slice");
        // SAFETY: the range lies inside the slice, and nobody else has these elements, as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}
