//! The forward pass.

use super::Conv2d;
use super::field::Field;
use super::sweep::{Sweep, tile_rows};
use super::tiles::Strips;
use super::weights::{self, PackedWeight};
use super::winograd;
use crate::epilogue::Epilogue;
use crate::matmul::WriteMode;
use crate::weight::Weight;
use crate::{scratch, threads};

impl Conv2d {
    /// The padded image, in phases of the stride.
    pub(super) const fn image_field(&self) -> Field {
        Field {
            planes: self.channels,
            height: self.height,
            width: self.width,
            stride: self.stride,
            padding: self.corner(),
            phases: [self.image_phases(0), self.image_phases(1)],
            rows: self.out_height().saturating_add(self.back(0)),
            pitch: self.out_width().saturating_add(self.back(1)),
        }
    }

    /// The phases along an axis that some tap reads.
    const fn image_phases(&self, axis: usize) -> usize {
        let (stride, reach) = (self.stride[axis], self.reach(axis));
        if stride <= reach { stride } else { reach + 1 }
    }

    /// Passes `run` the distances of the taps of a group in `field`, in the order of their weights.
    pub(super) fn with_offsets<R>(&self, field: &Field, run: impl FnOnce(&[u32]) -> R) -> R {
        scratch::with(self.taps(), |room| {
            let offsets: &mut [u32] = bytemuck::cast_slice_mut(room);
            for (tap, offset) in offsets.iter_mut().enumerate() {
                let (channel, u, v) = self.tap(tap);
                *offset = field.at(channel, u * self.dilation[0], v * self.dilation[1]) as u32;
            }
            run(offsets)
        })
    }

    /// The number of elements of the packed weights of all groups.
    pub(super) fn room(&self) -> usize {
        self.groups * weights::room(self.out / self.groups, self.taps(), tile_rows())
    }

    /// Packs the weights of all groups.
    pub(super) fn pack_into(&self, weight: &[f32], packed: &mut [f32]) {
        let (rows, taps) = (self.out / self.groups, self.taps());
        let room = packed.len() / self.groups;
        for group in 0..self.groups {
            let packed = &mut packed[group * room..][..room];
            let at = |row, tap| (group * rows + row) * taps + tap;
            weights::pack(weight, (rows, taps, tile_rows()), at, packed);
        }
    }

    /// The channel, row and column of a tap.
    fn tap(&self, tap: usize) -> (usize, usize, usize) {
        let [rows, columns] = self.kernel;
        (tap / columns / rows, tap / columns % rows, tap % columns)
    }
}

pub(super) fn run(
    conv: &Conv2d,
    x: &[f32],
    weight: Weight<'_, PackedWeight>,
    bias: Option<&[f32]>,
    epilogue: &Epilogue<'_>,
    mut pre: Option<&mut [f32]>,
    (y, onto): (&mut [f32], WriteMode),
) {
    if let Some(filter) = conv.filter() {
        return winograd::forward(conv, &filter, x, weight, bias, epilogue, pre, (y, onto));
    }
    let (whole, groups, conv) = (conv, conv.groups, &conv.by_group());
    let field = conv.image_field();
    let rows = conv.out;
    let size = (conv.out_height(), conv.out_width());
    let strips = |run: &mut dyn FnMut(Strips<'_>)| Strips::with(size, field.pitch, run);
    let pack = |values: &[f32], packed: &mut [f32]| whole.pack_into(values, packed);
    weights::with_packed(weight, whole.room(), pack, |packed| {
        let room = packed.len() / groups;
        conv.with_offsets(&field, |offsets| {
            strips(&mut |strips| {
                let sweep = Sweep { strips, offsets, rows };
                let images = |first: usize, mut pre: Option<&mut [f32]>, y: &mut [f32]| {
                    field.with(1, |source| {
                        let count = y.len() / conv.result();
                        let results = y.chunks_exact_mut(conv.result());
                        for (number, y) in results.enumerate() {
                            let image = first + number;
                            field.copy(&x[image * conv.image()..][..conv.image()], source);
                            // Not worth it for a stride that jumps over most of it.
                            let next = if number + 1 < count && conv.kernel[0] >= conv.stride[0] {
                                &x[(image + 1) * conv.image()..][..conv.image()]
                            } else {
                                &[]
                            };
                            let group = image % groups;
                            let bias = bias.map_or(&[][..], |bias| &bias[group * rows..][..rows]);
                            sweep.run(source, &packed[group * room..][..room], bias, y, onto, next);
                            if let Some(pre) = &mut pre {
                                pre[number * conv.result()..][..conv.result()].copy_from_slice(y);
                            }
                            if !epilogue.is_identity() {
                                epilogue.forward_in_place(image * conv.result(), y);
                            }
                        }
                    });
                };
                let size = conv.images() * conv.result();
                match &mut pre {
                    None => threads::chunks(y, size, |number, y| images(number * conv.images(), None, y)),
                    Some(pre) => threads::chunks2((pre, size), (y, size), |number, pre, y| {
                        images(number * conv.images(), Some(pre), y);
                    }),
                }
            });
        });
    });
}
