//! Statistics of a vector, then the vector, while it is in the first cache.

use super::Rows;
use crate::runs::{Shared, WIDE, sums};
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
        /// Rows that go through each step together, so that one does not wait for another's sum.
        const TOGETHER: usize = 8;
        let features = rows.features;
        let mut statistics = statistics;
        let length = features.max(1) as f64;
        let (weight, bias) = (&weight[..features], &bias[..features]);
        let row = |row: usize| row * features..(row + 1) * features;
        for first in (0..count).step_by(TOGETHER) {
            let together = TOGETHER.min(count - first);
            let mut means = [0.0; TOGETHER];
            if CENTERED {
                for (number, mean) in means[..together].iter_mut().enumerate() {
                    let [sum] = sums([&x[row(first + number)]], [0.0], |[x], [sum]| {
                        for lane in 0..WIDE {
                            sum[lane] += x[lane];
                        }
                    });
                    *mean = (sum / length) as f32;
                }
            }
            let mut inverses = [0.0; TOGETHER];
            for (number, (inverse, &mean)) in inverses[..together].iter_mut().zip(&means).enumerate() {
                let [squares] = sums([&x[row(first + number)]], [mean], |[x], [sum]| {
                    for lane in 0..WIDE {
                        let difference = x[lane] - mean;
                        sum[lane] = difference.mul_add(difference, sum[lane]);
                    }
                });
                *inverse = (1.0 / (squares / length + f64::from(rows.eps)).sqrt()) as f32;
            }
            for number in 0..together {
                let (mean, inverse) = (means[number], inverses[number]);
                let (x, y) = (&x[row(first + number)], &mut y[row(first + number)]);
                for feature in 0..features {
                    y[feature] = ((x[feature] - mean) * inverse).mul_add(weight[feature], bias[feature]);
                }
                match &mut statistics {
                    Some(statistics) if CENTERED => {
                        statistics[2 * (first + number)] = mean;
                        statistics[2 * (first + number) + 1] = inverse;
                    }
                    Some(statistics) => statistics[first + number] = inverse,
                    None => {}
                }
            }
        }
    }
}
