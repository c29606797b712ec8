//! Copies between layouts: slices, permuted axes, padding, and parts of a value.
//!
//! A [`Strided`] describes which element of one array goes to which place of another, for one sample; a batch is one sample
//! after the other. Backward is the same copy in the other direction: [`Strided::reversed`].
//!
//! ```
//! use trainspec_kernels::matmul::WriteMode;
//! use trainspec_kernels::strided::{Place, Strided};
//!
//! // The transpose of a matrix of 2 rows and 3 columns.
//! let strided = Strided::new(&[3, 2], Place::new(0, &[1, 3]), Place::rows(&[3, 2]));
//! let mut y = [0.0; 6];
//! strided.copy((&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 6), (&mut y, 6), WriteMode::Overwrite);
//! assert_eq!(y, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
//! ```

#[cfg(test)]
mod tests;

use crate::element::added;
use crate::matmul::WriteMode;
use crate::threads;

/// The most axes of a sample.
pub const MAX_AXES: usize = 6;
/// Elements that a thread copies at a time.
const BLOCK: usize = 32 << 10;
/// The sides of the squares in which two axes are exchanged: their rows stay in the L1 cache.
const TILE: usize = 16;

/// Where the elements of a sample are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    start: usize,
    strides: [usize; MAX_AXES],
}

impl Place {
    /// Element `i, j, …` is at `start + i strides[0] + j strides[1] + …`.
    ///
    /// # Panics
    /// If there are more than [`MAX_AXES`] axes.
    #[must_use]
    pub fn new(start: usize, strides: &[usize]) -> Self {
        let mut all = [0; MAX_AXES];
        all[..strides.len()].copy_from_slice(strides);
        Self { start, strides: all }
    }

    /// One after the other in row-major order, in an array with these axes.
    #[must_use]
    pub fn rows(axes: &[usize]) -> Self {
        let mut strides = [0; MAX_AXES];
        let mut stride = 1;
        for (place, axis) in strides[..axes.len()].iter_mut().zip(axes).rev() {
            *place = stride;
            stride *= axis;
        }
        Self { start: 0, strides }
    }

    /// The same from another element on.
    #[must_use]
    pub fn from(self, start: usize) -> Self {
        Self { start, ..self }
    }

    /// The distance of adjacent elements along an axis.
    #[must_use]
    pub fn stride(&self, axis: usize) -> usize {
        self.strides[axis]
    }

    fn last(&self, lengths: &[usize]) -> usize {
        self.start
            + lengths.iter().zip(self.strides).map(|(length, stride)| (length - 1) * stride).sum::<usize>()
    }
}

/// A copy of one box of elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strided {
    lengths: Vec<usize>,
    from: Place,
    into: Place,
}

impl Strided {
    /// The copy of a box with these lengths. No two elements may go to the same place.
    ///
    /// # Panics
    /// If there are more than [`MAX_AXES`] axes.
    #[must_use]
    pub fn new(lengths: &[usize], from: Place, into: Place) -> Self {
        assert!(lengths.len() <= MAX_AXES, "at most {MAX_AXES} axes");
        let mut merged = Self {
            lengths: Vec::new(),
            from: Place::new(from.start, &[]),
            into: Place::new(into.start, &[]),
        };
        for (axis, &length) in lengths.iter().enumerate() {
            if length == 1 {
                continue;
            }
            let (f, i) = (from.strides[axis], into.strides[axis]);
            let count = merged.lengths.len();
            // Adjacent axes that lie one after the other in both arrays are one axis.
            let is_one = count > 0
                && merged.from.strides[count - 1] == f * length
                && merged.into.strides[count - 1] == i * length;
            let place = if is_one { count - 1 } else { count };
            (merged.from.strides[place], merged.into.strides[place]) = (f, i);
            if is_one {
                merged.lengths[place] *= length;
            } else {
                merged.lengths.push(length);
            }
        }
        merged
    }

