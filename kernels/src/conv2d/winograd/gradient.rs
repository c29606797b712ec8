//! The gradient of the weights: of the convolution `A' ((G g G') (B' d B)) A` it is
//! `G' (sum of (A dy A') (B' d B)) G`, with sums over tiles and images.
//!
//! At each point the sum is a matrix product, of outputs and inputs over tiles. A sum has its terms in the order of
//! images and tiles, for any number transformed at a time.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#![allow(
    clippy::needless_range_loop,
    reason = "loops of fixed length, over several arrays, that are unrolled"
)]

use super::flipped::Turned;
use super::{Filter, LANES, POINTS, ROOM};
use crate::conv2d::lanes::{Lanes, Plain};
use crate::conv2d::tiles::STRIP;
use crate::simd::Level;
use crate::{scratch, simd};

/// The gradient of the weights from the images `x` and the gradients `d_pre` of their results.
pub(in crate::conv2d) fn backward_weight(filter: &Filter, x: &[f32], d_pre: &[f32], d_weight: &mut [f32]) {
    let Filter { ins, height, width, outs, rows, columns, padding } = *filter;
    let (down, across) = (rows.div_ceil(2), columns.div_ceil(2));
    let source = Turned {
        planes: ins,
        lanes: ins.next_multiple_of(LANES),
        height,
        width,
        padding,
        rows: 2 * down + 2,
        columns: 2 * across + 2,
    };
    let d = Turned {
        planes: outs,
        lanes: outs.next_multiple_of(LANES),
        height: rows,
        width: columns,
        padding: 0,
        rows: 2 * down,
        columns: 2 * across,
    };
    let most = (ROOM / (POINTS * (source.lanes + d.lanes))).max(across);
    let sums = Sums { ins: source.lanes, outs: d.lanes, most };
    scratch::with(POINTS * (sums.in_point() + sums.out_point() + sums.point()), |buffer| {
        let (x_points, buffer) = buffer.split_at_mut(POINTS * sums.in_point());
        let (d_points, found) = buffer.split_at_mut(POINTS * sums.out_point());
        found.fill(0.0);
        scratch::with(source.len() + d.len(), |turned| {
            turned.fill(0.0);
            let (x_turned, d_turned) = turned.split_at_mut(source.len());
            let mut tiles = 0;
            for (x, d_pre) in
                x.chunks_exact(ins * height * width).zip(d_pre.chunks_exact(outs * rows * columns))
            {
                source.turn(x, x_turned);
                d.turn(d_pre, d_turned);
                for row in 0..down {
                    if tiles + across > most {
                        sums.add(x_points, d_points, tiles, found);
                        tiles = 0;
                    }
                    let to = &mut x_points[tiles * sums.ins..];
                    source.tiles(x_turned, row, across, false, to, sums.in_point());
                    let to = &mut d_points[tiles * sums.outs..];
                    d.tiles(d_turned, row, across, true, to, sums.out_point());
                    tiles += across;
                }
            }
            sums.add(x_points, d_points, tiles, found);
        });
        back(found, sums.ins, sums.point(), ins, d_weight);
    });
}

/// The products of all points.
#[derive(Clone, Copy)]
struct Sums {
    /// The inputs and outputs, rounded up to complete vectors.
    ins: usize,
    outs: usize,
    /// The maximum number of tiles of a point.
    most: usize,
}

impl Sums {
    /// The distance between the image tiles of consecutive points: not a multiple of 4 KiB.
    fn in_point(&self) -> usize {
        self.most * self.ins + LANES
    }

    /// As [`Sums::in_point`], of gradients.
    fn out_point(&self) -> usize {
        self.most * self.outs + LANES
    }

    /// As [`Sums::in_point`], of sums.
    fn point(&self) -> usize {
        self.outs * self.ins + LANES
    }

