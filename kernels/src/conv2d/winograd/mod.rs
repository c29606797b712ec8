//! Convolution with kernels of 3 x 3 by minimal filtering.
//!
//! Results are made in tiles of 2 x 2, each from 4 x 4 elements `d` of each channel: `A' (sum of (G g G') (B' d B)) A`
//! over the channels, with elementwise products of 4 x 4 elements. That takes 16 multiplications instead of
//! 36. For each of the 16 points the sums are a matrix product of the transformed weights and tiles. The
//! gradient of the image is the same, with flipped kernels and exchanged inputs and outputs. That of the weights,
//! `G' (sum of (A dy A') (B' d B)) G`, has its sums over tiles and images instead.
//!
//! Each element is computed by the same operations in the same order, independent of its neighbors. Tiles mix their inputs:
//! if an element is infinite or NaN, all results of its tiles are NaN.
//!
//! # Source
//! Winograd, "Arithmetic complexity of computations", 1980; Lavin and Gray, "Fast algorithms for convolutional neural
//! networks", 2016: `F(2 x 2, 3 x 3)`.

mod flipped;
mod gradient;
mod input_transform;
mod kernel;
mod output_transform;

#[cfg(test)]
mod tests;

pub(super) use gradient::backward_weight;

use super::Conv2d;
use super::backward_input::{Finish, in_blocks};
use super::sweep::{Sweep, tile_rows};
use super::tiles::Strips;
use super::weights::{self, PackedWeight};
use crate::epilogue::Epilogue;
use crate::matmul::WriteMode;
use crate::weight::Weight;
use crate::{scratch, threads};

/// Elements per vector.
const LANES: usize = 16;
/// Products per tile.
const POINTS: usize = 16;
/// The number of elements of transformed planes, of images and results, that stay in the L2 cache.
const ROOM: usize = 96 << 10;

/// The sizes of a filter: `outs` planes of `rows` by `columns` from `ins` planes of `height` by `width`.
#[derive(Clone, Copy)]
pub(super) struct Filter {
    ins: usize,
    height: usize,
    width: usize,
    outs: usize,
    rows: usize,
    columns: usize,
    padding: usize,
}

impl Conv2d {
    /// The forward pass as a filter, if that is faster than direct sums; independent of the batch size.
    pub(super) fn filter(&self) -> Option<Filter> {
        let Self { channels, out, kernel, stride, padding, dilation, groups, .. } = *self;
        let (rows, columns) = (self.out_height(), self.out_width());
        let edge = padding[0][0];
        let is_plain = (kernel, stride, dilation, groups) == ([3; 2], [1; 2], [1; 2], 1)
            && padding == [[edge; 2]; 2]
            && edge <= 2;
        // Products grow with both channel counts, transforms with their sum.
        let has_products = channels.saturating_mul(out) >= 16 * (channels + out);
        // Beyond it, the weights of all points fill the L2 cache.
        let is_small = channels.max(out) <= 128;
        (is_plain && has_products && is_small && rows.min(columns) >= 8).then_some(Filter {
            ins: channels,
            height: self.height,
            width: self.width,
            outs: out,
            rows,
            columns,
            padding: edge,
        })
    }

    /// The gradient of the weights as a filter: sums must be long enough to be worth the output
    /// transform, and vectors almost full.
    pub(super) fn weight_filter(&self) -> Option<Filter> {
        /// Tiles of all images. Where those are many, so are those of each group.
        const TILES: usize = 128;
        let tiles = self.batch.saturating_mul(self.out_height().div_ceil(2) * self.out_width().div_ceil(2));
        self.filter().filter(|&Filter { ins, outs, .. }| {
            // Vectors are of channels.
            let whole = ins.next_multiple_of(LANES) * outs.next_multiple_of(LANES);
            tiles >= TILES && 3 * whole <= 4 * ins * outs
        })
    }

    /// The gradient of the image as a filter: that of the flipped kernels.
    pub(super) fn back_filter(&self) -> Option<Filter> {
        self.filter().map(|filter| Filter {
            ins: self.out,
            height: filter.rows,
            width: filter.columns,
            outs: self.channels,
            rows: self.height,
            columns: self.width,
            padding: 2 - filter.padding,
        })
    }
}

/// The part of the images that is transformed at a time, so that it stays in the L2 cache: rows of tiles of one image, or
/// some images.
#[derive(Clone, Copy)]
struct Cut {
    /// The tiles of a row and of a column.
    across: usize,
    down: usize,
    /// The rows of tiles, and the number of images.
    band: usize,
    images: usize,
    /// The distance between planes of transformed tiles.
    pitch: usize,
}

/// Rows of tiles.
#[derive(Clone, Copy)]
struct Part {
    top: usize,
    band: usize,
}

impl Cut {
    /// The distance between the planes of consecutive points: not a multiple of 4 KiB, where they would all map to
    /// the same cache sets.
    fn in_point(&self, ins: usize) -> usize {
        ins * self.pitch + LANES
    }

    /// As [`Cut::in_point`], of results.
    fn out_point(&self, outs: usize) -> usize {
        outs * self.pitch + LANES
    }
}

impl Filter {
    /// The number of elements of the weights of all points.
    pub(super) fn room(&self) -> usize {
        POINTS * weights::room(self.outs, self.ins, tile_rows())
    }

    /// Packs the weights of all points of the forward pass.
    pub(super) fn pack(&self, weight: &[f32], packed: &mut [f32]) {
        kernel::transform(self, weight, false, packed);
    }

