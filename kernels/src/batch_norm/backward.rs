//! The gradient of `pre` and its sums, then that of `x`.

use std::ops::Range;

use super::columns::{self, Columns, Slopes, WIDTH};
use super::forward::{add, normals, normals_of, parts_of};
use super::places::{self, Block, CHANNELS, Cut, Each, Slope};
use super::{BatchNorm, Channels, PARTS, SPLIT_CHANNELS};
use crate::epilogue::{Activation, Epilogue, Saved};
use crate::matmul::WriteMode;
use crate::reduce::{Shared, deviation, put};
use crate::{scratch, threads};

/// The inputs of both passes.
pub(super) struct Input<'a> {
    pub(super) norm: &'a BatchNorm,
    pub(super) x: &'a [f32],
    pub(super) channels: Channels<'a>,
    pub(super) epilogue: &'a Epilogue<'a>,
    pub(super) y: &'a [f32],
}

/// The destinations of the results.
struct Output<'a> {
    d: Shared<'a>,
    dx: Option<(Shared<'a>, WriteMode)>,
    d_weight: (Shared<'a>, WriteMode),
    d_bias: (Shared<'a>, WriteMode),
}

pub(super) fn run<'a>(
    input: &Input<'_>,
    d: &'a mut [f32],
    dx: Option<(&'a mut [f32], WriteMode)>,
    d_weight: (&'a mut [f32], WriteMode),
    d_bias: (&'a mut [f32], WriteMode),
) {
    let share = |(slice, onto): (&'a mut [f32], WriteMode)| (Shared::new(slice), onto);
    let output =
        Output { d: Shared::new(d), dx: dx.map(share), d_weight: share(d_weight), d_bias: share(d_bias) };
    let norm = input.norm;
    let parts = norm.parts();
    if norm.places == 1 {
        let block = norm.channels_of_block(WIDTH);
        threads::for_each(norm.channels.div_ceil(block), |number| {
            for range in parts_of(number * block..norm.channels.min((number + 1) * block), WIDTH) {
                input.columns(range, &output);
            }
        });
    } else if parts == 1 {
        let width = Block::width(norm);
        let block = norm.channels_of_block(width);
        threads::for_each(norm.channels.div_ceil(block), |number| {
            for range in parts_of(number * block..norm.channels.min((number + 1) * block), width) {
                let block = Block::new(norm, range.clone(), 0..norm.batch);
                let sums = input.sums(&block, &output.d);
                let mut slopes = [Slope::ZERO; CHANNELS];
                for ((channel, sums), slope) in range.zip(sums).zip(&mut slopes) {
                    *slope = input.finish(channel, sums, &output);
                }
                input.gradient(&block, &slopes, &output);
            }
        });
    } else {
        let mut sums = [[0.0; 2]; SPLIT_CHANNELS * PARTS];
        let sums = &mut sums[..norm.channels * parts];
        let part = |number: usize| {
            let channel = number / parts;
            Block::new(norm, channel..channel + 1, norm.part(number % parts, parts))
        };
        threads::chunks(sums, 1, |number, sums| sums[0] = input.sums(&part(number), &output.d)[0]);
        let mut slopes = [Slope::ZERO; SPLIT_CHANNELS];
        for (channel, (sums, slope)) in sums.chunks_exact(parts).zip(&mut slopes).enumerate() {
            *slope = input.finish(channel, add(sums), &output);
        }
        threads::for_each(norm.channels * parts, |number| {
            input.gradient(&part(number), &[slopes[number / parts]; CHANNELS], &output);
        });
    }
}

impl Input<'_> {
    /// Whether the epilogue's gradient is computed in the loop that sums it, or before.
    fn is_plain(&self) -> bool {
        self.epilogue.dropout.is_none()
            && matches!(self.epilogue.activation, Activation::Identity | Activation::Relu)
    }

    /// The gradient of `pre` in a block, in place, and its sums.
    fn sums(&self, block: &Block, d: &Shared<'_>) -> Each<[f64; 2]> {
        let Input { norm, x, epilogue, .. } = *self;
        let normals = normals_of(norm.eps, &self.channels.part(&block.range));
        let saved = epilogue.saved();
        if self.is_plain() {
            let cut = match saved {
                Saved::Nothing => Cut::Not,
                Saved::Output => Cut::Output(self.y),
                Saved::Input => Cut::Pre,
            };
            return places::cut_and_sum(x, block, &normals, cut, d);
        }
        scratch::with(block.range.len() * norm.places, |pre| {
            for part in block.parts() {
                // SAFETY: only the caller's thread has this block.
                let d = unsafe { d.part(part.clone()) };
                let saved = match saved {
                    Saved::Nothing => &[],
                    Saved::Output => &self.y[part.clone()],
                    Saved::Input => {
                        places::normalize(&x[part.clone()], norm.places, &normals, pre);
                        &*pre
                    }
                };
                epilogue.backward_in_place(part.start, saved, d);
            }
        });
        places::cut_and_sum(x, block, &normals, Cut::Not, d)
    }

    /// The gradients of weight and bias of a channel, from the sums of `d` and of `d` times `x` less the mean as an
    /// f32, and the coefficients for that of `x`.
    fn finish(&self, channel: usize, [sum, products]: [f64; 2], output: &Output<'_>) -> Slope {
        let part = channel..channel + 1;
        // SAFETY: each channel is finished once.
        let (d_weight, d_bias) =
            unsafe { (output.d_weight.0.part(part.clone()), output.d_bias.0.part(part)) };
        let Channels { weight, means, variances, rests, .. } = self.channels;
        let rest = rests.map_or(0.0, |rests| f64::from(rests[channel]));
        let products = products - rest * sum;
        let inverse = 1.0 / deviation(f64::from(variances[channel]), self.norm.eps);
        put(&mut d_weight[0], (products * inverse) as f32, output.d_weight.1);
        put(&mut d_bias[0], sum as f32, output.d_bias.1);
        let count = self.norm.count().max(1) as f64;
        let of_d = f64::from(weight[channel]) * inverse;
        let of_x = (-of_d * inverse * inverse * products / count) as f32;
        let of_d = of_d as f32;
        // From the rounded factors, so that the sum over the channel is 0.
        let constant = -f64::from(of_d) * sum / count - f64::from(of_x) * rest;
        Slope { mean: means[channel], of_d, of_x, constant: constant as f32 }
    }

    fn gradient(&self, block: &Block, slopes: &Each<Slope>, output: &Output<'_>) {
        if let Some((dx, onto)) = &output.dx {
            places::gradient(self.x, block, slopes, &output.d, dx, *onto);
        }
    }

    /// All of some channels of vectors.
    fn columns(&self, range: Range<usize>, output: &Output<'_>) {
        let Input { norm, x, epilogue, .. } = *self;
        let columns = Columns { samples: 0..norm.batch, channels: norm.channels, range: range.clone() };
        let normals = normals(norm.eps, &self.channels.part(&range));
        let saved = epilogue.saved();
        if saved != Saved::Nothing || epilogue.dropout.is_some() {
            let mut pre = [0.0; WIDTH];
            let pre = &mut pre[..range.len()];
            for range in columns.ranges() {
                // SAFETY: only the caller's thread has these channels.
                let d = unsafe { output.d.part(range.clone()) };
                let saved = match saved {
                    Saved::Nothing => &[],
                    Saved::Output => &self.y[range.clone()],
                    Saved::Input => {
                        columns::normalize(&x[range.clone()], &normals, pre);
                        &*pre
                    }
                };
                epilogue.backward_in_place(range.start, saved, d);
            }
        }
        let [sums, products] = columns::products(x, &columns, &normals.mean, &output.d);
        let each = [0.0; WIDTH];
        let mut slopes = Slopes { mean: normals.mean, of_d: each, of_x: each, constant: each };
        for (column, channel) in range.enumerate() {
            let slope = self.finish(channel, [sums[column], products[column]], output);
            slopes.of_d[column] = slope.of_d;
            slopes.of_x[column] = slope.of_x;
            slopes.constant[column] = slope.constant;
        }
        if let Some((dx, onto)) = &output.dx {
            columns::gradient(x, &columns, &slopes, &output.d, dx, *onto);
        }
    }
}
