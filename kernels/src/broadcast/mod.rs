//! Sums, differences, products and quotients of two values, of which the smaller one is repeated along some axes.
//!
//! The *full* value has the shape of the result; the *small* one has the length 1 along the axes where it is repeated. Its
//! gradient is the sum over these axes, for each sample: 16 running sums along a row, and rows in their order.
//!
//! ```
//! use trainspec_kernels::broadcast::{Broadcast, Operator};
//!
//! // Each row of a matrix times its own factor.
//! let broadcast = Broadcast::new(Operator::Mul, &[2, 3], &[2, 1], false);
//! let mut y = [0.0; 6];
//! broadcast.forward(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[10.0, 100.0], &mut y);
//! assert_eq!(y, [10.0, 20.0, 30.0, 400.0, 500.0, 600.0]);
//! ```

#[cfg(test)]
mod tests;

use crate::math::{LANES, each_with, each_with_two};
use crate::matmul::WriteMode;
use crate::reduce::{Vector, fold};
use crate::{simd, threads};

/// Elements of the full value that a thread handles at a time.
const BLOCK: usize = 32 << 10;

/// How two elements are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a b`
    Mul,
    /// `a / b`
    Div,
}

/// An operator on a full value and a small one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast {
    operator: Operator,
    /// Whether the small value is the left operand.
    is_swapped: bool,
    /// The axes of the full value, and the strides of the small one: 0 where it is repeated. Adjacent axes of one kind are
    /// one axis; the last is the row.
    outer: Vec<(usize, usize)>,
    row: (usize, usize),
    full: usize,
    small: usize,
}

impl Broadcast {
    /// For values with these axes per sample. `is_swapped` if the small one is the left operand.
    ///
    /// # Panics
    /// If an axis of `small` is neither 1 nor that of `full`, or an axis is 0.
    #[must_use]
    pub fn new(operator: Operator, full: &[usize], small: &[usize], is_swapped: bool) -> Self {
        assert_eq!(full.len(), small.len(), "as many axes");
        let mut axes: Vec<(usize, bool)> = Vec::new();
        for (&length, &own) in full.iter().zip(small) {
            assert!(length > 0 && (own == length || own == 1), "an axis of 1, or an equal one");
            let is_repeated = own != length;
            match axes.last_mut() {
                _ if length == 1 => {}
                Some((last, is)) if *is == is_repeated => *last *= length,
                _ => axes.push((length, is_repeated)),
            }
        }
        let mut stride = 1;
        let mut strided: Vec<(usize, usize)> = Vec::new();
        for &(length, is_repeated) in axes.iter().rev() {
            strided.push((length, if is_repeated { 0 } else { stride }));
            if !is_repeated {
                stride *= length;
            }
        }
        strided.reverse();
        let row = strided.pop().unwrap_or((1, 1));
        let [full, small] = [full, small].map(|axes| axes.iter().product());
        Self { operator, is_swapped, outer: strided, row, full, small }
    }

    /// `y` from the full and the small value, for any number of samples.
    ///
    /// # Panics
    /// If the slices do not have as many samples.
    pub fn forward(&self, full: &[f32], small: &[f32], y: &mut [f32]) {
        self.check(full, small, y.len());
        let samples = self.samples();
        threads::chunks(y, samples * self.full, |number, y| {
            let full = &full[number * samples * self.full..][..y.len()];
            let small = &small[number * samples * self.small..];
            for ((full, small), y) in
                full.chunks(self.full).zip(small.chunks(self.small)).zip(y.chunks_mut(self.full))
            {
                self.rows(|at, from| {
                    let (full, y) = (&full[at..at + self.row.0], &mut y[at..at + self.row.0]);
                    let small = self.part(small, from);
                    match (self.operator, self.is_swapped) {
                        (Operator::Add, _) => combine(full, small, y, |full, small| full + small),
                        (Operator::Sub, false) => combine(full, small, y, |full, small| full - small),
                        (Operator::Sub, true) => combine(full, small, y, |full, small| small - full),
                        (Operator::Mul, _) => combine(full, small, y, |full, small| full * small),
                        (Operator::Div, false) => combine(full, small, y, |full, small| full / small),
                        (Operator::Div, true) => combine(full, small, y, |full, small| small / full),
                    }
                });
            }
        });
    }

    /// The gradient of the full value.
    ///
    /// # Panics
    /// If the slices do not have as many samples.
    pub fn backward_full(
        &self,
        full: &[f32],
        small: &[f32],
        dy: &[f32],
        (d_full, onto): (&mut [f32], WriteMode),
    ) {
        self.check(full, small, d_full.len());
        let samples = self.samples();
        threads::chunks(d_full, samples * self.full, |number, d_full| {
            let [full, dy] = [full, dy].map(|values| &values[number * samples * self.full..][..d_full.len()]);
            let small = &small[number * samples * self.small..];
            let values = full.chunks(self.full).zip(small.chunks(self.small)).zip(dy.chunks(self.full));
            for (((full, small), dy), d_full) in values.zip(d_full.chunks_mut(self.full)) {
                self.rows(|at, from| {
                    let row = at..at + self.row.0;
                    let (full, dy, d_full) = (&full[row.clone()], &dy[row.clone()], &mut d_full[row]);
                    let small = self.part(small, from);
                    match (self.operator, self.is_swapped) {
                        (Operator::Add, _) | (Operator::Sub, false) => {
                            slopes((full, small), dy, d_full, onto, |_, _, dy| dy);
                        }
                        (Operator::Sub, true) => slopes((full, small), dy, d_full, onto, |_, _, dy| -dy),
                        (Operator::Mul, _) => {
                            slopes((full, small), dy, d_full, onto, |_, small, dy| dy * small);
                        }
                        (Operator::Div, false) => {
                            slopes((full, small), dy, d_full, onto, |_, small, dy| dy / small);
                        }
                        (Operator::Div, true) => {
                            slopes((full, small), dy, d_full, onto, |full, small, dy| {
                                -(dy * small / full) / full
                            });
                        }
                    }
                });
            }
        });
    }

