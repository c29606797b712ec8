//! The Euclidean norm of many tensors, in a fixed order of sums: `sqrt(sum(x^2))` over all their elements.
//!
//! Squares are summed in f32 in 32 running sums over 512 elements; the rest is f64: 32 running sums of a part
//! of a tensor, added pairwise, the parts of a tensor pairwise, the tensors sequentially. The parts
//! depend only on the tensor's length, so results do not depend on threads or the SIMD level.
//!
//! Where the squares of a part leave the range of f32, on either side, they are summed again in f64, which has room for the
//! square of every f32. So a norm is infinite only if an element is. [Subnormal](crate::subnormal) numbers are flushed,
//! whatever the caller's mode, and count as 0.

mod squares;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::ops::Add;

use crate::arena::TensorList;
use crate::subnormal::flushed;
use crate::threads::join;
use crate::update::split::middle;
use squares::squares;

/// Elements per part: about ten microseconds of work, the cost of waking another thread.
const PART: usize = 128 * 1024;

thread_local! {
    /// The sums of tensors, kept so that a steady state allocates nothing.
    static SUMS: Cell<Vec<f64>> = const { Cell::new(Vec::new()) };
}

/// The sum of squares of one tensor.
///
/// All terms have one sign, and at most 17 roundings of f32 meet a term, and squares that are flushed add up to less than
/// another one, so that the relative error is below `19 * 2^-24`, whatever the size. An infinite value yields infinity; a NaN
/// yields NaN.
///
/// ```
/// use trainspec_kernels::grad_norm::sum_of_squares;
///
/// for size in [1e-30_f32, 1.0, 1e25] {
///     assert_eq!(sum_of_squares(&[size]).sqrt(), f64::from(size));
/// }
/// ```
#[must_use]
pub fn sum_of_squares(values: &[f32]) -> f64 {
    flushed(|| parts(values))
}

/// [`sum_of_squares`] by parts.
fn parts(values: &[f32]) -> f64 {
    if values.len() <= PART {
        return squares(values);
    }
    let (left, right) = values.split_at(values.len().div_ceil(PART) / 2 * PART);
    let (left, right) = join(|| parts(left), || parts(right));
    left + right
}

/// The square root of the sum of squares of all `tensors`, as if they were one.
///
/// ```
/// use trainspec_kernels::grad_norm::global_norm;
///
/// assert_eq!(global_norm([[3.0].as_slice(), &[0.0, 4.0]]), 5.0);
/// ```
#[must_use]
pub fn global_norm<'a>(tensors: impl IntoIterator<Item = &'a [f32]>) -> f64 {
    flushed(|| tensors.into_iter().map(parts).fold(0.0, f64::add).sqrt())
}

/// [`global_norm`] with the same bits, where threads share tensors that are too small to be divided.
///
/// ```
/// use trainspec_kernels::grad_norm::global_norm_of;
///
/// assert_eq!(global_norm_of(&[vec![3.0], vec![0.0, 4.0]]), 5.0);
/// ```
#[must_use]
pub fn global_norm_of<T: AsRef<[f32]> + Sync>(tensors: &[T]) -> f64 {
    if tensors.elements() <= PART {
        return global_norm(tensors.iter().map(AsRef::as_ref));
    }
    let mut sums = SUMS.take();
    sums.clear();
    sums.resize(tensors.len(), 0.0);
    flushed(|| each(tensors, &mut sums));
    let norm = norm_of_sums(&sums);
    SUMS.set(sums);
    norm
}

/// [`global_norm`] from the [sum of squares](squares_of_each) of each tensor, with the same bits.
#[must_use]
pub fn norm_of_sums(sums: &[f64]) -> f64 {
    sums.iter().fold(0.0, f64::add).sqrt()
}

/// The [sum of squares](sum_of_squares) of each tensor, into `sums`, over threads.
///
/// # Panics
/// If there are not as many sums as tensors.
pub fn squares_of_each(tensors: impl TensorList, sums: &mut [f64]) {
    assert_eq!(tensors.count(), sums.len(), "each tensor has a sum");
    flushed(|| each(tensors, sums));
}

/// [`squares_of_each`] of as many.
fn each(tensors: impl TensorList, sums: &mut [f64]) {
    let total = tensors.elements();
    if tensors.count() == 1 || total <= PART {
        for (index, sum) in sums.iter_mut().enumerate() {
            *sum = parts(tensors.tensor(index));
        }
        return;
    }
    let at = middle(tensors, total);
    let (tensors, other_tensors) = tensors.divide(at);
    let (sums, other_sums) = sums.split_at_mut(at);
    join(|| each(tensors, sums), || each(other_tensors, other_sums));
}