    /// The copy back.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { lengths: self.lengths.clone(), from: self.into, into: self.from }
    }

    /// Copies each sample of a batch, or adds it. A slice comes with the number of its elements per sample. Elements outside
    /// the box are unchanged.
    ///
    /// # Panics
    /// If the slices have another number of samples, or the box is not inside a sample.
    pub fn copy(
        &self,
        (from, from_size): (&[f32], usize),
        (into, into_size): (&mut [f32], usize),
        onto: WriteMode,
    ) {
        if into.is_empty() || self.lengths.contains(&0) {
            return;
        }
        assert_eq!(from.len() * into_size, into.len() * from_size, "as many samples in both slices");
        assert!(self.from.last(&self.lengths) < from_size, "the box is inside a sample");
        assert!(self.into.last(&self.lengths) < into_size, "the box is inside a sample");
        let samples = (BLOCK / into_size).max(1);
        threads::chunks(into, samples * into_size, |number, into| {
            let from = &from[number * samples * from_size..];
            for (from, into) in from.chunks(from_size).zip(into.chunks_mut(into_size)) {
                self.sample(from, into, onto);
            }
        });
    }

    fn sample(&self, from: &[f32], into: &mut [f32], onto: WriteMode) {
        let Some((&width, outer)) = self.lengths.split_last() else {
            put(&mut into[self.into.start], from[self.from.start], onto);
            return;
        };
        let last = outer.len();
        let strides = (self.from.strides[last], self.into.strides[last]);
        // An axis along which the source is adjacent, if that is not the last one.
        let across = (0..last).find(|&axis| self.from.strides[axis] == 1 && strides.0 != 1);
        match across {
            None => self.each(outer, None, |f, i| row((from, f), (into, i), width, strides, onto)),
            Some(axis) => {
                let lengths = [outer[axis], width];
                let f = [1, strides.0];
                let i = [self.into.strides[axis], strides.1];
                self.each(outer, Some(axis), |start_f, start_i| {
                    square((from, start_f, f), (into, start_i, i), lengths, onto);
                });
            }
        }
    }

    /// Calls `work` with the places of the first element of each row, over all axes but one that `work` handles itself.
    fn each(&self, outer: &[usize], without: Option<usize>, mut work: impl FnMut(usize, usize)) {
        let length = |axis: usize| if without == Some(axis) { 1 } else { outer[axis] };
        let rows: usize = (0..outer.len()).map(length).product();
        let mut counter = [0; MAX_AXES];
        let (mut f, mut i) = (self.from.start, self.into.start);
        for _ in 0..rows {
            work(f, i);
            for axis in (0..outer.len()).rev() {
                counter[axis] += 1;
                if counter[axis] < length(axis) {
                    f += self.from.strides[axis];
                    i += self.into.strides[axis];
                    break;
                }
                f -= (length(axis) - 1) * self.from.strides[axis];
                i -= (length(axis) - 1) * self.into.strides[axis];
                counter[axis] = 0;
            }
        }
    }
}

fn row(
    (from, f): (&[f32], usize),
    (into, i): (&mut [f32], usize),
    width: usize,
    strides: (usize, usize),
    onto: WriteMode,
) {
    if strides == (1, 1) {
        let (from, into) = (&from[f..f + width], &mut into[i..i + width]);
        match onto {
            WriteMode::Overwrite => into.copy_from_slice(from),
            WriteMode::Accumulate => added(from, into),
        }
        return;
    }
    let from = from[f..].iter().step_by(strides.0.max(1));
    let into = into[i..].iter_mut().step_by(strides.1.max(1));
    for (into, from) in into.zip(from).take(width) {
        put(into, *from, onto);
    }
}

/// Two axes of which the source is adjacent along the first, in squares.
fn square(
    (from, f, f_strides): (&[f32], usize, [usize; 2]),
    (into, i, i_strides): (&mut [f32], usize, [usize; 2]),
    [rows, columns]: [usize; 2],
    onto: WriteMode,
) {
    for top in (0..rows).step_by(TILE) {
        for left in (0..columns).step_by(TILE) {
            for row in top..rows.min(top + TILE) {
                for column in left..columns.min(left + TILE) {
                    let value = from[f + row * f_strides[0] + column * f_strides[1]];
                    put(&mut into[i + row * i_strides[0] + column * i_strides[1]], value, onto);
                }
            }
        }
    }
}

#[inline]
fn put(place: &mut f32, value: f32, onto: WriteMode) {
    match onto {
        WriteMode::Overwrite => *place = value,
        WriteMode::Accumulate => *place += value,
    }
}
