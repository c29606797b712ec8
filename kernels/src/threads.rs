//! Threads over blocks that are fixed by the problem, never by the number of threads.
//!
//! What a block computes depends on its number alone, and sums over blocks are made in the order of the
//! blocks, so the number of threads never shows in the bits of a result. Threads are those of the rayon pool
//! that the caller stands in.

use rayon::prelude::*;

use crate::simd::is_forced;

/// The number of threads of the pool.
#[must_use]
pub fn count() -> usize {
    rayon::current_num_threads()
}

/// Runs `work` on a thread of the pool, so that its parallel parts begin without being handed over each.
pub fn inside<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if is_forced() { work() } else { rayon::scope(|_| work()) }
}

/// Runs `run` for each number below `count`, each once, in any order.
///
/// A single block runs where the caller stands, without a word to the pool.
pub fn for_each(count: usize, run: impl Fn(usize) + Sync + Send) {
    if count <= 1 || is_forced() {
        (0..count).for_each(run);
    } else {
        (0..count).into_par_iter().for_each(run);
    }
}

/// Runs `run` for each chunk of `size` elements, with the number of the chunk; the last may be shorter.
///
/// # Panics
/// If `size` is 0.
pub fn chunks<T: Send>(values: &mut [T], size: usize, run: impl Fn(usize, &mut [T]) + Sync + Send) {
    if values.len() <= size || is_forced() {
        values.chunks_mut(size).enumerate().for_each(|(number, chunk)| run(number, chunk));
    } else {
        values.par_chunks_mut(size).enumerate().for_each(|(number, chunk)| run(number, chunk));
    }
}

/// [`chunks`] of two slices side by side, each with its own size; as many as both have.
///
/// # Panics
/// If a size is 0.
pub fn chunks2<A: Send, B: Send>(
    (a, a_size): (&mut [A], usize),
    (b, b_size): (&mut [B], usize),
    run: impl Fn(usize, &mut [A], &mut [B]) + Sync + Send,
) {
    if a.len() <= a_size || is_forced() {
        let pairs = a.chunks_mut(a_size).zip(b.chunks_mut(b_size));
        pairs.enumerate().for_each(|(number, (a, b))| run(number, a, b));
    } else {
        let pairs = a.par_chunks_mut(a_size).zip(b.par_chunks_mut(b_size));
        pairs.enumerate().for_each(|(number, (a, b))| run(number, a, b));
    }
}

/// [`chunks`] of three slices side by side.
///
/// # Panics
/// If a size is 0.
pub fn chunks3<A: Send, B: Send, C: Send>(
    (a, a_size): (&mut [A], usize),
    (b, b_size): (&mut [B], usize),
    (c, c_size): (&mut [C], usize),
    run: impl Fn(usize, &mut [A], &mut [B], &mut [C]) + Sync + Send,
) {
    if a.len() <= a_size || is_forced() {
        let triples = a.chunks_mut(a_size).zip(b.chunks_mut(b_size)).zip(c.chunks_mut(c_size));
        triples.enumerate().for_each(|(number, ((a, b), c))| run(number, a, b, c));
    } else {
        let triples = a.par_chunks_mut(a_size).zip(b.par_chunks_mut(b_size)).zip(c.par_chunks_mut(c_size));
        triples.enumerate().for_each(|(number, ((a, b), c))| run(number, a, b, c));
    }
}

/// How many elements a block of a pass over `total` elements has: enough to be worth a thread, few enough to
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
    fn chunks_know_their_number() {
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
    fn a_block_is_a_multiple_of_its_unit() {
        assert_eq!(block(100, 1), 100);
        assert_eq!(block(100, 64), 128);
        assert_eq!(block(0, 0), 1);
        assert_eq!(block(1 << 20, 1000), 17_000);
    }
}
