//! Sums of each channel in each sample, from which the gradient of the group and, summed over the samples, those of weight
//! and bias are computed.

use super::GroupNorm;
use crate::matmul::WriteMode;
use crate::reduce::{self, Shared, WIDE, put};
use crate::{scratch, simd, threads};

pub(super) struct Input<'a> {
    pub(super) norm: &'a GroupNorm,
    pub(super) x: &'a [f32],
    pub(super) weight: &'a [f32],
    pub(super) statistics: &'a [f32],
    pub(super) dy: &'a [f32],
}

pub(super) fn run(
    input: &Input<'_>,
    dx: Option<(&mut [f32], WriteMode)>,
    (d_weight, to_weight): (&mut [f32], WriteMode),
    (d_bias, to_bias): (&mut [f32], WriteMode),
) {
    let norm = input.norm;
    let (channels, width) = (norm.channels, norm.width());
    let dx = dx.map(|(dx, onto)| (Shared::new(dx), onto));
    // Of each channel in each sample: the sums of `dy` and of `dy xhat`.
    scratch::with(norm.batch * channels * 2, |sums| {
        let shared = Shared::new(sums);
        threads::for_each(norm.blocks(), |block| {
            for group in norm.groups_of(block) {
                let length = width * norm.places;
                // SAFETY: each group is in one block.
                let (sums, dx) = unsafe {
                    let dx = dx.as_ref();
                    let dx = dx.map(|(dx, onto)| (dx.part(group * length..(group + 1) * length), *onto));
                    (shared.part(2 * group * width..2 * (group + 1) * width), dx)
                };
                differentiate(input, group, sums, dx);
            }
        });
        for channel in 0..channels {
            let mut totals = [0.0; 2];
            for sample in 0..norm.batch {
                let sums = &sums[2 * (sample * channels + channel)..][..2];
                totals = [totals[0] + f64::from(sums[0]), totals[1] + f64::from(sums[1])];
            }
            put(&mut d_bias[channel], totals[0] as f32, to_bias);
            put(&mut d_weight[channel], totals[1] as f32, to_weight);
        }
    });
}

simd! {
    /// One group, indexed across all samples.
    fn differentiate(input: &Input<'_>, group: usize, sums: &mut [f32], dx: Option<(&mut [f32], WriteMode)>) {
        let Input { norm, x, weight, statistics, dy } = *input;
        let (width, places) = (norm.width(), norm.places);
        let length = width * places;
        let (x, dy) = (&x[group * length..][..length], &dy[group * length..][..length]);
        let weight = &weight[group % norm.groups * width..][..width];
        let statistics = &statistics[3 * group..][..3];
        let mean = statistics[0];
        let [inverse, rest] = [statistics[1], statistics[2]].map(f64::from);
        let of_dy = |channel: usize| (inverse * f64::from(weight[channel])) as f32;

        // Of the whole group, of `g / sqrt(variance + eps)`, with the rounded factors of `dy`, so that the sum of `dx` is
        // 0, and of `g xhat`.
        let mut means = [0.0; 2];
        for channel in 0..width {
            let part = channel * places..(channel + 1) * places;
            let inputs = [&x[part.clone()], &dy[part]];
            let [sum, products] = reduce::sums(inputs, [mean, 0.0], |[x, dy], [sum, products]| {
                for lane in 0..WIDE {
                    sum[lane] += dy[lane];
                    products[lane] = dy[lane].mul_add(x[lane] - mean, products[lane]);
                }
            });
            let products = (products - rest * sum) * inverse;
            sums[2 * channel] = sum as f32;
            sums[2 * channel + 1] = products as f32;
            let (of_dy, weight) = (f64::from(of_dy(channel)), f64::from(weight[channel]));
            means = [means[0] + of_dy * sum, means[1] + weight * products];
        }
        let means = means.map(|sum| sum / length.max(1) as f64);

        let Some((dx, onto)) = dx else { return };
        let of_x = (-inverse * inverse * means[1]) as f32;
        let constant = (-means[0] - f64::from(of_x) * rest) as f32;
        for channel in 0..width {
            let part = channel * places..(channel + 1) * places;
            let of_dy = of_dy(channel);
            let numbers = dx[part.clone()].iter_mut().zip(&dy[part.clone()]).zip(&x[part]);
            let value = |dy: f32, x: f32| of_dy.mul_add(dy, of_x.mul_add(x - mean, constant));
            match onto {
                WriteMode::Overwrite => numbers.for_each(|((dx, &dy), &x)| *dx = value(dy, x)),
                WriteMode::Accumulate => numbers.for_each(|((dx, &dy), &x)| *dx += value(dy, x)),
            }
        }
    }
}
