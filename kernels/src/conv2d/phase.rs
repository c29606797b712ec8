//! The gradient of one phase of an image.

use super::Conv2d;
use super::field::Field;
use super::sweep::{Sweep, tile_rows};
use super::tiles::Strips;
use super::weights;

/// The positions of the padded image with the same remainders modulo the stride: they read the same taps.
pub(super) struct Phase<'a> {
    conv: &'a Conv2d,
    /// The remainders, downwards and to the right.
    remainders: [usize; 2],
    /// The number of rows and columns.
    pub(super) size: (usize, usize),
}

/// The tables for the sweeps of some phases: each takes its part from the start of the remaining space.
#[derive(Clone, Copy)]
pub(super) struct Tables<'a> {
    pub(super) offsets: &'a [u32],
    pub(super) packed: &'a [f32],
    pub(super) strips: &'a [[u32; 3]],
}

impl Conv2d {
    /// The number of earlier positions of a phase that a position reads, along an axis.
    pub(super) const fn back(&self, axis: usize) -> usize {
        self.reach(axis) / self.stride[axis]
    }

    /// The phases of an image.
    pub(super) fn phases(&self) -> impl Iterator<Item = Phase<'_>> {
        (0..self.stride[0] * self.stride[1]).map(|number| {
            let remainders = [number / self.stride[1], number % self.stride[1]];
            let count = |axis: usize| {
                let remainder = remainders[axis];
                (self.length(axis) + self.padding[axis][0])
                    .saturating_sub(remainder)
                    .div_ceil(self.stride[axis])
                    - self.first(axis, remainder)
            };
            let size = (count(0), count(1));
            Phase { conv: self, remainders, size }
        })
    }

    /// The first position with a remainder along an axis, in steps of the stride, that is not padding before the image.
    fn first(&self, axis: usize, remainder: usize) -> usize {
        self.padding[axis][0].saturating_sub(remainder).div_ceil(self.stride[axis])
    }
}

impl Phase<'_> {
    /// The rows, or columns, of the kernel that reach positions with a remainder.
    fn reaching(&self, axis: usize) -> impl Iterator<Item = usize> {
        let (conv, remainder) = (*self.conv, self.remainders[axis]);
        (0..conv.kernel[axis]).filter(move |tap| tap * conv.dilation[axis] % conv.stride[axis] == remainder)
    }

    /// The taps of a group.
    pub(super) fn taps(&self) -> usize {
        self.conv.out / self.conv.groups * self.reaching(0).count() * self.reaching(1).count()
    }

    /// The buffer size for its packed weights, per group.
    pub(super) fn room(&self) -> usize {
        weights::room(self.conv.channels / self.conv.groups, self.taps(), tile_rows())
    }

    /// Fills its part of the tables: distances of taps in `field`, weights and strips; `places` has one
    /// entry per tap.
    pub(super) fn prepare(
        &self,
        field: &Field,
        weight: &[f32],
        places: &mut [u32],
        offsets: &mut [u32],
        packed: &mut [f32],
        strips: &mut [[u32; 3]],
    ) {
        let conv = self.conv;
        let [outs, rows] = [conv.out, conv.channels].map(|channels| channels / conv.groups);
        let area = conv.kernel[0] * conv.kernel[1];
        let mut slots = offsets.iter_mut().zip(places.iter_mut());
        for out in 0..outs {
            for u in self.reaching(0) {
                for v in self.reaching(1) {
                    let [down, right] = [(0, u), (1, v)]
                        .map(|(axis, tap)| conv.back(axis) - tap * conv.dilation[axis] / conv.stride[axis]);
                    if let Some((offset, place)) = slots.next() {
                        *offset = field.at(out, down, right) as u32;
                        *place = (out * rows * area + u * conv.kernel[1] + v) as u32;
                    }
                }
            }
        }
        for (group, packed) in packed.chunks_exact_mut(self.room().max(1)).enumerate() {
            let at = |row, tap: usize| (group * outs * rows + row) * area + places[tap] as usize;
            weights::pack(weight, (rows, self.taps(), tile_rows()), at, packed);
        }
        if !strips.is_empty() {
            let first = [0, 1].map(|axis| conv.first(axis, self.remainders[axis]));
            Strips::cut(strips, self.size, first[0] * field.pitch + first[1], field.pitch);
        }
    }

    /// The sweep and the packed weights of all groups, which are removed from the tables.
    pub(super) fn take<'t>(&self, tables: &mut Tables<'t>) -> (Sweep<'t>, &'t [f32]) {
        let (offsets, strips, packed);
        (offsets, tables.offsets) = tables.offsets.split_at(self.taps());
        (strips, tables.strips) = tables.strips.split_at(Strips::count(self.size));
        (packed, tables.packed) = tables.packed.split_at(self.conv.groups * self.room());
        let rows = self.conv.channels / self.conv.groups;
        (Sweep { strips: Strips::of(strips, self.size), offsets, rows }, packed)
    }
}
