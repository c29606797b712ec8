//! The gradients of the weights and of the bias.

use super::Conv2d;
use super::correlate::Correlation;
use super::field::Field;
use super::strips::{STRIP, Strips};
use crate::product::Onto;
use crate::{scratch, simd, threads};

/// Numbers of a vector.
const LANES: usize = 2 * STRIP;

impl Conv2d {
    /// How many groups of images have a sum of their own: few, so that a sum is long enough to be worth its
    /// beginning and its end, and a power of two, which threads share evenly.
    fn sums(&self) -> usize {
        /// Vectors of a sum.
        const VECTORS: usize = 64;
        let vectors = (self.out_height() * self.out_width()).div_ceil(LANES).max(1);
        let groups = (self.batch / VECTORS.div_ceil(vectors)).clamp(1, 32);
        1 << groups.ilog2()
    }
}

pub(super) fn run(
    conv: &Conv2d,
    x: &[f32],
    d_pre: &[f32],
    (d_weight, onto): (&mut [f32], Onto),
    mut d_bias: Option<(&mut [f32], Onto)>,
) {
    let sums = conv.sums();
    let field = conv.image_field();
    // Of each group of images: the gradient of the weights, then that of the bias.
    let each = d_weight.len() + conv.out;
    scratch::with(sums * each, |partial| {
        if conv.batch == 0 || conv.result() == 0 {
            partial.fill(0.0);
        } else {
            conv.with_offsets(&field, |offsets| {
                let size = (conv.out_height(), conv.out_width());
                Strips::with(size, field.pitch, |strips| {
                    threads::chunks(partial, each, |group, partial| {
                        let images = group * conv.batch / sums..(group + 1) * conv.batch / sums;
                        images_of_a_sum(conv, &field, offsets, strips, x, d_pre, images, partial);
                    });
                });
            });
        }
        let partial = &*partial;
        add_up(partial, each, 0, d_weight, onto);
        if let Some((d_bias, onto)) = &mut d_bias {
            add_up(partial, each, d_weight.len(), d_bias, *onto);
        }
    });
}

#[allow(clippy::too_many_arguments, reason = "one step of `run`")]
fn images_of_a_sum(
    conv: &Conv2d,
    field: &Field,
    offsets: &[u32],
    strips: Strips<'_>,
    x: &[f32],
    d_pre: &[f32],
    images: std::ops::Range<usize>,
    partial: &mut [f32],
) {
    let count = images.len();
    let (d_weight, d_bias) = partial.split_at_mut(conv.out * conv.taps());
    let d_pre = &d_pre[images.start * conv.result()..images.end * conv.result()];
    let x = &x[images.start * conv.image()..images.end * conv.image()];
    let d_plane = strips.vectors() * LANES;
    let gathered = if strips.are_the_plane() { 0 } else { count * conv.out * d_plane };
    scratch::with(gathered, |room| {
        let d = if gathered == 0 {
            d_pre
        } else {
            for (d, plane) in room.chunks_exact_mut(d_plane).zip(d_pre.chunks_exact(strips.plane)) {
                gather(strips, plane, d);
            }
            room
        };
        for (out, d_bias) in d_bias.iter_mut().enumerate() {
            *d_bias = total(d, out * d_plane, d_plane, conv.out * d_plane);
        }
        if d_weight.is_empty() {
            return;
        }
        field.with(count, |source| {
            for (source, image) in source.chunks_exact_mut(field.len()).zip(x.chunks_exact(conv.image().max(1))) {
                field.copy(image, source);
            }
            let source = &*source;
            let outs = conv.out / conv.groups;
            let d_image = conv.out * d_plane;
            let correlation =
                Correlation { strips, offsets, rows: outs, images: count, image: field.len(), d_image };
            for (group, d_weight) in d_weight.chunks_exact_mut(outs * conv.taps()).enumerate() {
                let source = &source[group * conv.channels / conv.groups * field.plane()..];
                correlation.run(source, &d[group * outs * d_plane..], d_weight);
            }
        });
    });
}

simd! {
    /// Copies the strips of a plane one after the other, with zeros where there is nothing.
    fn gather(strips: Strips<'_>, plane: &[f32], d: &mut [f32]) {
        for (number, d) in d.as_chunks_mut::<STRIP>().0.iter_mut().enumerate() {
            let strip = strips.get(number);
            let (place, count) = (strip.place as usize, strip.count as usize);
            if count == STRIP {
                d.copy_from_slice(&plane[place..][..STRIP]);
            } else {
                *d = [0.0; STRIP];
                d[..count].copy_from_slice(&plane[place..][..count]);
            }
        }
    }
}

simd! {
    /// The sum of `length` numbers from `first` on, and of as many `image` further, and so on.
    fn total(d: &[f32], first: usize, length: usize, image: usize) -> f32 {
        let mut sums = [0.0; LANES];
        for d in d.chunks_exact(image) {
            for vector in d[first..][..length].as_chunks::<LANES>().0 {
                for (sum, d) in sums.iter_mut().zip(vector) {
                    *sum += d;
                }
            }
        }
        super::correlate::fold(sums)
    }
}

simd! {
    /// The sums over the groups of images, in their order.
    fn add_up(partial: &[f32], each: usize, first: usize, result: &mut [f32], onto: Onto) {
        for (group, partial) in partial.chunks_exact(each.max(1)).enumerate() {
            let partial = &partial[first..][..result.len()];
            if group == 0 && onto == Onto::Replace {
                result.copy_from_slice(partial);
            } else {
                for (result, partial) in result.iter_mut().zip(partial) {
                    *result += partial;
                }
            }
        }
    }
}
