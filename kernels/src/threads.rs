//! Threads over blocks that are fixed by the problem, never by the number of threads.
//!
//! A block's result depends only on its index, and sums over blocks are computed in the order of the
//! blocks, so results are bit-identical for any number of threads. The threads are those of the caller's
//! rayon pool.
//!
//! Only this module distributes work to threads, and therefore propagates the floating-point mode: every
//! thread computes as the caller's would, with [subnormal](crate::subnormal) numbers flushed or
//! kept.

use std::cell::Cell;

use rayon::prelude::*;

use crate::simd::is_forced;
use crate::subnormal::{flushed, in_callers_mode, is_flushed};

/// The number of threads of the pool.
#[must_use]
pub fn count() -> usize {
    // The first call creates the pool, whose threads start with the mode of the thread that creates them.
    hand_over(rayon::current_num_threads)
}

thread_local! {
    static PLACE: Cell<Place> = const { Cell::new(Place::Pool) };
}

/// Where the work of a thread runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On the threads of the pool.
    Pool,
    /// On this thread, in [`alone`].
    Here,
    /// On the threads of the pool, also in [`alone`].
    NeverHere,
}

/// Runs `work` with all its blocks on the caller's thread, without using the pool.
///
/// ```
/// use trainspec_kernels::threads::{alone, for_each};
///
/// let caller = std::thread::current().id();
/// alone(|| for_each(100, |_| assert_eq!(std::thread::current().id(), caller)));
/// ```
pub fn alone<R>(work: impl FnOnce() -> R) -> R {
    let _restore = match PLACE.get() {
        Place::NeverHere => None,
        _ => Some(Restore(PLACE.replace(Place::Here))),
    };
    work()
}

/// Runs `work` with [`alone`] ignored on this thread. Tests of small work use it to compare numbers of threads.
pub fn never_alone<R>(work: impl FnOnce() -> R) -> R {
    let _restore = Restore(PLACE.replace(Place::NeverHere));
    work()
}

/// Restores where the work of this thread ran.
struct Restore(Place);

impl Drop for Restore {
    fn drop(&mut self) {
        PLACE.set(self.0);
    }
}

/// Whether work stays on this thread.
fn is_alone() -> bool {
    PLACE.get() == Place::Here || is_forced()
}

/// Runs `work` on a thread of the pool, so that its parallel parts start without a separate handover.
pub fn inside<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if is_alone() {
        return work();
    }
    let mode = Mode::now();
    hand_over(|| rayon::scope(|_| mode.run(work)))
}

/// Runs both, on two threads if available.
pub(crate) fn join<A: Send, B: Send>(
    left: impl FnOnce() -> A + Send,
    right: impl FnOnce() -> B + Send,
) -> (A, B) {
    if is_alone() {
        return (left(), right());
    }
    let mode = Mode::now();
    hand_over(|| rayon::join(|| mode.run(left), || mode.run(right)))
}

/// Runs `run` once for each index below `count`, in any order.
///
/// A single block runs on the caller's thread, without using the pool.
pub fn for_each(count: usize, run: impl Fn(usize) + Sync + Send) {
    if count <= 1 || is_alone() {
        (0..count).for_each(run);
        return;
    }
    let mode = Mode::now();
    hand_over(|| (0..count).into_par_iter().for_each(|number| mode.run(|| run(number))));
}

/// Runs `run` for each chunk of `size` elements, with the index of the chunk; the last may be shorter.
///
/// # Panics
/// If `size` is 0.
pub fn chunks<T: Send>(values: &mut [T], size: usize, run: impl Fn(usize, &mut [T]) + Sync + Send) {
    if values.len() <= size || is_alone() {
        values.chunks_mut(size).enumerate().for_each(|(number, chunk)| run(number, chunk));
        return;
    }
    let mode = Mode::now();
    let chunks = values.par_chunks_mut(size).enumerate();
    hand_over(|| chunks.for_each(|(number, chunk)| mode.run(|| run(number, chunk))));
}

/// [`chunks`] of two slices in parallel, each with its own size; as many as both have.
///
/// # Panics
/// If a size is 0.
pub fn chunks2<A: Send, B: Send>(
    (a, a_size): (&mut [A], usize),
    (b, b_size): (&mut [B], usize),
    run: impl Fn(usize, &mut [A], &mut [B]) + Sync + Send,
) {
    if a.len() <= a_size || is_alone() {
        let pairs = a.chunks_mut(a_size).zip(b.chunks_mut(b_size));
        pairs.enumerate().for_each(|(number, (a, b))| run(number, a, b));
        return;
    }
    let mode = Mode::now();
    let pairs = a.par_chunks_mut(a_size).zip(b.par_chunks_mut(b_size)).enumerate();
    hand_over(|| pairs.for_each(|(number, (a, b))| mode.run(|| run(number, a, b))));
}

