//! Interleaves phases into images.

use super::Conv2d;
use crate::matmul::WriteMode;
use crate::simd;

simd! {
    /// Interleaves the consecutive phases of an image, each with all channels, back into the image.
    pub(super) fn weave(conv: &Conv2d, phases: &[f32], image: &mut [f32], onto: WriteMode) {
        let Conv2d { channels, height, width, stride, padding, .. } = *conv;
        let [[above, _], [left_of, _]] = padding;
        let mut start = 0;
        for a in 0..stride[0] {
            // The first row with remainder `a`, and the first column of each phase with it.
            let top = (a + stride[0] - above % stride[0]) % stride[0];
            let rows = height.saturating_sub(top).div_ceil(stride[0]);
            let band = &phases[start..][..channels * rows * width];
            start += band.len();
            for channel in 0..channels {
                for i in 0..rows {
                    let row = &mut image[(channel * height + top + i * stride[0]) * width..][..width];
                    let mut before = 0;
                    if stride[1] == 2 {
                        let columns = [width.div_ceil(2), width / 2];
                        // Phase 0 is that of the even columns, unless the padding is odd.
                        let order = if left_of.is_multiple_of(2) { [0, 1] } else { [1, 0] };
                        let sizes = [columns[order[0]], columns[order[1]]];
                        let parts = [
                            &band[(channel * rows + i) * sizes[0]..][..sizes[0]],
                            &band[channels * rows * sizes[0] + (channel * rows + i) * sizes[1]..][..sizes[1]],
                        ];
                        alternate(parts[order[0]], parts[order[1]], row, onto);
                        continue;
                    }
                    for b in 0..stride[1] {
                        let left = (b + stride[1] - left_of % stride[1]) % stride[1];
                        let columns = width.saturating_sub(left).div_ceil(stride[1]);
                        let part = &band[before + (channel * rows + i) * columns..][..columns];
                        before += channels * rows * columns;
                        for (result, value) in row.iter_mut().skip(left).step_by(stride[1]).zip(part) {
                            *result = if onto == WriteMode::Accumulate { *result + value } else { *value };
                        }
                    }
                }
            }
        }
    }
}

/// Interleaves the elements of `even` and `odd`; `even` may have one more.
#[inline(always)]
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
fn alternate(even: &[f32], odd: &[f32], row: &mut [f32], onto: WriteMode) {
    let (pairs, rest) = row.as_chunks_mut::<2>();
    for (pair, (even, odd)) in pairs.iter_mut().zip(even.iter().zip(odd)) {
        *pair = if onto == WriteMode::Accumulate { [pair[0] + even, pair[1] + odd] } else { [*even, *odd] };
    }
    if let ([result], Some(even)) = (rest, even.last()) {
        *result = if onto == WriteMode::Accumulate { *result + even } else { *even };
    }
}
