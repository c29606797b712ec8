//! The gradient of the image.

use super::Conv2d;
use super::field::Field;
use super::strips::Strips;
use super::sweep::{Sweep, tile_rows};
use super::weights;
use crate::product::Onto;
use crate::{scratch, threads};

/// Those places of the padded image that have the same remainders by the stride: they see the same taps.
struct Phase<'a> {
    conv: &'a Conv2d,
    /// The padded gradient of a result.
    field: Field,
    /// The remainders, downwards and to the right.
    remainders: [usize; 2],
    /// The first row and column in steps of the stride, and how many there are.
    first: [usize; 2],
    size: [usize; 2],
}

pub(super) fn run(conv: &Conv2d, d_pre: &[f32], weight: &[f32], (dx, onto): (&mut [f32], Onto)) {
    let back = conv.back();
    let places = |length: usize| back + (length - 1 + conv.padding) / conv.stride + 1;
    let field = Field {
        planes: conv.out,
        height: conv.out_height(),
        width: conv.out_width(),
        stride: 1,
        padding: back,
        phases: 1,
        rows: places(conv.height),
        pitch: places(conv.width),
    };
    for down in 0..conv.stride {
        for right in 0..conv.stride {
            let [rows, columns] = [(down, conv.height), (right, conv.width)].map(|(remainder, length)| {
                let first = conv.padding.saturating_sub(remainder).div_ceil(conv.stride);
                let end = (length + conv.padding).saturating_sub(remainder).div_ceil(conv.stride);
                [first, end.saturating_sub(first)]
            });
            let phase = Phase {
                conv,
                field,
                remainders: [down, right],
                first: [rows[0], columns[0]],
                size: [rows[1], columns[1]],
            };
            phase.run(d_pre, weight, dx, onto);
        }
    }
}

impl Conv2d {
    /// How many places of a phase before its own a place looks back.
    fn back(&self) -> usize {
        (self.kernel - 1) * self.dilation / self.stride
    }
}

impl Phase<'_> {
    /// The rows, or columns, of the kernel that reach places with a remainder.
    fn reaching(&self, remainder: usize) -> impl Iterator<Item = usize> {
        let conv = *self.conv;
        (0..conv.kernel).filter(move |tap| tap * conv.dilation % conv.stride == remainder)
    }

    fn run(&self, d_pre: &[f32], weight: &[f32], dx: &mut [f32], onto: Onto) {
        let conv = self.conv;
        let [outs, rows] = [conv.out, conv.channels].map(|channels| channels / conv.groups);
        let [down, right] = self.remainders.map(|remainder| self.reaching(remainder).count());
        let taps = outs * down * right;
        if self.size.contains(&0) || (taps == 0 && onto == Onto::Add) {
            return;
        }
        let room = weights::room(rows, taps, tile_rows());
        scratch::with(2 * taps + conv.groups * room, |scratch| {
            let (tables, packed) = scratch.split_at_mut(2 * taps);
            let (offsets, places) = bytemuck::cast_slice_mut(tables).split_at_mut(taps);
            self.taps(offsets, places);
            for group in 0..conv.groups {
                let packed = &mut packed[group * room..][..room];
                let of_row = |row| (group * outs * rows + row) * conv.kernel * conv.kernel;
                let at = |row, tap: usize| of_row(row) + places[tap] as usize;
                weights::pack(weight, (rows, taps, tile_rows()), at, packed);
            }
            let (offsets, packed) = (&*offsets, &*packed);
            let first = self.first[0] * self.field.pitch + self.first[1];
            Strips::with(self.size.into(), first, self.field.pitch, |strips| {
                let sweep = Sweep { strips, offsets, rows };
                let size = conv.images() * conv.image();
                threads::chunks(dx, size, |number, dx| {
                    self.images(number * conv.images(), d_pre, &sweep, packed, dx, onto);
                });
            });
        });
    }

    /// The distances of the taps of a group, and where their weights are, behind that of the input's channel.
    fn taps(&self, offsets: &mut [u32], places: &mut [u32]) {
        let conv = self.conv;
        let back = conv.back();
        let mut slots = offsets.iter_mut().zip(places);
        for out in 0..conv.out / conv.groups {
            for u in self.reaching(self.remainders[0]) {
                for v in self.reaching(self.remainders[1]) {
                    let [down, right] = [u, v].map(|tap| back - tap * conv.dilation / conv.stride);
                    if let Some((offset, place)) = slots.next() {
                        *offset = self.field.at(out, down, right) as u32;
                        *place = ((out * (conv.channels / conv.groups) * conv.kernel + u) * conv.kernel + v)
                            as u32;
                    }
                }
            }
        }
    }

    /// The gradients of some images, of which the first is number `first`.
    fn images(
        &self,
        first: usize,
        d_pre: &[f32],
        sweep: &Sweep<'_>,
        packed: &[f32],
        dx: &mut [f32],
        onto: Onto,
    ) {
        let conv = self.conv;
        let plane = sweep.strips.plane;
        let results = if conv.stride == 1 { 0 } else { sweep.rows * plane };
        let room = packed.len() / conv.groups;
        self.field.with(1, |source| {
            scratch::with(results, |results| {
                for (number, dx) in dx.chunks_exact_mut(conv.image()).enumerate() {
                    self.field.copy(&d_pre[(first + number) * conv.result()..][..conv.result()], source);
                    for (group, dx) in dx.chunks_exact_mut(conv.image() / conv.groups).enumerate() {
                        let source = &source[group * conv.out / conv.groups * self.field.plane()..];
                        let packed = &packed[group * room..][..room];
                        if conv.stride == 1 {
                            sweep.run(source, packed, &[], dx, onto);
                        } else {
                            sweep.run(source, packed, &[], results, Onto::Replace);
                            self.spread(results, dx, onto);
                        }
                    }
                }
            });
        });
    }

    /// Brings the results of a group to their places in the image.
    fn spread(&self, results: &[f32], dx: &mut [f32], onto: Onto) {
        let conv = self.conv;
        let [rows, columns] = self.size;
        let [top, left] =
            [0, 1].map(|axis| self.first[axis] * conv.stride + self.remainders[axis] - conv.padding);
        for (row, results) in results.chunks_exact(columns).enumerate() {
            let (plane, row) = (row / rows, row % rows);
            let start = (plane * conv.height + top + row * conv.stride) * conv.width + left;
            let places = dx[start..].iter_mut().step_by(conv.stride);
            match onto {
                Onto::Replace => places.zip(results).for_each(|(dx, result)| *dx = *result),
                Onto::Add => places.zip(results).for_each(|(dx, result)| *dx += result),
            }
        }
    }
}
