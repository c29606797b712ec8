//! The gradients of the weights and of the bias.

use super::Conv2d;
use super::correlate::Correlation;
use super::tiles::{STRIP, Strips};
use super::winograd::{self, Filter};
use crate::matmul::WriteMode;
use crate::{scratch, simd, threads};

/// Elements per vector.
const LANES: usize = 2 * STRIP;

/// The number of taps from which it pays to copy gradients whose rows are not complete vectors.
const GATHERED: usize = 64;

impl Conv2d {
    /// The number of groups of images with separate sums: few, so that a sum is long enough to be worth its
    /// beginning and its end, and a power of two, which threads share evenly.
    fn sums(&self) -> usize {
        /// Vectors per sum.
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
    (d_weight, onto): (&mut [f32], WriteMode),
    d_bias: Option<(&mut [f32], WriteMode)>,
) {
    let sums = conv.sums();
    // Of each group of images: the gradient of the weights, then that of the bias.
    let each = d_weight.len() + conv.out;
    scratch::with(sums * each, |partial| {
        if conv.batch == 0 || conv.result() == 0 {
            partial.fill(0.0);
        } else if let Some(filter) = conv.weight_filter() {
            filtered(conv, &filter, x, d_pre, partial, d_bias.is_some());
        } else {
            groups_of_images(conv, x, d_pre, partial, d_bias.is_some());
        }
        let partial = &*partial;
        if let Some((d_bias, onto)) = d_bias {
            add_up(partial, each, d_weight.len(), d_bias, onto);
        }
        add_up(partial, each, 0, d_weight, onto);
    });
}

/// The gradients of each group of images, where minimal filtering is faster.
fn filtered(conv: &Conv2d, filter: &Filter, x: &[f32], d_pre: &[f32], partial: &mut [f32], with_bias: bool) {
    let sums = conv.sums();
    let weights = conv.out * conv.taps();
    threads::chunks(partial, weights + conv.out, |group, partial| {
        let images = group * conv.batch / sums..(group + 1) * conv.batch / sums;
        let x = &x[images.start * conv.image()..images.end * conv.image()];
        let d_pre = &d_pre[images.start * conv.result()..images.end * conv.result()];
        let (d_weight, d_bias) = partial.split_at_mut(weights);
        if with_bias {
            totals(d_pre, conv.result() / conv.out, d_bias);
        }
        winograd::backward_weight(filter, x, d_pre, d_weight);
    });
}

/// The gradients of each group of images.
fn groups_of_images(conv: &Conv2d, x: &[f32], d_pre: &[f32], partial: &mut [f32], with_bias: bool) {
    let sums = conv.sums();
    let weights = conv.out * conv.taps();
    let single = conv.by_group();
    let field = single.image_field();
    let size = (conv.out_height(), conv.out_width());
    single.with_offsets(&field, |offsets| {
        Strips::with(size, field.pitch, |strips| {
            threads::chunks(partial, weights + conv.out, |group, partial| {
                let images = group * conv.batch / sums..(group + 1) * conv.batch / sums;
                let x = &x[images.start * conv.image()..images.end * conv.image()];
                let d_pre = &d_pre[images.start * conv.result()..images.end * conv.result()];
                let (d_weight, d_bias) = partial.split_at_mut(weights);
                if with_bias {
                    totals(d_pre, strips.plane, d_bias);
                }
                if weights == 0 {
                    return;
                }
                let in_vectors = strips.are_the_plane() || conv.taps() >= GATHERED;
                let gathered = in_vectors && !strips.are_the_plane();
                let d_plane = if in_vectors { strips.vectors() * LANES } else { strips.plane };
                let rows = single.out;
                let room = if gathered { images.len() * rows * d_plane } else { 0 };
                let (images, image) = (images.len(), field.len());
                scratch::with(room, |room| {
                    field.with(images, |source| {
                        // One group of all images after the other, so that what is copied stays in cache.
                        for (group, d_weight) in d_weight.chunks_exact_mut(rows * conv.taps()).enumerate() {
                            let of_group = |number: usize| number * conv.groups + group;
                            for (number, source) in source.chunks_exact_mut(image.max(1)).enumerate() {
                                let first = of_group(number) * single.image();
                                field.copy(&x[first..][..single.image()], source);
                            }
                            let d_group = of_group(0) * single.result();
                            let (d, d_image) = if gathered {
                                for (number, room) in room.chunks_exact_mut(rows * d_plane).enumerate() {
                                    let first = of_group(number) * single.result();
                                    gather(strips, &d_pre[first..][..single.result()], room);
                                }
                                (&*room, rows * d_plane)
                            } else {
                                (&d_pre[d_group..], conv.out * d_plane)
                            };
                            let correlation = Correlation {
                                strips,
                                offsets,
                                rows,
                                images,
                                image,
                                d_image,
                                d_plane,
                                in_vectors,
                            };
                            correlation.run(source, d, d_weight);
                        }
                    });
                });
            });
        });
    });
}

simd! {
    /// Copies planes strip by strip, padded with zeros.
    fn gather(strips: Strips<'_>, planes: &[f32], vectors: &mut [f32]) {
        let rows = vectors.chunks_exact_mut(strips.vectors() * LANES);
        for (plane, row) in planes.chunks_exact(strips.plane).zip(rows) {
            for (number, to) in row.as_chunks_mut::<STRIP>().0.iter_mut().enumerate() {
                let strip = strips.get(number);
                let (place, count) = (strip.place as usize, strip.count as usize);
                if let (STRIP, Some(from)) = (count, plane[place..].first_chunk()) {
                    *to = *from;
                } else {
                    *to = [0.0; STRIP];
                    for (to, from) in to.iter_mut().zip(&plane[place..][..count]) {
                        *to = *from;
                    }
                }
            }
        }
    }
}

simd! {
    /// The sums of the planes of each row, over images one after the other.
    pub(super) fn totals(d_pre: &[f32], plane: usize, sums: &mut [f32]) {
        let rows = sums.len();
        for (row, result) in sums.iter_mut().enumerate() {
            let mut sums = [0.0; LANES];
            for image in d_pre.chunks_exact(rows * plane) {
                let (vectors, rest) = image[row * plane..][..plane].as_chunks::<LANES>();
                for vector in vectors {
                    for (sum, d) in sums.iter_mut().zip(vector) {
                        *sum += d;
                    }
                }
                for (sum, d) in sums.iter_mut().zip(rest) {
                    *sum += d;
                }
            }
            *result = super::correlate::fold(sums);
        }
    }
}

simd! {
    /// The sums over the groups of images, in their order.
    pub(super) fn add_up(partial: &[f32], each: usize, first: usize, result: &mut [f32], onto: WriteMode) {
        for (group, partial) in partial.chunks_exact(each.max(1)).enumerate() {
            let partial = &partial[first..][..result.len()];
            if group == 0 && onto == WriteMode::Overwrite {
                result.copy_from_slice(partial);
            } else {
                for (result, partial) in result.iter_mut().zip(partial) {
                    *result += partial;
                }
            }
        }
    }
}
