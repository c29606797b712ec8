//! Statistics of a group, then its channels.

use super::GroupNorm;
use crate::reduce::{Shared, WIDE, centered, deviation, split, sums};
use crate::{simd, threads};

pub(super) fn run(
    norm: &GroupNorm,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    statistics: Option<&mut [f32]>,
    y: &mut [f32],
) {
    assert_eq!(y.len(), x.len(), "y is as long as x");
    let (y, statistics) = (Shared::new(y), statistics.map(Shared::new));
    let length = norm.width() * norm.places;
    threads::for_each(norm.blocks(), |block| {
        for group in norm.groups_of(block) {
            let part = group * length..(group + 1) * length;
            // SAFETY: each group is in one block.
            let (y, statistics) = unsafe {
                let statistics = statistics.as_ref();
                let statistics = statistics.map(|statistics| statistics.part(3 * group..3 * group + 3));
                (y.part(part.clone()), statistics)
            };
            let first = group % norm.groups * norm.width();
            let channels = first..first + norm.width();
            let found = normalize(norm, &x[part], &weight[channels.clone()], &bias[channels], y);
            if let Some(statistics) = statistics {
                statistics.copy_from_slice(&found);
            }
        }
    });
}

simd! {
    /// Normalizes one group; returns its mean, `1 / sqrt(variance + eps)` and the rest of the mean.
    fn normalize(norm: &GroupNorm, x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32]) -> [f32; 3] {
        let length = x.len().max(1) as f64;
        // Differences from a value of the group, so that a mean far above them causes no cancellation.
        let shift = x.first().copied().unwrap_or_default();
        let [sum] = sums([x], [shift], |[x], [sum]| {
            for lane in 0..WIDE {
                sum[lane] += x[lane] - shift;
            }
        });
        let [mean, rest] = split(f64::from(shift) + sum / length);
        let [squares] = sums([x], [mean], |[x], [sum]| {
            for lane in 0..WIDE {
                let difference = x[lane] - mean;
                sum[lane] = difference.mul_add(difference, sum[lane]);
            }
        });
        let variance = centered(squares / length, rest);
        let inverse = (1.0 / deviation(variance, norm.eps)) as f32;
        let offset = -rest * inverse;
        let channels = x.chunks_exact(norm.places.max(1)).zip(y.chunks_exact_mut(norm.places.max(1)));
        for ((x, y), (&weight, &bias)) in channels.zip(weight.iter().zip(bias)) {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = (x - mean).mul_add(inverse, offset).mul_add(weight, bias);
            }
        }
        [mean, inverse, rest]
    }
}
