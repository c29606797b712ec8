//! Sums over runs of values, for the normalizations and the losses: in a fixed order at every level, in f32 while
//! that is accurate enough, then in f64.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

#[cfg(test)]
pub(crate) mod testing;

pub(crate) use crate::math::LANES;
pub(crate) use crate::shared::Shared;

use crate::matmul::WriteMode;

/// A vector.
pub(crate) type Vector = [f32; LANES];

/// Running sums per sum, at every level: several vectors, so that an addition does not wait for the previous one. A loop
/// over as many becomes SIMD as a whole, where one over a single vector is unrolled and then taken for scalars.
pub(crate) const WIDE: usize = 4 * LANES;
/// Several vectors.
pub(crate) type Wide = [f32; WIDE];

/// Values that are summed in f32 before the sum goes to f64: at most 34 additions are consecutive, 32 in a
/// lane and 2 of lanes.
pub(crate) const PIECE: usize = 32 * WIDE;

/// Sums of the terms of runs: in f32 over a [`PIECE`], then in f64.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Sums<const OUT: usize> {
    lanes: [Wide; OUT],
    /// The number of values summed so far.
    pending: usize,
    totals: [f64; OUT],
}

impl<const OUT: usize> Sums<OUT> {
    /// Of nothing.
    pub(crate) const ZERO: Self = Self { lanes: [[0.0; WIDE]; OUT], pending: 0, totals: [0.0; OUT] };

    /// Adds the terms of a run: `step` takes one vector of values of each of `inputs`, which are equally long, and
    /// updates the sums, each lane independently. It must leave a lane unchanged if its value is `fill`.
    #[inline(always)]
    pub(crate) fn add<const IN: usize>(
        &mut self,
        inputs: [&[f32]; IN],
        fill: [f32; IN],
        step: impl Fn([&Wide; IN], &mut [Wide; OUT]),
    ) {
        let length = inputs[0].len();
        let mut start = 0;
        while start < length {
            let end = length.min(start + PIECE - self.pending);
            let inputs = inputs.map(|input| &input[start..end]);
            let count = (end - start) / WIDE;
            let parts = inputs.map(|input| &input.as_chunks::<WIDE>().0[..count]);
            let mut lanes = self.lanes;
            for part in 0..count {
                step(parts.map(|parts| &parts[part]), &mut lanes);
            }
            if !(end - start).is_multiple_of(WIDE) {
                let mut rests = [[0.0; WIDE]; IN];
                for ((rest, input), fill) in rests.iter_mut().zip(inputs).zip(fill) {
                    last(input, fill, rest);
                }
                step(rests.each_ref(), &mut lanes);
            }
            self.lanes = lanes;
            self.pending += (end - start).next_multiple_of(WIDE);
            if self.pending == PIECE {
                self.flush();
            }
            start = end;
        }
    }

    #[inline(always)]
    fn flush(&mut self) {
        // In memory, the lanes are vectors to the compiler; in registers they are taken apart into single ones.
        let lanes = std::hint::black_box(&mut self.lanes);
        for (total, lanes) in self.totals.iter_mut().zip(lanes) {
            add_half::<32>(lanes);
            add_half::<16>(lanes);
            // The sum of all lanes can be far larger than that of one, so that its rounding would be the largest.
            let mut sums = [0.0; 8];
            for lane in 0..8 {
                sums[lane] = f64::from(lanes[lane]) + f64::from(lanes[lane + 8]);
            }
            let sums: [f64; 4] = halve(&sums, &|a, b| a + b);
            *total += (sums[0] + sums[2]) + (sums[1] + sums[3]);
        }
        (self.lanes, self.pending) = ([[0.0; WIDE]; OUT], 0);
    }

    /// The sums.
    #[inline(always)]
    pub(crate) fn finish(&mut self) -> [f64; OUT] {
        self.flush();
        self.totals
    }
}

#[inline(always)]
fn add_half<const HALF: usize>(lanes: &mut Wide) {
    let (first, second) = lanes.split_at_mut(HALF);
    for lane in 0..HALF {
        first[lane] += second[lane];
    }
}

