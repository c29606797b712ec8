//! Statistics, then the normalized values.

use super::columns::{self, Columns, Normals, WIDTH};
use super::places::{self, Block, CHANNELS, Each};
use super::{BatchNorm, Floors, Normal, PARTS, SPLIT_CHANNELS, scale, statistics};
use crate::epilogue::Epilogue;
use crate::runs::Shared;
use crate::threads;

/// What both passes read.
struct Input<'a> {
    norm: &'a BatchNorm,
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    epilogue: &'a Epilogue<'a>,
}

pub(super) fn train(
    norm: &BatchNorm,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    epilogue: &Epilogue<'_>,
    found: &mut [f32],
    y: &mut [f32],
) {
    let input = Input { norm, x, weight, bias, epilogue };
    let (means, variances) = found.split_at_mut(norm.channels);
    let parts = norm.parts();
    if norm.places == 1 {
        let (means, variances, y) = (Shared::new(means), Shared::new(variances), Shared::new(y));
        let block = norm.channels_of_block(WIDTH);
        threads::for_each(norm.channels.div_ceil(block), |number| {
            for range in parts_of(number * block..norm.channels.min((number + 1) * block), WIDTH) {
                // SAFETY: each channel is in one part of one block.
                let (means, variances) =
                    unsafe { (means.part(range.clone()), variances.part(range.clone())) };
                let columns = Columns { samples: 0..norm.batch, channels: norm.channels, range };
                column_statistics(x, &columns, means, variances);
                input.columns(&columns, means, variances, &y);
            }
        });
    } else if parts == 1 {
        let (means, variances, y) = (Shared::new(means), Shared::new(variances), Shared::new(y));
        let width = Block::width(norm);
        let block = norm.channels_of_block(width);
        threads::for_each(norm.channels.div_ceil(block), |number| {
            for range in parts_of(number * block..norm.channels.min((number + 1) * block), width) {
                // SAFETY: each channel is in one part of one block.
                let (means, variances) =
                    unsafe { (means.part(range.clone()), variances.part(range.clone())) };
                let block = Block::new(norm, range, 0..norm.batch);
                let shifts = places::shifts(x, &block);
                let sums = places::moments(x, &block, &shifts);
                for (channel, (mean, variance)) in means.iter_mut().zip(&mut *variances).enumerate() {
                    [*mean, *variance] = statistics(sums[channel], shifts[channel], norm.count());
                }
                input.places(&block, means, variances, &y);
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
        for (channel, sums) in sums.chunks_exact(parts).enumerate() {
            let shift = places::shifts(x, &part(channel * parts))[0];
            [means[channel], variances[channel]] = statistics(add(sums), shift, norm.count());
        }
        let y = Shared::new(y);
        threads::for_each(norm.channels * parts, |number| {
            let block = part(number);
            let range = block.range.clone();
            input.places(&block, &means[range.clone()], &variances[range], &y);
        });
    }
}

/// The sums of parts in the order of the parts.
pub(super) fn add(parts: &[[f64; 2]]) -> [f64; 2] {
    parts.iter().fold([0.0; 2], |sum, part| [sum[0] + part[0], sum[1] + part[1]])
}

/// A range in parts of `size`.
pub(super) fn parts_of(
    range: std::ops::Range<usize>,
    size: usize,
) -> impl Iterator<Item = std::ops::Range<usize>> {
    range.clone().step_by(size).map(move |start| start..range.end.min(start + size))
}

fn column_statistics(x: &[f32], columns: &Columns, means: &mut [f32], variances: &mut [f32]) {
    let mut shifts = [0.0; WIDTH];
    if !columns.samples.is_empty() {
        shifts[..means.len()].copy_from_slice(&x[columns.range.clone()]);
    }
    let [sums, squares] = columns::moments(x, columns, &shifts);
    for (column, (mean, variance)) in means.iter_mut().zip(variances).enumerate() {
        [*mean, *variance] =
            statistics([sums[column], squares[column]], shifts[column], columns.samples.len());
    }
}

/// [`Normals`] of some channels, whose numbers these are.
pub(super) fn normals(eps: f32, [weight, bias, means, variances]: [&[f32]; 4]) -> Normals {
    let mut normals = Normals { mean: [0.0; WIDTH], scale: [0.0; WIDTH], bias: [0.0; WIDTH] };
    normals.mean[..means.len()].copy_from_slice(means);
    normals.bias[..bias.len()].copy_from_slice(bias);
    for ((to, &weight), &variance) in normals.scale.iter_mut().zip(weight).zip(variances) {
        *to = scale(weight, variance, eps);
    }
    normals
}

impl Input<'_> {
    /// From `x` to `y` in some channels of vectors.
    fn columns(&self, columns: &Columns, means: &[f32], variances: &[f32], y: &Shared<'_>) {
        let Input { norm, x, weight, bias, epilogue } = *self;
        let range = columns.range.clone();
        let normals = normals(norm.eps, [&weight[range.clone()], &bias[range], means, variances]);
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
    fn places(&self, block: &Block, means: &[f32], variances: &[f32], y: &Shared<'_>) {
        let Input { norm, x, weight, bias, epilogue } = *self;
        let range = block.range.clone();
        let normals = normals_of(norm.eps, [&weight[range.clone()], &bias[range], means, variances]);
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

/// [`Normal`] of some channels, whose numbers these are.
pub(super) fn normals_of(eps: f32, [weight, bias, means, variances]: [&[f32]; 4]) -> Each<Normal> {
    let mut normals = [Normal { mean: 0.0, scale: 0.0, bias: 0.0 }; CHANNELS];
    for (channel, normal) in normals.iter_mut().take(means.len()).enumerate() {
        let scale = scale(weight[channel], variances[channel], eps);
        *normal = Normal { mean: means[channel], scale, bias: bias[channel] };
    }
    normals
}

pub(super) fn infer(
    norm: &BatchNorm,
    x: &[f32],
    [weight, bias, means, variances]: [&[f32]; 4],
    epilogue: &Epilogue<'_>,
    y: &mut [f32],
) {
    let input = Input { norm, x, weight, bias, epilogue };
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
                let (means, variances) = (&means[range.clone()], &variances[range.clone()]);
                let columns = Columns { samples: samples.clone(), channels: norm.channels, range };
                input.columns(&columns, means, variances, &y);
            }
            return;
        }
        for range in parts_of(0..norm.channels, Block::width(norm)) {
            let (means, variances) = (&means[range.clone()], &variances[range.clone()]);
            input.places(&Block::new(norm, range, samples.clone()), means, variances, &y);
        }
    });
}
