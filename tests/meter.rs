//! Measures the allocations of a piece of work.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    // Without destructors, so that they can be used while a thread exits.
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

// SAFETY: every call is forwarded to the system allocator unchanged. `realloc` allocates again, the default of `GlobalAlloc`.
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

/// Returns the result of `work`, and the peak of the bytes that this thread allocated meanwhile, above those before.
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
fn meter_counts_peak_allocation() {
    let ((), peak) = metered(|| {
        let first = vec![0_u8; 1000];
        drop(first);
        let second = vec![1_u8; 3000];
        let third = vec![1_u8; 500];
        assert_eq!(second.len() + third.len(), 3500);
    });
    assert_eq!(peak, 3500);
}
