//! Statistics, then the normalized values.

use std::ops::Range;

use super::columns::{self, Columns, Normals, WIDTH};
use super::places::{self, Block, CHANNELS, Each};
use super::{BatchNorm, Channels, Floors, Normal, PARTS, SPLIT_CHANNELS, statistics};
use crate::epilogue::Epilogue;
use crate::reduce::Shared;
use crate::threads;

/// The inputs of both passes.
struct Input<'a> {
    norm: &'a BatchNorm,
    x: &'a [f32],
    epilogue: &'a Epilogue<'a>,
}

pub(super) fn train(
    norm: &BatchNorm,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    epilogue: &Epilogue<'_>,
    statistics: &mut [f32],
    y: &mut [f32],
) {
    let input = Input { norm, x, epilogue };
    let parts = norm.parts();
    if norm.places == 1 {
        let (found, y) = (Found::new(norm, statistics), Shared::new(y));
        let block = norm.channels_of_block(WIDTH);
        threads::for_each(norm.channels.div_ceil(block), |number| {
            for range in parts_of(number * block..norm.channels.min((number + 1) * block), WIDTH) {
                let columns = Columns { samples: 0..norm.batch, channels: norm.channels, range };
                let range = &columns.range;
                let mut shifts = [0.0; WIDTH];
                if norm.batch > 0 {
                    shifts[..range.len()].copy_from_slice(&x[range.clone()]);
                }
                let [sums, squares] = columns::moments(x, &columns, &shifts);
                let moments = |column| ([sums[column], squares[column]], shifts[column]);
                // SAFETY: each channel is in one part of one block.
                let [means, variances, rests] = unsafe { found.put(range, moments) };
                let (weight, bias) = (&weight[range.clone()], &bias[range.clone()]);
                let channels = Channels { weight, bias, means, variances, rests: Some(rests) };
                input.columns(&columns, &channels, &y);
            }
        });
    } else if parts == 1 {
        let (found, y) = (Found::new(norm, statistics), Shared::new(y));
        let width = Block::width(norm);
        let block = norm.channels_of_block(width);
        threads::for_each(norm.channels.div_ceil(block), |number| {
            for range in parts_of(number * block..norm.channels.min((number + 1) * block), width) {
                let block = Block::new(norm, range.clone(), 0..norm.batch);
                let shifts = places::shifts(x, &block);
                let sums = places::moments(x, &block, &shifts);
                // SAFETY: each channel is in one part of one block.
                let [means, variances, rests] =
                    unsafe { found.put(&range, |channel| (sums[channel], shifts[channel])) };
                let (weight, bias) = (&weight[range.clone()], &bias[range]);
                let channels = Channels { weight, bias, means, variances, rests: Some(rests) };
                input.places(&block, &channels, &y);
            }
        });
    } else {
        let mut sums = [[0.0; 2]; SPLIT_CHANNELS * PARTS];
        let sums = &mut sums[..norm.channels * parts];
        // A channel's shift is that of its first sample in all parts.
        let part = |number: usize| {
            let channel = number / parts;
            Block::new(norm, channel..channel + 1, norm.part(number % parts, parts))
        };
        threads::chunks(sums, 1, |number, sums| {
            let block = part(number);
            sums[0] = places::moments(x, &block, &places::shifts(x, &block))[0];
        });
        let moments = |channel| {
            let sums = add(&sums[channel * parts..(channel + 1) * parts]);
            (sums, places::shifts(x, &part(channel * parts))[0])
        };
        // SAFETY: no other thread has them.
        unsafe { Found::new(norm, statistics).put(&(0..norm.channels), moments) };
        let channels = Channels::new(weight, bias, statistics);
        let y = Shared::new(y);
        threads::for_each(norm.channels * parts, |number| {
            let block = part(number);
            input.places(&block, &channels.part(&block.range), &y);
        });
    }
}

/// The destination of the statistics.
struct Found<'a> {
    norm: &'a BatchNorm,
    statistics: Shared<'a>,
}

impl<'a> Found<'a> {
    fn new(norm: &'a BatchNorm, statistics: &'a mut [f32]) -> Self {
        Self { norm, statistics: Shared::new(statistics) }
    }

