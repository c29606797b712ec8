//! The mean of entire planes.

use crate::matmul::WriteMode;
use crate::sizes::elements;
use crate::{simd, threads};

/// Running sums of a plane, at every level.
const LANES: usize = 16;

/// Writes the mean of each of `planes` planes of `places` elements to `y`; NaN if `places` is 0.
///
/// # Shapes
/// `x`: `[planes, places]`; `y`: `[planes]`.
///
/// # Panics
/// If a slice has the wrong length.
///
/// ```
/// let mut y = [0.0; 2];
/// trainspec_kernels::pool::global_average(&[1.0, 2.0, 3.0, 5.0, 5.0, 8.0], 2, 3, &mut y);
/// assert_eq!(y, [2.0, 6.0]);
/// ```
pub fn global_average(x: &[f32], planes: usize, places: usize, y: &mut [f32]) {
    assert_eq!(x.len(), elements([planes, places]), "x is [planes, places]");
    assert_eq!(y.len(), planes, "y is [planes]");
    let block = threads::block(x.len(), places) / places.max(1);
    threads::chunks(y, block.max(1), |number, y| means(&x[number * block * places..], places, y));
}

/// Writes the gradient of the planes to `dx`, from that of their means, `dy`.
///
/// # Panics
/// As [`global_average`].
pub fn global_average_backward(
    dy: &[f32],
    planes: usize,
    places: usize,
    (dx, onto): (&mut [f32], WriteMode),
) {
    assert_eq!(dy.len(), planes, "dy is [planes]");
    assert_eq!(dx.len(), elements([planes, places]), "dx is [planes, places]");
    let block = threads::block(dx.len(), places) / places.max(1);
    threads::chunks(dx, (block * places).max(1), |number, dx| {
        for (dx, dy) in dx.chunks_exact_mut(places).zip(&dy[number * block..]) {
            let part = dy / places as f32;
            match onto {
                WriteMode::Overwrite => dx.fill(part),
                WriteMode::Accumulate => dx.iter_mut().for_each(|dx| *dx += part),
            }
        }
    });
}

simd! {
    fn means(x: &[f32], places: usize, y: &mut [f32]) {
        for (plane, y) in y.iter_mut().enumerate() {
            let (vectors, rest) = x[plane * places..][..places].as_chunks::<LANES>();
            let mut sums = [0.0; LANES];
            for vector in vectors {
                for (sum, x) in sums.iter_mut().zip(vector) {
                    *sum += x;
                }
            }
            for (sum, x) in sums.iter_mut().zip(rest) {
                *sum += x;
            }
            for width in [8, 4, 2, 1] {
                for lane in 0..width {
                    sums[lane] += sums[lane + width];
                }
            }
            *y = sums[0] / places as f32;
        }
    }
}
