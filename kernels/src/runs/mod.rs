//! Sums over runs of numbers, for the normalizations and the losses: in a fixed order at every level, in f32 for as
//! long as that is exact enough, then in f64.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

mod shared;

#[cfg(test)]
pub(crate) mod testing;

pub(crate) use shared::Shared;

use crate::product::Onto;

/// Numbers of a vector, at every level.
pub(crate) const LANES: usize = 16;

/// Numbers that are summed in f32 before the sum goes to f64: of one run, at most 33 additions stand behind each
/// other, of many short ones 64.
pub(crate) const PIECE: usize = 2 * LANES * 32;

/// A vector.
pub(crate) type Vector = [f32; LANES];
/// Running sums in f64.
type Totals = [f64; LANES];

/// Sums of the terms of runs: in f32 over a [`PIECE`], then in f64.
#[derive(Clone, Copy)]
pub(crate) struct Sums<const OUT: usize> {
    /// Two vectors each, so that the next addition does not wait for the last.
    even: [Vector; OUT],
    odd: [Vector; OUT],
    /// Numbers that are in these.
    pending: usize,
    totals: [Totals; OUT],
}

impl<const OUT: usize> Sums<OUT> {
    /// Of nothing.
    pub(crate) const ZERO: Self =
        Self { even: [[0.0; LANES]; OUT], odd: [[0.0; LANES]; OUT], pending: 0, totals: [[0.0; LANES]; OUT] };

    /// Adds the terms of a run: `step` takes a vector of each of `inputs`, which are equally long, and brings the sums
    /// up to date, each lane by itself. It must leave a lane as it is if it gets `fill` there.
    #[inline(always)]
    pub(crate) fn add<const IN: usize>(
        &mut self,
        inputs: [&[f32]; IN],
        fill: [f32; IN],
        step: impl Fn([&Vector; IN], &mut [Vector; OUT]),
    ) {
        let length = inputs[0].len();
        let mut start = 0;
        while start < length {
            let end = length.min(start + PIECE - self.pending);
            let inputs = inputs.map(|input| &input[start..end]);
            let count = (end - start) / LANES;
            let vectors = inputs.map(|input| &input.as_chunks::<LANES>().0[..count]);
            let (mut even, mut odd) = (self.even, self.odd);
            for pair in 0..count / 2 {
                step(vectors.map(|vectors| &vectors[2 * pair]), &mut even);
                step(vectors.map(|vectors| &vectors[2 * pair + 1]), &mut odd);
            }
            if count % 2 == 1 {
                step(vectors.map(|vectors| &vectors[count - 1]), &mut even);
            }
            if !(end - start).is_multiple_of(LANES) {
                let mut rests = [[0.0; LANES]; IN];
                for ((rest, input), fill) in rests.iter_mut().zip(inputs).zip(fill) {
                    *rest = last(input, fill);
                }
                step(rests.each_ref(), &mut odd);
            }
            (self.even, self.odd) = (even, odd);
            self.pending += (end - start).next_multiple_of(LANES);
            if self.pending == PIECE {
                self.flush();
            }
            start = end;
        }
    }

    #[inline(always)]
    fn flush(&mut self) {
        for out in 0..OUT {
            for lane in 0..LANES {
                self.totals[out][lane] += f64::from(self.even[out][lane]) + f64::from(self.odd[out][lane]);
            }
        }
        (self.even, self.odd, self.pending) = ([[0.0; LANES]; OUT], [[0.0; LANES]; OUT], 0);
    }

    /// The sums.
    #[inline(always)]
    pub(crate) fn finish(mut self) -> [f64; OUT] {
        self.flush();
        let mut sums = [0.0; OUT];
        for (sum, totals) in sums.iter_mut().zip(&self.totals) {
            *sum = fold(*totals, |a, b| a + b);
        }
        sums
    }
}

