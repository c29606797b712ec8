//! What a piece of work allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    // Without destructors, so that they can be used while a thread ends.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Metered;

fn change(bytes: isize) {
    let live = LIVE.get() + bytes;
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
}

// SAFETY: every call goes to the system's allocator as it comes. What grows is allocated anew, as `GlobalAlloc` has it.
unsafe impl GlobalAlloc for Metered {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        change(layout.size().cast_signed());
        // SAFETY: the caller's promise is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        change(-layout.size().cast_signed());
        // SAFETY: the caller's promise is the system's.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Metered = Metered;

/// What `work` gives, and the most bytes that this thread had allocated at once in the meantime, above those before.
pub(crate) fn metered<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    let given = work();
    (given, usize::try_from(PEAK.get() - before).unwrap_or(0))
}

/// The number of allocations of this thread so far.
pub(crate) fn allocations() -> usize {
    COUNT.get()
}

#[test]
fn what_is_held_at_once_is_counted() {
    let ((), peak) = metered(|| {
        let first = vec![0_u8; 1000];
        drop(first);
        let second = vec![1_u8; 3000];
        let third = vec![1_u8; 500];
        assert_eq!(second.len() + third.len(), 3500);
    });
    assert_eq!(peak, 3500);
}