/// [`chunks`] of three slices in parallel.
///
/// # Panics
/// If a size is 0.
pub fn chunks3<A: Send, B: Send, C: Send>(
    (a, a_size): (&mut [A], usize),
    (b, b_size): (&mut [B], usize),
    (c, c_size): (&mut [C], usize),
    run: impl Fn(usize, &mut [A], &mut [B], &mut [C]) + Sync + Send,
) {
    if a.len() <= a_size || is_alone() {
        let triples = a.chunks_mut(a_size).zip(b.chunks_mut(b_size)).zip(c.chunks_mut(c_size));
        triples.enumerate().for_each(|(number, ((a, b), c))| run(number, a, b, c));
        return;
    }
    let mode = Mode::now();
    let pairs = a.par_chunks_mut(a_size).zip(b.par_chunks_mut(b_size));
    let triples = pairs.zip(c.par_chunks_mut(c_size)).enumerate();
    hand_over(|| triples.for_each(|(number, ((a, b), c))| mode.run(|| run(number, a, b, c))));
}

/// The floating-point mode of work, independent of the thread that runs it.
#[derive(Clone, Copy)]
enum Mode {
    Plain,
    Flushed,
}

impl Mode {
    /// The mode of the caller.
    fn now() -> Self {
        if is_flushed() { Self::Flushed } else { Self::Plain }
    }

    fn run<R>(self, work: impl FnOnce() -> R) -> R {
        match self {
            Self::Plain => work(),
            Self::Flushed => flushed(work),
        }
    }
}

/// Calls the pool. While waiting, this thread may run other work, which must not see our mode.
fn hand_over<R>(call: impl FnOnce() -> R) -> R {
    if is_flushed() { in_callers_mode(call) } else { call() }
}

/// The number of elements per block of a pass over `total` elements: enough to be worth a thread, few enough to
/// stay in its cache, and a multiple of `unit`.
#[must_use]
pub const fn block(total: usize, unit: usize) -> usize {
    const ELEMENTS: usize = 16 * 1024;
    let unit = if unit == 0 { 1 } else { unit };
    let elements = if total < ELEMENTS { total } else { ELEMENTS };
    let units = elements.div_ceil(unit);
    (if units == 0 { 1 } else { units }) * unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_block_runs_once() {
        for count in [0, 1, 2, 100] {
            let seen: Vec<_> = (0..count).map(|_| AtomicUsize::new(0)).collect();
            for_each(count, |number| {
                seen[number].fetch_add(1, Ordering::Relaxed);
            });
            assert!(seen.iter().all(|seen| seen.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn work_alone_stays_on_its_thread_until_it_ends() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("a pool");
        pool.install(|| {
            let caller = std::thread::current().id();
            let check = |_| assert_eq!(std::thread::current().id(), caller);
            let (mut a, mut b, mut c) = ([0; 64], [0; 64], [0; 64]);
            alone(|| {
                alone(|| for_each(64, check));
                for_each(64, check);
                inside(|| for_each(64, check));
                join(|| check(0), || check(1));
                chunks(&mut a, 1, |number, _| check(number));
                chunks2((&mut a, 1), (&mut b, 1), |number, _, _| check(number));
                chunks3((&mut a, 1), (&mut b, 1), (&mut c, 1), |number, _, _, _| check(number));
            });
            let caught = std::panic::catch_unwind(|| alone(|| panic!("ends it as well")));
            assert!(caught.is_err() && !is_alone());
            never_alone(|| alone(|| assert!(!is_alone())));
            alone(|| never_alone(|| assert!(!is_alone())));
        });
    }

    #[test]
    fn chunks_receive_their_index() {
        let mut values = vec![0; 103];
        chunks(&mut values, 10, |number, chunk| chunk.fill(number));
        assert!(values.iter().enumerate().all(|(index, &number)| number == index / 10));
        let (mut a, mut b, mut c) = (vec![0; 10], vec![0; 5], vec![0; 20]);
        chunks3((&mut a, 2), (&mut b, 1), (&mut c, 4), |number, a, b, c| {
            a.fill(number);
            b.fill(number);
            c.fill(number);
        });
        assert_eq!(b, [0, 1, 2, 3, 4]);
        assert_eq!((a[9], c[19]), (4, 4));
        chunks2((&mut a, 2), (&mut b, 1), |number, a, b| {
            a.fill(number + 1);
            b.fill(number + 1);
        });
        assert_eq!((a[0], b[4]), (1, 5));
    }

    #[test]
    fn block_size_is_multiple_of_unit() {
        assert_eq!(block(100, 1), 100);
        assert_eq!(block(100, 64), 128);
        assert_eq!(block(0, 0), 1);
        assert_eq!(block(1 << 20, 1000), 17_000);
    }
}
