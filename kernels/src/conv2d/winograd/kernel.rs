//! The transform of weights: of each kernel `g`, `G g G'` with
//! ```text
//!      1   0   0
//! G = 1/2 1/2 1/2
//!     1/2 -1/2 1/2
//!      0   0   1
//! ```
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#![allow(
    clippy::needless_range_loop,
    reason = "loops of fixed length, over several arrays, that are unrolled"
)]

use super::{Filter, POINTS};
use crate::conv2d::sweep::tile_rows;
use crate::conv2d::weights;
use crate::simd;

simd! {
    /// Packs the transforms of all kernels for a sweep at each point. If `back`, kernels are those of the
    /// convolution of which this is the gradient: flipped, with exchanged inputs and outputs.
    pub(super) fn transform(filter: &Filter, weight: &[f32], back: bool, packed: &mut [f32]) {
        let Filter { ins, outs, .. } = *filter;
        let kernels = weight.as_chunks::<9>().0;
        let room = packed.len() / POINTS;
        let mut start = 0;
        let most = tile_rows();
        let mut first = 0;
        while first < outs {
            let height = weights::height(outs - first, most);
            for tap in 0..ins {
                let kernel = |row: usize| {
                    let place = if back { tap * outs + row } else { row * ins + tap };
                    if row < outs { &kernels[place] } else { &[0.0; 9] }
                };
                let to = &mut packed[start + tap * height..];
                match height {
                    8 => rows::<8>(kernel, first, back, to, room),
                    6 => rows::<6>(kernel, first, back, to, room),
                    4 => rows::<4>(kernel, first, back, to, room),
                    _ => rows::<1>(kernel, first, back, to, room),
                }
            }
            (start, first) = (start + height * ins, first + height);
        }
    }
}

/// The points of the kernels of `H` rows, `room` apart.
#[inline(always)]
fn rows<'a, const H: usize>(
    kernel: impl Fn(usize) -> &'a [f32; 9],
    first: usize,
    back: bool,
    to: &mut [f32],
    room: usize,
) {
    let mut g = [[0.0; H]; 9];
    for row in 0..H {
        let kernel = kernel(first + row);
        for tap in 0..9 {
            g[tap][row] = kernel[if back { 8 - tap } else { tap }];
        }
    }
    let columns = [0, 1, 2].map(|v| line(&g[v], &g[3 + v], &g[6 + v]));
    for u in 0..4 {
        let row = line(&columns[0][u], &columns[1][u], &columns[2][u]);
        for v in 0..4 {
            to[(4 * u + v) * room..][..H].copy_from_slice(&row[v]);
        }
    }
}

/// `G` times a column, of several kernels.
#[inline(always)]
fn line<const H: usize>(a: &[f32; H], b: &[f32; H], c: &[f32; H]) -> [[f32; H]; 4] {
    let (mut plus, mut minus) = ([0.0; H], [0.0; H]);
    for row in 0..H {
        let ends = a[row] + c[row];
        plus[row] = 0.5 * (ends + b[row]);
        minus[row] = 0.5 * (ends - b[row]);
    }
    [*a, plus, minus, *c]
}
