//! Statistics, then the normalized values.

use super::columns::{self, Columns, Normals, WIDTH};
use super::places::{self, Runs};
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
        let block = norm.channels_of_block(1);
        threads::for_each(norm.channels.div_ceil(block), |number| {
            for channel in number * block..norm.channels.min((number + 1) * block) {
                let runs = Runs::new(norm, channel, 0..norm.batch);
                let shift = places::shift(x, norm, channel);
                let [mean, variance] = statistics(places::moments(x, &runs, shift), shift, norm.count());
                // SAFETY: each channel is in one block.
                unsafe {
                    means.part(channel..channel + 1)[0] = mean;
                    variances.part(channel..channel + 1)[0] = variance;
                }
                input.places(channel, &runs, [mean, variance], &y);
            }
        });
    } else {
        let mut sums = [[0.0; 2]; SPLIT_CHANNELS * PARTS];
        let sums = &mut sums[..norm.channels * parts];
        threads::chunks(sums, 1, |number, sums| {
            let runs = Runs::new(norm, number / parts, norm.part(number % parts, parts));
            sums[0] = places::moments(x, &runs, places::shift(x, norm, number / parts));
        });
        for (channel, sums) in sums.chunks_exact(parts).enumerate() {
            let shift = places::shift(x, norm, channel);
            [means[channel], variances[channel]] = statistics(add(sums), shift, norm.count());
        }
        let y = Shared::new(y);
        threads::for_each(norm.channels * parts, |number| {
            let channel = number / parts;
            let runs = Runs::new(norm, channel, norm.part(number % parts, parts));
            input.places(channel, &runs, [means[channel], variances[channel]], &y);
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

    /// From `x` to `y` in some runs of a channel.
    fn places(&self, channel: usize, runs: &Runs, [mean, variance]: [f32; 2], y: &Shared<'_>) {
        let Input { norm, x, weight, bias, epilogue } = *self;
        let normal = Normal { mean, scale: scale(weight[channel], variance, norm.eps), bias: bias[channel] };
        if let Some(floors) = Floors::of(epilogue) {
            places::normalize_with_floors(x, runs, normal, floors, epilogue.residual, y);
            return;
        }
        for run in runs.ranges() {
            // SAFETY: only the caller's thread has these runs.
            let y = unsafe { y.part(run.clone()) };
            places::normalize(&x[run.clone()], normal, y);
            epilogue.forward_in_place(run.start, y);
        }
    }
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
        for channel in 0..norm.channels {
            let runs = Runs::new(norm, channel, samples.clone());
            input.places(channel, &runs, [means[channel], variances[channel]], &y);
        }
    });
}