    /// The statistics of some channels, from the sums of each and their shift.
    ///
    /// # Safety
    /// While the result is alive, no other part may contain these channels.
    unsafe fn put(&self, range: &Range<usize>, moments: impl Fn(usize) -> ([f64; 2], f32)) -> [&[f32]; 3] {
        let channels = self.norm.channels;
        let part = |number| number * channels + range.start..number * channels + range.end;
        // SAFETY: the three do not overlap, and the caller has them to itself.
        let mut found = [0, 1, 2].map(|number| unsafe { self.statistics.part(part(number)) });
        for channel in 0..range.len() {
            let (sums, shift) = moments(channel);
            for (found, number) in found.iter_mut().zip(statistics(sums, shift, self.norm.count())) {
                found[channel] = number;
            }
        }
        found.map(|found| &*found)
    }
}

/// The sums of parts in the order of the parts.
pub(super) fn add(parts: &[[f64; 2]]) -> [f64; 2] {
    parts.iter().fold([0.0; 2], |sum, part| [sum[0] + part[0], sum[1] + part[1]])
}

/// A range in parts of `size`.
pub(super) fn parts_of(range: Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> {
    range.clone().step_by(size).map(move |start| start..range.end.min(start + size))
}

/// [`Normals`] of some channels.
pub(super) fn normals(eps: f32, channels: &Channels<'_>) -> Normals {
    let mut normals = Normals { mean: [0.0; WIDTH], scale: [0.0; WIDTH], bias: [0.0; WIDTH] };
    for (column, normal) in channels.normals(eps).enumerate() {
        normals.mean[column] = normal.mean;
        normals.scale[column] = normal.scale;
        normals.bias[column] = normal.bias;
    }
    normals
}

impl Input<'_> {
    /// From `x` to `y` in some channels of vectors.
    fn columns(&self, columns: &Columns, channels: &Channels<'_>, y: &Shared<'_>) {
        let Input { norm, x, epilogue } = *self;
        let normals = normals(norm.eps, channels);
        if let Some(floors) = Floors::of(epilogue) {
            columns::normalize_with_floors(x, columns, &normals, floors, epilogue.residual, y);
            return;
        }
        for range in columns.ranges() {
            // SAFETY: only the caller's thread has these channels.
            let y = unsafe { y.part(range.clone()) };
            columns::normalize(&x[range.clone()], &normals, y);
            epilogue.forward_in_place(range.start, y);
        }
    }

    /// From `x` to `y` in a block.
    fn places(&self, block: &Block, channels: &Channels<'_>, y: &Shared<'_>) {
        let Input { norm, x, epilogue } = *self;
        let normals = normals_of(norm.eps, channels);
        if let Some(floors) = Floors::of(epilogue) {
            places::normalize_with_floors(x, block, &normals, floors, epilogue.residual, y);
            return;
        }
        for part in block.parts() {
            // SAFETY: only the caller's thread has this block.
            let y = unsafe { y.part(part.clone()) };
            places::normalize(&x[part.clone()], norm.places, &normals, y);
            epilogue.forward_in_place(part.start, y);
        }
    }
}

/// [`Normal`] of some channels.
pub(super) fn normals_of(eps: f32, channels: &Channels<'_>) -> Each<Normal> {
    let mut normals = [Normal::ZERO; CHANNELS];
    for (to, normal) in normals.iter_mut().zip(channels.normals(eps)) {
        *to = normal;
    }
    normals
}

pub(super) fn infer(
    norm: &BatchNorm,
    x: &[f32],
    channels: &Channels<'_>,
    epilogue: &Epilogue<'_>,
    y: &mut [f32],
) {
    let input = Input { norm, x, epilogue };
    let sample = norm.channels * norm.places;
    if y.is_empty() {
        return;
    }
    let block = threads::block(y.len(), sample) / sample;
    let y = Shared::new(y);
    threads::for_each(norm.batch.div_ceil(block), |number| {
        let samples = number * block..norm.batch.min((number + 1) * block);
        if norm.places == 1 {
            for range in parts_of(0..norm.channels, WIDTH) {
                let columns = Columns { samples: samples.clone(), channels: norm.channels, range };
                input.columns(&columns, &channels.part(&columns.range), &y);
            }
            return;
        }
        for range in parts_of(0..norm.channels, Block::width(norm)) {
            let block = Block::new(norm, range, samples.clone());
            input.places(&block, &channels.part(&block.range), &y);
        }
    });
}
