//! Statistics of a vector, then the vector, while it is in the L1 cache.

use super::Rows;
use crate::reduce::{Shared, WIDE, centered, deviation, split, sums};
use crate::{simd, threads};

/// `CENTERED`: with the mean subtracted, layer normalization; otherwise root mean square normalization.
pub(super) fn run<const CENTERED: bool>(
    rows: Rows,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    statistics: Option<&mut [f32]>,
    y: &mut [f32],
) {
    assert_eq!(y.len(), x.len(), "y is as long as x");
    let (block, numbers) = (rows.block(), if CENTERED { 3 } else { 1 });
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
        /// The number of rows processed together, so that one does not wait for another's sum.
        const TOGETHER: usize = 8;
        let features = rows.features;
        let mut statistics = statistics;
        let length = features.max(1) as f64;
        let (weight, bias) = (&weight[..features], &bias[..features]);
        let row = |row: usize| row * features..(row + 1) * features;
        for first in (0..count).step_by(TOGETHER) {
            let together = TOGETHER.min(count - first);
            let mut means = [[0.0; 2]; TOGETHER];
            if CENTERED {
                for (number, mean) in means[..together].iter_mut().enumerate() {
                    let x = &x[row(first + number)];
                    // Differences from a value of the vector, so that a mean far above them causes no cancellation.
                    let shift = x.first().copied().unwrap_or_default();
                    let [sum] = sums([x], [shift], |[x], [sum]| {
                        for lane in 0..WIDE {
                            sum[lane] += x[lane] - shift;
                        }
                    });
                    *mean = split(f64::from(shift) + sum / length);
                }
            }
            let mut inverses = [0.0; TOGETHER];
            for (number, (inverse, &[mean, rest])) in inverses[..together].iter_mut().zip(&means).enumerate() {
                let [squares] = sums([&x[row(first + number)]], [mean], |[x], [sum]| {
                    for lane in 0..WIDE {
                        let difference = x[lane] - mean;
                        sum[lane] = difference.mul_add(difference, sum[lane]);
                    }
                });
                let variance = centered(squares / length, rest);
                *inverse = (1.0 / deviation(variance, rows.eps)) as f32;
            }
            for number in 0..together {
                let ([mean, rest], inverse) = (means[number], inverses[number]);
                let offset = if CENTERED { -rest * inverse } else { -0.0 };
                let (x, y) = (&x[row(first + number)], &mut y[row(first + number)]);
                for feature in 0..features {
                    let xhat = (x[feature] - mean).mul_add(inverse, offset);
                    y[feature] = xhat.mul_add(weight[feature], bias[feature]);
                }
                match &mut statistics {
                    Some(statistics) if CENTERED => {
                        statistics[3 * (first + number)..][..3].copy_from_slice(&[mean, inverse, rest]);
                    }
                    Some(statistics) => statistics[first + number] = inverse,
                    None => {}
                }
            }
        }
    }
}
