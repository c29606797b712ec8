//! Statistics of a vector, then the vector, while it is in the first cache.

use super::Rows;
use crate::runs::{LANES, Shared, sums};
use crate::{simd, threads};

/// `CENTERED`: with the mean taken away, layer normalization; else root mean square normalization.
pub(super) fn run<const CENTERED: bool>(
    rows: Rows,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    statistics: Option<&mut [f32]>,
    y: &mut [f32],
) {
    assert_eq!(y.len(), x.len(), "y is as long as x");
    let (block, numbers) = (rows.block(), if CENTERED { 2 } else { 1 });
    let (y, statistics) = (Shared::new(y), statistics.map(Shared::new));
    threads::for_each(rows.count.div_ceil(block), |number| {
        let (first, end) = (number * block, rows.count.min((number + 1) * block));
        let part = first * rows.features..end * rows.features;
        // SAFETY: each row is in one block.
        let (y, statistics) = unsafe {
            let statistics =
                statistics.as_ref().map(|statistics| statistics.part(first * numbers..end * numbers));
            (y.part(part.clone()), statistics)
        };
        normalize::<CENTERED>(rows, &x[part], end - first, weight, bias, statistics, y);
    });
}

simd! {
    fn normalize[const CENTERED: bool][CENTERED](
        rows: Rows,
        x: &[f32],
        count: usize,
        weight: &[f32],
        bias: &[f32],
        statistics: Option<&mut [f32]>,
        y: &mut [f32],
    ) {
        let features = rows.features;
        let mut statistics = statistics;
        let length = features.max(1) as f64;
        let (weight, bias) = (&weight[..features], &bias[..features]);
        for row in 0..count {
            let (x, y) = (&x[row * features..][..features], &mut y[row * features..][..features]);
            let mut mean = 0.0;
            if CENTERED {
                let [sum] = sums([x], [0.0], |[x], [sum]| {
                    for lane in 0..LANES {
                        sum[lane] += x[lane];
                    }
                });
                mean = (sum / length) as f32;
            }
            let [squares] = sums([x], [mean], |[x], [sum]| {
                for lane in 0..LANES {
                    let difference = x[lane] - mean;
                    sum[lane] = difference.mul_add(difference, sum[lane]);
                }
            });
            let inverse = (1.0 / (squares / length + f64::from(rows.eps)).sqrt()) as f32;
            for feature in 0..features {
                y[feature] = ((x[feature] - mean) * inverse).mul_add(weight[feature], bias[feature]);
            }
            match &mut statistics {
                Some(statistics) if CENTERED => {
                    statistics[2 * row] = mean;
                    statistics[2 * row + 1] = inverse;
                }
                Some(statistics) => statistics[row] = inverse,
                None => {}
            }
        }
    }
}