    /// The gradient of the small value.
    ///
    /// # Panics
    /// If the slices do not have as many samples.
    pub fn backward_small(
        &self,
        full: &[f32],
        small: &[f32],
        dy: &[f32],
        (d_small, onto): (&mut [f32], WriteMode),
    ) {
        self.check(full, small, dy.len());
        assert_eq!(d_small.len(), small.len(), "a gradient for each element");
        let samples = self.samples();
        threads::chunks(d_small, samples * self.small, |number, d_small| {
            if onto == WriteMode::Overwrite {
                d_small.fill(0.0);
            }
            let [full, dy] = [full, dy].map(|values| &values[number * samples * self.full..]);
            let small = &small[number * samples * self.small..];
            let values = full.chunks(self.full).zip(small.chunks(self.small)).zip(dy.chunks(self.full));
            for (((full, small), dy), d_small) in values.zip(d_small.chunks_mut(self.small)) {
                self.rows(|at, from| {
                    let row = at..at + self.row.0;
                    let (full, dy) = (&full[row.clone()], &dy[row]);
                    let small = self.part(small, from);
                    let d_small = if self.row.1 == 0 {
                        &mut d_small[from..=from]
                    } else {
                        &mut d_small[from..from + self.row.0]
                    };
                    match (self.operator, self.is_swapped) {
                        (Operator::Add, _) | (Operator::Sub, true) => {
                            sums((full, small), dy, d_small, |_, _, dy| dy);
                        }
                        (Operator::Sub, false) => sums((full, small), dy, d_small, |_, _, dy| -dy),
                        (Operator::Mul, _) => sums((full, small), dy, d_small, |full, _, dy| dy * full),
                        (Operator::Div, false) => {
                            sums((full, small), dy, d_small, |full, small, dy| -(dy * full / small) / small);
                        }
                        (Operator::Div, true) => sums((full, small), dy, d_small, |full, _, dy| dy / full),
                    }
                });
            }
        });
    }

    fn samples(&self) -> usize {
        (BLOCK / self.full).max(1)
    }

    fn check(&self, full: &[f32], small: &[f32], results: usize) {
        assert_eq!(full.len(), results, "an element for each of the full value");
        assert_eq!(full.len() * self.small, small.len() * self.full, "as many samples of both values");
    }

    /// The elements of the small value for a row: one, or as many as the row has.
    fn part<'a>(&self, small: &'a [f32], from: usize) -> &'a [f32] {
        if self.row.1 == 0 { &small[from..=from] } else { &small[from..from + self.row.0] }
    }

    /// Calls `work` for each row of a sample, with the index of its first element, and of that of the small value.
    fn rows(&self, mut work: impl FnMut(usize, usize)) {
        let rows = self.full / self.row.0;
        let mut counter = [0; 8];
        let mut from = 0;
        for row in 0..rows {
            work(row * self.row.0, from);
            for (count, &(length, stride)) in counter.iter_mut().zip(&self.outer).rev() {
                *count += 1;
                from += stride;
                if *count < length {
                    break;
                }
                from -= length * stride;
                *count = 0;
            }
        }
    }
}

simd! {
    fn combine[F: Fn(f32, f32) -> f32][F](full: &[f32], small: &[f32], y: &mut [f32], f: F) {
        match *small {
            [small] => each_with(y, full, |_, full| f(full, small)),
            _ => each_with_two(y, full, small, |_, full, small| f(full, small)),
        }
    }
}

simd! {
    fn slopes[F: Fn(f32, f32, f32) -> f32][F](
        values: (&[f32], &[f32]),
        dy: &[f32],
        d_full: &mut [f32],
        onto: WriteMode,
        f: F,
    ) {
        let (full, small) = values;
        let adds = onto == WriteMode::Accumulate;
        for (i, d) in d_full.iter_mut().enumerate() {
            let small = if small.len() == 1 { small[0] } else { small[i] };
            let gradient = f(full[i], small, dy[i]);
            *d = if adds { *d + gradient } else { gradient };
        }
    }
}

simd! {
    fn sums[F: Fn(f32, f32, f32) -> f32][F](
        values: (&[f32], &[f32]),
        dy: &[f32],
        d_small: &mut [f32],
        f: F,
    ) {
        let (full, small) = values;
        if let [sum] = d_small {
            let small = small[0];
            let ((full, full_rest), (dy, dy_rest)) = (full.as_chunks::<LANES>(), dy.as_chunks::<LANES>());
            let mut lanes: Vector = [0.0; LANES];
            for (full, dy) in full.iter().zip(dy) {
                for lane in 0..LANES {
                    lanes[lane] += f(full[lane], small, dy[lane]);
                }
            }
            for (lane, (full, dy)) in full_rest.iter().zip(dy_rest).enumerate() {
                lanes[lane] += f(*full, small, *dy);
            }
            *sum += fold(lanes, |a, b| a + b);
            return;
        }
        for (i, sum) in d_small.iter_mut().enumerate() {
            *sum += f(full[i], small[i], dy[i]);
        }
    }
}
