//! Copies of strided rows.

use super::{BLOCK, added};
use crate::matmul::WriteMode;
use crate::threads;

/// Copies `rows` rows of `width` elements, which start `from_stride` elements apart, to rows that start `into_stride`
/// elements apart, or adds them. The elements between the rows are unchanged.
///
/// # Panics
/// If `width` is larger than a stride, or the last row ends beyond a slice.
pub fn copy_rows(
    from: &[f32],
    from_stride: usize,
    into: &mut [f32],
    into_stride: usize,
    width: usize,
    rows: usize,
    onto: WriteMode,
) {
    if width == 0 || rows == 0 {
        return;
    }
    assert!(width <= from_stride && width <= into_stride, "rows do not overlap");
    assert!((rows - 1) * from_stride + width <= from.len(), "all rows come from inside the slice");
    assert!((rows - 1) * into_stride + width <= into.len(), "all rows go inside the slice");
    let into = &mut into[..(rows - 1) * into_stride + width];
    let block = BLOCK.div_ceil(width);
    threads::chunks(into, block * into_stride, |number, into| {
        let from = &from[number * block * from_stride..];
        if width == from_stride && width == into_stride {
            return copy(&from[..into.len()], into, onto);
        }
        for (from, into) in from.chunks(from_stride).zip(into.chunks_mut(into_stride)) {
            copy(&from[..width], &mut into[..width], onto);
        }
    });
}

#[inline]
fn copy(from: &[f32], into: &mut [f32], onto: WriteMode) {
    match onto {
        WriteMode::Overwrite => into.copy_from_slice(from),
        WriteMode::Accumulate => added(from, into),
    }
}
