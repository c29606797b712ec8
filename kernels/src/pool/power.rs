//! Power-average pooling: roots of sums of powers.

use super::Pool;
use crate::matmul::WriteMode;
use crate::reduce::put;
use crate::{simd, threads};

/// The `p`-th root of the sum of the `p`-th powers of each window, with the sign of the sum; positions outside of the plane count as 0.
///
/// The slope by `x` is `x^(p - 1) |y|^(1 - p)`, and 0 where `y` is 0.
///
/// # Source
/// Gulcehre et al., "Learned-norm pooling for deep feedforward and recurrent neural networks", 2014.
///
/// ```
/// use trainspec_kernels::pool::{Pool, PowerPool};
///
/// let pool = Pool { planes: 1, height: 1, width: 2, kernel: [1, 2], stride: [1, 2], padding: [0; 2] };
/// let (mut powers, mut y) = ([0.0; 2], [0.0]);
/// PowerPool { pool, p: 2 }.forward(&[3.0, -4.0], &mut powers, &mut y);
/// assert_eq!(y, [5.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PowerPool {
    /// The windows.
    pub pool: Pool,
    /// The exponent, at least 1.
    pub p: u32,
}

impl PowerPool {
    /// Writes the results to `y`; `powers` is scratch.
    ///
    /// # Shapes
    /// `x` and `powers`: `[planes, height, width]`; `y`: `[planes, out_height, out_width]`.
    ///
    /// # Panics
    /// As [`Pool::max_forward`], or if `p` is 0.
    pub fn forward(&self, x: &[f32], powers: &mut [f32], y: &mut [f32]) {
        assert!(self.p > 0, "p is at least 1");
        assert_eq!(powers.len(), x.len(), "powers are [planes, height, width]");
        let block = threads::block(x.len(), 1);
        threads::chunks(powers, block, |number, powers| {
            raise(self.p, &x[number * block..][..powers.len()], powers);
        });
        self.pool.sum_forward(powers, y);
        let block = threads::block(y.len(), 1);
        threads::chunks(y, block, |_, y| roots(self.p, y));
    }

    /// Writes the gradient of `x` to `dx`, from that of the results, `dy`; `slopes` and `sums` are scratch.
    ///
    /// # Shapes
    /// `slopes`: as `y`; `sums`: as `x`.
    ///
    /// # Panics
    /// As [`PowerPool::forward`].
    pub fn backward(
        &self,
        (x, y): (&[f32], &[f32]),
        dy: &[f32],
        (slopes, sums): (&mut [f32], &mut [f32]),
        (dx, onto): (&mut [f32], WriteMode),
    ) {
        assert!(self.p > 0, "p is at least 1");
        assert!(dx.len() == x.len() && sums.len() == x.len(), "dx and sums are [planes, height, width]");
        assert!(
            slopes.len() == y.len() && dy.len() == y.len(),
            "slopes and dy are [planes, out height, out width]"
        );
        let block = threads::block(y.len(), 1);
        threads::chunks(slopes, block, |number, slopes| {
            let start = number * block;
            let part = start..start + slopes.len();
            root_slopes(self.p, &y[part.clone()], &dy[part], slopes);
        });
        self.pool.sum_backward(slopes, (&mut *sums, WriteMode::Overwrite));
        let block = threads::block(x.len(), 1);
        threads::chunks(dx, block, |number, dx| {
            let start = number * block;
            let part = start..start + dx.len();
            products(self.p - 1, &x[part.clone()], &sums[part], dx, onto);
        });
    }
}

/// `x^p`, by squaring.
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#[inline(always)]
fn power(x: f32, p: u32) -> f32 {
    let (mut result, mut square, mut rest) = (1.0, x, p);
    while rest > 0 {
        if rest % 2 == 1 {
            result *= square;
        }
        square *= square;
        rest /= 2;
    }
    result
}

simd! {
    fn raise(p: u32, x: &[f32], powers: &mut [f32]) {
        for (power_of_x, x) in powers.iter_mut().zip(x) {
            *power_of_x = if p == 2 { x * x } else { power(*x, p) };
        }
    }
}

simd! {
    /// Replaces sums by their roots, with their signs.
    fn roots(p: u32, sums: &mut [f32]) {
        for sum in sums {
            let size = sum.abs();
            let root = match p {
                1 => size,
                2 => size.sqrt(),
                p => f64::from(size).powf(1.0 / f64::from(p)) as f32,
            };
            *sum = root.copysign(*sum);
        }
    }
}

simd! {
    /// The gradients of the sums, divided by `p`.
    fn root_slopes(p: u32, y: &[f32], dy: &[f32], slopes: &mut [f32]) {
        for ((slope, y), dy) in slopes.iter_mut().zip(y).zip(dy) {
            let steepness = match p {
                1 => 1.0,
                2 => 1.0 / y.abs(),
                // In f64, since a power of a small root leaves the range of f32.
                p => f64::from(y.abs()).powi(1 - p.cast_signed()) as f32,
            };
            *slope = if *y == 0.0 { 0.0 } else { dy * steepness };
        }
    }
}

