//! The gradient of each vector, and those of weight and bias: sums over blocks of vectors, then over the blocks.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::{Rows, SUMMED};
use crate::matmul::WriteMode;
use crate::reduce::{LANES, Shared, WIDE, put, sums};
use crate::{scratch, simd, threads};

pub(super) struct Input<'a> {
    pub(super) rows: Rows,
    pub(super) x: &'a [f32],
    pub(super) weight: &'a [f32],
    pub(super) statistics: &'a [f32],
    pub(super) dy: &'a [f32],
}

/// `CENTERED`: see forward.
pub(super) fn run<const CENTERED: bool>(
    input: &Input<'_>,
    dx: Option<(&mut [f32], WriteMode)>,
    d_weight: Option<(&mut [f32], WriteMode)>,
    d_bias: Option<(&mut [f32], WriteMode)>,
) {
    let Rows { count, features, .. } = input.rows;
    let is_long = |d: &Option<(&mut [f32], WriteMode)>| d.as_ref().is_none_or(|(d, _)| d.len() == features);
    assert_eq!(input.dy.len(), input.x.len(), "dy is as long as x");
    assert!(dx.as_ref().is_none_or(|(dx, _)| dx.len() == input.x.len()), "dx is as long as x");
    assert!(is_long(&d_weight), "the gradient of the weight is [features]");
    assert!(is_long(&d_bias), "the gradient of the bias is [features]");

    let block = input.rows.block();
    let blocks = count.div_ceil(block);
    let dx = dx.map(|(dx, onto)| (Shared::new(dx), onto));
    scratch::with(blocks * 2 * features, |sums| {
        let shared = Shared::new(sums);
        threads::for_each(blocks, |number| {
            let (first, end) = (number * block, count.min((number + 1) * block));
            // SAFETY: each block has its own sums, and each row is in one block.
            let (sums, dx) = unsafe {
                let dx = dx.as_ref();
                let dx = dx.map(|(dx, onto)| (dx.part(first * features..end * features), *onto));
                (shared.part(number * 2 * features..(number + 1) * 2 * features), dx)
            };
            scratch::with(3 * features, |room| differentiate::<CENTERED>(input, first, end, dx, sums, room));
        });
        for (number, d) in [d_weight, d_bias].into_iter().enumerate() {
            if let Some((d, onto)) = d {
                add_blocks(sums, number * features, 2 * features, d, onto);
            }
        }
    });
}

simd! {
    /// Vectors `first..end`; the sums of `dy xhat` and of `dy` go into `sums`.
    fn differentiate[const CENTERED: bool][CENTERED](
        input: &Input<'_>,
        first: usize,
        end: usize,
        dx: Option<(&mut [f32], WriteMode)>,
        sums: &mut [f32],
        room: &mut [f32],
    ) {
        let features = input.rows.features;
        let weight = &input.weight[..features];
        let mut dx = dx;
        sums.fill(0.0);
        let (room, g) = room.split_at_mut(2 * features);
        for start in (first..end).step_by(SUMMED) {
            room.fill(0.0);
            let (of_weight, of_bias) = room.split_at_mut(features);
            for row in start..end.min(start + SUMMED) {
                let part = row * features..(row + 1) * features;
                let (x, dy) = (&input.x[part.clone()], &input.dy[part]);
                let found = if CENTERED {
                    let found = &input.statistics[3 * row..][..3];
                    Found { mean: found[0], inverse: found[1], rest: found[2] }
                } else {
                    Found { mean: 0.0, inverse: input.statistics[row], rest: 0.0 }
                };
                add_row::<CENTERED>(x, dy, found, of_weight, of_bias);
                if let Some((dx, onto)) = &mut dx {
                    for ((g, weight), dy) in g.iter_mut().zip(weight).zip(dy) {
                        *g = weight * dy;
                    }
                    let slope = Slope::of::<CENTERED>(x, g, found);
                    let dx = &mut dx[(row - first) * features..][..features];
                    match onto {
                        WriteMode::Overwrite => slope.write(x, g, dx, |_, value| value),
                        WriteMode::Accumulate => slope.write(x, g, dx, |there, value| there + value),
                    }
                }
            }
            for (sum, room) in sums.iter_mut().zip(&*room) {
                *sum += room;
            }
        }
    }
}

/// The statistics of a vector.
#[derive(Clone, Copy)]
struct Found {
    mean: f32,
    inverse: f32,
    /// Of the mean.
    rest: f32,
}

#[inline(always)]
fn add_row<const CENTERED: bool>(
    x: &[f32],
    dy: &[f32],
    Found { mean, inverse, rest }: Found,
    of_weight: &mut [f32],
    of_bias: &mut [f32],
) {
    let features = x.len();
    let offset = if CENTERED { -rest * inverse } else { -0.0 };
    let (dy, of_weight, of_bias) = (&dy[..features], &mut of_weight[..features], &mut of_bias[..features]);
    for feature in 0..features {
        let dy = dy[feature];
        let xhat = (x[feature] - mean).mul_add(inverse, offset);
        of_weight[feature] = dy.mul_add(xhat, of_weight[feature]);
        if CENTERED {
            of_bias[feature] += dy;
        }
    }
}

/// `dx = of_g * g + of_x * (x - mean) + constant` with `g = weight * dy`
struct Slope {
    mean: f32,
    of_g: f32,
    of_x: f32,
    constant: f32,
}

impl Slope {
    #[inline(always)]
    fn of<const CENTERED: bool>(x: &[f32], g: &[f32], Found { mean, inverse, rest }: Found) -> Self {
        let [sum, products] = sums([x, g], [mean, 0.0], |[x, g], [sum, products]| {
            for lane in 0..WIDE {
                if CENTERED {
                    sum[lane] += g[lane];
                }
                products[lane] = g[lane].mul_add(x[lane] - mean, products[lane]);
            }
        });
        let (of_g, length) = (inverse, x.len() as f64);
        let (inverse, rest) = (f64::from(inverse), f64::from(rest));
        let products = products - rest * sum;
        let of_x = (-inverse * inverse * inverse * products / length) as f32;
        // From the rounded factors, so that the sum over the vector is 0.
        let constant = if CENTERED { -inverse * sum / length - f64::from(of_x) * rest } else { 0.0 };
        Self { mean, of_g, of_x, constant: constant as f32 }
    }

    #[inline(always)]
    fn write(&self, x: &[f32], g: &[f32], dx: &mut [f32], end: impl Fn(f32, f32) -> f32) {
        let features = dx.len();
        let (x, g) = (&x[..features], &g[..features]);
        for feature in 0..features {
            let value =
                self.of_g.mul_add(g[feature], self.of_x.mul_add(x[feature] - self.mean, self.constant));
            dx[feature] = end(dx[feature], value);
        }
    }
}

simd! {
    /// The sums over blocks; those of consecutive blocks are `stride` apart.
    fn add_blocks(sums: &[f32], first: usize, stride: usize, d: &mut [f32], onto: WriteMode) {
        for (number, d) in d.chunks_mut(LANES).enumerate() {
            let mut totals = [0.0; LANES];
            for block in sums.chunks_exact(stride) {
                let block = &block[first + number * LANES..][..d.len()];
                for (total, sum) in totals.iter_mut().zip(block) {
                    *total += f64::from(*sum);
                }
            }
            for (d, total) in d.iter_mut().zip(totals) {
                put(d, total as f32, onto);
            }
        }
    }
}