/// [`Sums`] of one run.
#[inline(always)]
pub(crate) fn sums<const IN: usize, const OUT: usize>(
    inputs: [&[f32]; IN],
    fill: [f32; IN],
    step: impl Fn([&Vector; IN], &mut [Vector; OUT]),
) -> [f64; OUT] {
    let mut sums = Sums::ZERO;
    // A place in memory: sums that never have one are taken apart into single lanes.
    std::hint::black_box(&mut sums).add(inputs, fill, step);
    sums.finish()
}

/// What the whole vectors leave of `run`, and `fill` in the other lanes.
#[inline(always)]
fn last(run: &[f32], fill: f32) -> Vector {
    // The vector that ends where the run ends, if there is one, since a load of any length is slow.
    if let Some(vector) = run.last_chunk::<LANES>() {
        return keep_last(vector, run.len() % LANES, fill);
    }
    let mut vector = [fill; LANES];
    for (to, from) in vector.iter_mut().zip(run) {
        *to = *from;
    }
    vector
}

/// No bits, then all of them.
static BITS: [u32; 2 * LANES] = {
    let mut bits = [0; 2 * LANES];
    let mut at = LANES;
    while at < bits.len() {
        bits[at] = u32::MAX;
        at += 1;
    }
    bits
};

/// The last `count` lanes, fewer than all, and `fill` in the others.
#[inline(always)]
fn keep_last(vector: &Vector, count: usize, fill: f32) -> Vector {
    // Bits from a table, not comparisons, which become a branch a lane.
    let mut kept = [0.0; LANES];
    if let Some(bits) = BITS[count..].first_chunk::<LANES>() {
        for lane in 0..LANES {
            kept[lane] = f32::from_bits(vector[lane].to_bits() & bits[lane] | fill.to_bits() & !bits[lane]);
        }
    }
    kept
}

/// The first `count` lanes, and `fill` in the others.
#[inline(always)]
pub(crate) fn keep_first(vector: &Vector, count: usize, fill: f32) -> Vector {
    let mut kept = [0.0; LANES];
    if let Some(bits) = BITS[LANES - count..].first_chunk::<LANES>() {
        for lane in 0..LANES {
            kept[lane] = f32::from_bits(vector[lane].to_bits() & !bits[lane] | fill.to_bits() & bits[lane]);
        }
    }
    kept
}

/// The lanes brought together, halves onto halves.
#[inline(always)]
pub(crate) fn fold<T: Copy + Default>(lanes: [T; LANES], join: impl Fn(T, T) -> T) -> T {
    let lanes: [T; 8] = halve(&lanes, &join);
    let lanes: [T; 4] = halve(&lanes, &join);
    let [first, second] = halve(&lanes, &join);
    join(first, second)
}

#[inline(always)]
fn halve<T: Copy + Default, const HALF: usize>(lanes: &[T], join: &impl Fn(T, T) -> T) -> [T; HALF] {
    let mut joined = [T::default(); HALF];
    for lane in 0..HALF {
        joined[lane] = join(lanes[lane], lanes[lane + HALF]);
    }
    joined
}

/// Puts or adds a result.
#[inline(always)]
pub(crate) fn put(place: &mut f32, value: f32, onto: Onto) {
    *place = if onto == Onto::Add { *place + value } else { value };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_summed_once() {
        let mut all = Sums::ZERO;
        let (mut lengths, mut squares) = (0, 0);
        for length in [0, 1, 15, 16, 17, 31, 32, 33, 100, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 21] {
            let run: Vec<f32> = (0..length).map(|index| (index + 1) as f32).collect();
            let step = |[x]: [&Vector; 1], [count, sum]: &mut [Vector; 2]| {
                for lane in (0..LANES).filter(|&lane| x[lane] > 0.0) {
                    count[lane] += 1.0;
                    sum[lane] += x[lane];
                }
            };
            let expected = [length, length * (length + 1) / 2];
            assert_eq!(sums([&run], [-1.0], step).map(|sum| sum as usize), expected);
            for _ in 0..3 {
                all.add([&run], [-1.0], step);
            }
            (lengths, squares) = (lengths + 3 * expected[0], squares + 3 * expected[1]);
        }
        assert_eq!(all.finish().map(|sum| sum as usize), [lengths, squares]);
    }
}