simd! {
    fn products(p: u32, x: &[f32], sums: &[f32], dx: &mut [f32], onto: WriteMode) {
        for ((dx, x), sum) in dx.iter_mut().zip(x).zip(sums) {
            let slope = if p == 1 { *x } else { power(*x, p) };
            // A sum of no window is 0, also where the power is infinite.
            put(dx, if *sum == 0.0 { 0.0 } else { slope * sum }, onto);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::reference;
    use crate::pool::tests::numbers;
    use crate::reduce::testing::{ROUNDING, compare, differentiate, same_bits, widen};

    fn forward(pool: &PowerPool, x: &[f64]) -> Vec<f64> {
        let (mut y, p) = (Vec::new(), pool.p.cast_signed());
        reference::each(&pool.pool, |_, first, places| {
            let sum: f64 = places.iter().map(|place| x[first + place].powi(p)).sum();
            y.push(sum.abs().powf(1.0 / f64::from(p)).copysign(sum));
        });
        y
    }

    fn backward(pool: &PowerPool, x: &[f64], dy: &[f64]) -> Vec<f64> {
        let (y, p) = (forward(pool, x), pool.p.cast_signed());
        let mut dx = vec![0.0; x.len()];
        reference::each(&pool.pool, |number, first, places| {
            for place in places {
                if y[number] != 0.0 {
                    dx[first + place] +=
                        dy[number] * x[first + place].powi(p - 1) * y[number].abs().powi(1 - p);
                }
            }
        });
        dx
    }

    fn pools() -> Vec<PowerPool> {
        let plain = Pool { planes: 3, height: 6, width: 9, kernel: [2; 2], stride: [2; 2], padding: [0; 2] };
        let overlapping = Pool { kernel: [3, 2], stride: [1, 2], padding: [1; 2], ..plain };
        let line = Pool { planes: 5, height: 1, width: 40, kernel: [1, 3], stride: [1; 2], padding: [0, 1] };
        let large =
            Pool { planes: 90, height: 15, width: 14, kernel: [3; 2], stride: [2; 2], padding: [1; 2] };
        let pools = [plain, overlapping, line, large];
        pools.iter().flat_map(|&pool| [1, 2, 3, 4, 7].map(|p| PowerPool { pool, p })).collect()
    }

    fn run(pool: &PowerPool, onto: WriteMode) -> Vec<Vec<f32>> {
        let Pool { planes, height, width, .. } = pool.pool;
        let x = inputs(pool);
        let outputs = planes * pool.pool.out_height() * pool.pool.out_width();
        let (mut y, mut powers) = (vec![f32::NAN; outputs], vec![f32::NAN; x.len()]);
        pool.forward(&x, &mut powers, &mut y);
        let before = if onto == WriteMode::Overwrite { f32::NAN } else { 1.0 };
        let mut dx = vec![before; planes * height * width];
        let mut slopes = vec![f32::NAN; outputs];
        pool.backward((&x, &y), &numbers(outputs, 2), (&mut slopes, &mut powers), (&mut dx, onto));
        vec![y, dx]
    }

    /// Positive for odd exponents, so that no sum cancels.
    fn inputs(pool: &PowerPool) -> Vec<f32> {
        let Pool { planes, height, width, .. } = pool.pool;
        let x = numbers(planes * height * width, 1);
        if pool.p % 2 == 1 { x.into_iter().map(|x| x.abs() + 0.125).collect() } else { x }
    }

    #[test]
    fn matches_f64() {
        for pool in pools() {
            let x = widen(&inputs(&pool));
            let [y, dx] = run(&pool, WriteMode::Overwrite).try_into().expect("two");
            let expected = forward(&pool, &x);
            // The roundings of a power and of a sum of up to 9, of which the root keeps a part.
            let off: Vec<f64> = expected.iter().map(|y| y.abs() * 20.0 * ROUNDING).collect();
            compare("y", &y, &expected, &off);
            let expected = backward(&pool, &x, &widen(&numbers(y.len(), 2)));
            // Slopes by up to 9 windows, each with the roundings of two powers; a slope by an element is at most 1.
            compare("dx", &dx, &expected, &[9.0 * 60.0 * ROUNDING]);
            let added = run(&pool, WriteMode::Accumulate);
            assert!(added[1].iter().zip(&dx).all(|(added, dx)| added.to_bits() == (1.0 + dx).to_bits()));
            same_bits(|| run(&pool, WriteMode::Overwrite));
        }
    }

    #[test]
    fn reference_gradient_matches_finite_differences() {
        for pool in pools().iter().filter(|pool| pool.pool.planes == 5) {
            let mut x: Vec<f64> = widen(&inputs(pool)).iter().map(|x| x + 0.3).collect();
            let dy = widen(&numbers(200, 2));
            let dx = backward(pool, &x, &dy);
            differentiate(&mut x, &dx, 1e-5, |x| forward(pool, x).iter().zip(&dy).map(|(y, d)| y * d).sum());
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "exact values")]
    fn sign_is_kept_and_window_of_zeros_has_no_slope() {
        let pool = Pool { planes: 1, height: 1, width: 4, kernel: [1, 2], stride: [1, 2], padding: [0; 2] };
        for (p, expected) in [(1, -2.0), (3, -2.0)] {
            let pool = PowerPool { pool, p };
            let (mut powers, mut y, mut slopes, mut dx) = ([0.0; 4], [0.0; 2], [0.0; 2], [f32::NAN; 4]);
            let x = [-2.0, 0.0, 0.0, 0.0];
            pool.forward(&x, &mut powers, &mut y);
            assert_eq!(y, [expected, 0.0]);
            pool.backward((&x, &y), &[1.0; 2], (&mut slopes, &mut powers), (&mut dx, WriteMode::Overwrite));
            assert_eq!(dx, [1.0, if p == 1 { 1.0 } else { 0.0 }, 0.0, 0.0]);
        }
    }
}
