//! Temporary memory of kernels: kept by each thread, so that a steady state allocates nothing.

use std::cell::RefCell;

thread_local! {
    /// Buffers that are not in use.
    static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Passes `run` a buffer of `length` elements with unspecified contents. Calls can be nested.
pub fn with<R>(length: usize, run: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut buffer = FREE.with_borrow_mut(|free| {
        // The smallest buffer that is large enough; otherwise the largest, which grows.
        let fits = (0..free.len()).filter(|&at| free[at].len() >= length).min_by_key(|&at| free[at].len());
        let place = fits.or_else(|| (0..free.len()).max_by_key(|&at| free[at].len()));
        place.map(|at| free.swap_remove(at)).unwrap_or_default()
    });
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    let result = run(&mut buffer[..length]);
    FREE.with_borrow_mut(|free| free.push(buffer));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_scratch_buffers_are_distinct_and_reused() {
        let place = |buffer: &mut [f32]| buffer.as_ptr() as usize;
        let first = with(10, |outer| {
            let outer_place = place(outer);
            assert_ne!(with(20, place), outer_place);
            assert_eq!(outer.len(), 10);
            outer_place
        });
        assert_eq!(with(10, place), first);
        assert_eq!(with(5, |buffer| buffer.len()), 5);
    }
}