    /// `most` images at a time at most.
    fn cut(&self, most: usize) -> Cut {
        let (down, across) = (self.rows.div_ceil(2), self.columns.div_ceil(2));
        let vectors = (ROOM / (POINTS * LANES * (self.ins + self.outs))).max(1);
        let bands = (down * across).div_ceil(vectors * LANES);
        let band = down.div_ceil(bands);
        let images = if bands > 1 { 1 } else { (vectors * LANES / (down * across)).clamp(1, most) };
        let tiles = band * across;
        // The last vector of an image may extend into those of the next, or past the end.
        let pitch = ((images - 1) * tiles + tiles.next_multiple_of(LANES)).next_multiple_of(LANES);
        Cut { across, down, band, images, pitch }
    }
}

/// The data shared by all images.
#[derive(Clone, Copy)]
struct Job<'a> {
    filter: &'a Filter,
    cut: &'a Cut,
    /// Weights of all points, and the distances of planes.
    packed: &'a [f32],
    offsets: &'a [u32],
}

impl Job<'_> {
    /// Filters images.
    fn run(&self, x: &[f32], bias: Option<&[f32]>, y: &mut [f32], onto: WriteMode) {
        let Self { filter, cut, packed, offsets } = *self;
        let Filter { ins, height, width, outs, rows, columns, .. } = *filter;
        let (ins_size, outs_size) = (cut.in_point(ins), cut.out_point(outs));
        scratch::with(POINTS * ins_size, |source| {
            scratch::with(POINTS * outs_size, |sums| {
                let mut left = x;
                let x = x.chunks(cut.images * ins * height * width);
                let y = y.chunks_mut(cut.images * outs * rows * columns);
                for (x, y) in x.zip(y) {
                    let images = y.len() / (outs * rows * columns);
                    // The next images are prefetched, a part with each sweep.
                    left = &left[x.len()..];
                    let next = &left[..x.len().min(left.len())];
                    let share = next.len().div_ceil(POINTS * cut.down.div_ceil(cut.band)).max(1);
                    let mut shares = next.chunks(share);
                    for top in (0..cut.down).step_by(cut.band) {
                        let part = Part { top, band: cut.band.min(cut.down - top) };
                        input_transform::transform(filter, cut, part, x, source);
                        let wide = (images * part.band * cut.across).next_multiple_of(LANES);
                        Strips::with((1, wide), cut.pitch, |strips| {
                            let sweep = Sweep { strips, offsets, rows: outs };
                            let packed = packed.chunks_exact(packed.len() / POINTS);
                            let sums = sums.chunks_exact_mut(outs_size);
                            let points = source.chunks_exact(ins_size).zip(packed).zip(sums);
                            for ((source, packed), sums) in points {
                                sweep.run(
                                    source,
                                    packed,
                                    &[],
                                    sums,
                                    WriteMode::Overwrite,
                                    shares.next().unwrap_or_default(),
                                );
                            }
                        });
                        output_transform::transform(filter, cut, part, (sums, wide), bias, (y, onto));
                    }
                }
            });
        });
    }
}

/// Lends `go` the weights of all points and the distances of planes.
fn with_tables(
    filter: &Filter,
    weight: Weight<'_, PackedWeight>,
    back: bool,
    cut: &Cut,
    go: impl FnOnce(&[f32], &[u32]),
) {
    let transform = |values: &[f32], packed: &mut [f32]| kernel::transform(filter, values, back, packed);
    weights::with_packed(weight, filter.room(), transform, |packed| {
        scratch::with(filter.ins, |offsets| {
            let offsets: &mut [u32] = bytemuck::cast_slice_mut(offsets);
            for (plane, offset) in offsets.iter_mut().enumerate() {
                *offset = (plane * cut.pitch) as u32;
            }
            go(packed, offsets);
        });
    });
}

/// The forward pass.
#[allow(clippy::too_many_arguments, reason = "those of the pass, and how it runs")]
pub(super) fn forward(
    conv: &Conv2d,
    filter: &Filter,
    x: &[f32],
    weight: Weight<'_, PackedWeight>,
    bias: Option<&[f32]>,
    epilogue: &Epilogue<'_>,
    mut pre: Option<&mut [f32]>,
    (y, onto): (&mut [f32], WriteMode),
) {
    let cut = filter.cut(conv.images());
    with_tables(filter, weight, false, &cut, |packed, offsets| {
        let images = |first: usize, pre: Option<&mut [f32]>, y: &mut [f32]| {
            let count = y.len() / conv.result();
            let x = &x[first * conv.image()..][..count * conv.image()];
            Job { filter, cut: &cut, packed, offsets }.run(x, bias, y, onto);
            if let Some(pre) = pre {
                pre.copy_from_slice(y);
            }
            epilogue.forward_in_place(first * conv.result(), y);
        };
        let size = conv.images() * conv.result();
        match &mut pre {
            None => threads::chunks(y, size, |number, y| images(number * conv.images(), None, y)),
            Some(pre) => threads::chunks2((pre, size), (y, size), |number, pre, y| {
                images(number * conv.images(), Some(pre), y);
            }),
        }
    });
}

/// The gradient of the image.
pub(super) fn backward_input(
    conv: &Conv2d,
    filter: &Filter,
    d_pre: &[f32],
    weight: &[f32],
    (dx, onto): (&mut [f32], WriteMode),
    pre: Option<&mut [f32]>,
    finish: Finish<'_>,
) {
    let cut = filter.cut(conv.images());
    with_tables(filter, weight.into(), true, &cut, |packed, offsets| {
        in_blocks(conv, dx, pre, finish, &|first, dx| {
            let d_pre = &d_pre[first * conv.result()..][..dx.len() / conv.image() * conv.result()];
            Job { filter, cut: &cut, packed, offsets }.run(d_pre, None, dx, onto);
        });
    });
}