/// [`Sums`] of one run.
#[inline(always)]
pub(crate) fn sums<const IN: usize, const OUT: usize>(
    inputs: [&[f32]; IN],
    fill: [f32; IN],
    step: impl Fn([&Wide; IN], &mut [Wide; OUT]),
) -> [f64; OUT] {
    let mut sums = Sums::ZERO;
    sums.add(inputs, fill, step);
    sums.finish()
}

/// What the parts of [`WIDE`] leave of `run`, and `fill` in the other lanes.
#[inline(always)]
fn last(run: &[f32], fill: f32, into: &mut Wide) {
    // The part that ends where the run ends, if there is one, since a copy of any length is slow.
    if let Some(part) = run.last_chunk::<WIDE>()
        && let Some(bits) = BITS[run.len() % WIDE..].first_chunk::<WIDE>()
    {
        for lane in 0..WIDE {
            into[lane] = f32::from_bits(part[lane].to_bits() & bits[lane] | fill.to_bits() & !bits[lane]);
        }
    } else {
        into.fill(fill);
        into[..run.len()].copy_from_slice(run);
    }
}

/// No bits, then all of them: masks from a table, since comparisons become a branch a lane.
static BITS: [u32; 2 * WIDE] = {
    let mut bits = [0; 2 * WIDE];
    let mut at = WIDE;
    while at < bits.len() {
        bits[at] = u32::MAX;
        at += 1;
    }
    bits
};

/// The first `count` lanes, and `fill` in the others.
#[inline(always)]
pub(crate) fn keep_first(vector: &Vector, count: usize, fill: f32) -> Vector {
    let mut kept = [0.0; LANES];
    if let Some(bits) = BITS[WIDE - count..].first_chunk::<LANES>() {
        for lane in 0..LANES {
            kept[lane] = f32::from_bits(vector[lane].to_bits() & !bits[lane] | fill.to_bits() & bits[lane]);
        }
    }
    kept
}

/// Reduces the lanes by halves.
#[inline(always)]
pub(crate) fn fold(lanes: Vector, join: impl Fn(f32, f32) -> f32) -> f32 {
    let lanes: [_; 8] = halve(&lanes, &join);
    let lanes: [_; 4] = halve(&lanes, &join);
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

/// A mean as an f32, and its rounding error, the rest.
///
/// Where the mean is far above the deviation, the rest is far above the rounding of the deviation.
#[inline(always)]
pub(crate) fn split(mean: f64) -> [f32; 2] {
    let rough = mean as f32;
    [rough, (mean - f64::from(rough)) as f32]
}

/// A variance, from the mean square of the differences from the mean as an f32.
#[inline(always)]
pub(crate) fn centered(square: f64, rest: f32) -> f64 {
    let variance = square - f64::from(rest) * f64::from(rest);
    // Not `max`, which discards a NaN.
    if variance < 0.0 { 0.0 } else { variance }
}

/// `sqrt(variance + eps)`; NaN where that is infinite.
///
/// The inverse of infinity is 0, and 0 times any finite value is 0: values whose squares overflow f32
/// would all be normalized to the bias without an error.
#[inline(always)]
pub(crate) fn deviation(variance: f64, eps: f32) -> f64 {
    let deviation = (variance + f64::from(eps)).sqrt();
    if deviation < f64::INFINITY { deviation } else { f64::NAN }
}

/// Writes or adds a result.
#[inline(always)]
pub(crate) fn put(place: &mut f32, value: f32, onto: WriteMode) {
    *place = if onto == WriteMode::Accumulate { *place + value } else { value };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_is_summed_once() {
        let mut all = Sums::ZERO;
        let (mut lengths, mut squares) = (0, 0);
        for length in
            [0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 200, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 21]
        {
            let run: Vec<f32> = (0..length).map(|index| (index + 1) as f32).collect();
            let step = |[x]: [&Wide; 1], [count, sum]: &mut [Wide; 2]| {
                for lane in (0..WIDE).filter(|&lane| x[lane] > 0.0) {
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