    /// Adds the products of some tiles: `sums[out][in] += sum over tiles of d[tile][out] * x[tile][in]`.
    fn add(&self, x: &[f32], d: &[f32], tiles: usize, sums: &mut [f32]) {
        assert!(tiles <= self.most, "no more tiles than there is room for");
        assert!(self.ins.is_multiple_of(LANES) && self.outs.is_multiple_of(LANES), "whole vectors");
        let x = x.chunks_exact(self.in_point());
        let d = d.chunks_exact(self.out_point());
        for ((x, d), sums) in x.zip(d).zip(sums.chunks_exact_mut(self.point())) {
            // SAFETY: `level` returns a level only if the processor was detected to have its features; the rest is
            // asserted above.
            unsafe {
                match simd::level() {
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => avx512(*self, x, d, tiles, sums),
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => avx2(*self, x, d, tiles, sums),
                    _ => product::<Plain, 4, 1>(*self, x, d, tiles, sums),
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn avx512(job: Sums, x: &[f32], d: &[f32], tiles: usize, sums: &mut [f32]) {
    // SAFETY: the caller's.
    unsafe { product::<crate::conv2d::lanes::Avx512, 8, 2>(job, x, d, tiles, sums) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(job: Sums, x: &[f32], d: &[f32], tiles: usize, sums: &mut [f32]) {
    // SAFETY: the caller's.
    unsafe { product::<crate::conv2d::lanes::Avx2, 4, 2>(job, x, d, tiles, sums) }
}

/// The product of a point, in tiles of `M` outputs and `N` vectors of inputs.
///
/// # Safety
/// The processor has the level of `V`, `M` divides a vector, and what [`Sums::add`] asserts holds.
#[inline(always)]
unsafe fn product<V: Lanes, const M: usize, const N: usize>(
    job: Sums,
    x: &[f32],
    d: &[f32],
    tiles: usize,
    sums: &mut [f32],
) {
    let lanes = V::STRIPS * STRIP;
    for out in (0..job.outs).step_by(M) {
        let mut input = 0;
        // SAFETY: the caller's.
        unsafe {
            while input + N * lanes <= job.ins {
                block::<V, M, N>(job, x, d, tiles, (out, input), sums);
                input += N * lanes;
            }
            while input < job.ins {
                block::<V, M, 1>(job, x, d, tiles, (out, input), sums);
                input += lanes;
            }
        }
    }
}

/// `M` outputs and `N` vectors of inputs.
///
/// # Safety
/// As [`product`].
#[inline(always)]
unsafe fn block<V: Lanes, const M: usize, const N: usize>(
    job: Sums,
    x: &[f32],
    d: &[f32],
    tiles: usize,
    (out, input): (usize, usize),
    sums: &mut [f32],
) {
    let lanes = V::STRIPS * STRIP;
    // SAFETY: the caller's.
    unsafe {
        let (x, d) = (x.as_ptr().add(input), d.as_ptr().add(out));
        let sums = sums.as_mut_ptr().add(out * job.ins + input);
        let mut found = [[V::splat(0.0); N]; M];
        for m in 0..M {
            for n in 0..N {
                let at = sums.add(m * job.ins + n * lanes);
                found[m][n] = V::load::<true>(at, at.add(STRIP));
            }
        }
        for tile in 0..tiles {
            let (x, d) = (x.add(tile * job.ins), d.add(tile * job.outs));
            let mut vectors = [V::splat(0.0); N];
            for n in 0..N {
                let at = x.add(n * lanes);
                vectors[n] = V::load::<true>(at, at.add(STRIP));
            }
            for m in 0..M {
                let d = V::splat(*d.add(m));
                for n in 0..N {
                    found[m][n] = d.mul_add(vectors[n], found[m][n]);
                }
            }
        }
        for m in 0..M {
            for n in 0..N {
                found[m][n].store(sums.add(m * job.ins + n * lanes));
            }
        }
    }
}

simd! {
    /// The kernels `G' m G` of the sums at all points, `point` apart and each with rows of `pitch`.
    fn back(sums: &[f32], pitch: usize, point: usize, ins: usize, d_weight: &mut [f32]) {
        for (out, kernels) in d_weight.as_chunks_mut::<9>().0.chunks_exact_mut(ins).enumerate() {
            for (vector, kernels) in kernels.chunks_mut(LANES).enumerate() {
                let mut m = [[0.0; LANES]; POINTS];
                for (number, m) in m.iter_mut().enumerate() {
                    m.copy_from_slice(&sums[number * point + out * pitch + vector * LANES..][..LANES]);
                }
                let columns = [0, 1, 2, 3].map(|j| line(&m[j], &m[4 + j], &m[8 + j], &m[12 + j]));
                let [a, b, c, d] = &columns;
                let rows = [0, 1, 2].map(|u| line(&a[u], &b[u], &c[u], &d[u]));
                for (lane, kernel) in kernels.iter_mut().enumerate() {
                    for (tap, value) in kernel.iter_mut().enumerate() {
                        *value = rows[tap / 3][tap % 3][lane];
                    }
                }
            }
        }
    }
}

/// `G'` times a column, of a vector of kernels.
#[inline(always)]
fn line(a: &[f32; LANES], b: &[f32; LANES], c: &[f32; LANES], d: &[f32; LANES]) -> [[f32; LANES]; 3] {
    let mut rows = [[0.0; LANES]; 3];
    for lane in 0..LANES {
        let plus = 0.5 * (b[lane] + c[lane]);
        rows[0][lane] = a[lane] + plus;
        rows[1][lane] = 0.5 * (b[lane] - c[lane]);
        rows[2][lane] = plus + d[lane];
    }
    rows
}
