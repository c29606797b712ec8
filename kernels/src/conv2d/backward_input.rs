//! The gradient of the image: a sweep for each of its phases over the padded gradient of the result.

use super::Conv2d;
use super::field::Field;
use super::interleave::weave;
use super::phase::Tables;
use super::tiles::Strips;
use super::winograd;
use crate::matmul::WriteMode;
use crate::{scratch, threads};

impl Conv2d {
    /// The padded gradient of the result.
    pub(super) const fn gradient_field(&self) -> Field {
        Field {
            planes: self.out,
            height: self.out_height(),
            width: self.out_width(),
            stride: [1; 2],
            padding: [self.back(0), self.back(1)],
            phases: [1; 2],
            rows: self.back_places(0),
            pitch: self.back_places(1),
        }
    }

    const fn back_places(&self, axis: usize) -> usize {
        let last = self.length(axis).saturating_sub(1).saturating_add(self.padding[axis][0]);
        self.back(axis).saturating_add(last / self.stride[axis]).saturating_add(1)
    }
}

/// What follows the gradients of some images while they are in cache: the index of their first element, their part of `pre`
/// and the gradients.
pub(super) type Finish<'a> = &'a (dyn Fn(usize, Option<&mut [f32]>, &mut [f32]) + Sync);

pub(super) fn run(
    conv: &Conv2d,
    d_pre: &[f32],
    weight: &[f32],
    (dx, onto): (&mut [f32], WriteMode),
    pre: Option<&mut [f32]>,
    finish: Finish<'_>,
) {
    if let Some(filter) = conv.back_filter() {
        return winograd::backward_input(conv, &filter, d_pre, weight, (dx, onto), pre, finish);
    }
    let field = conv.by_group().gradient_field();
    with_tables(conv, &field, weight, |tables| {
        in_blocks(&conv.by_group(), dx, pre, finish, &|first, dx| {
            images(conv, &field, tables, first, d_pre, dx, onto);
        });
    });
}

/// Runs `run`, then `finish`, for each block of images.
pub(super) fn in_blocks(
    conv: &Conv2d,
    dx: &mut [f32],
    pre: Option<&mut [f32]>,
    finish: Finish<'_>,
    run: &(dyn Fn(usize, &mut [f32]) + Sync),
) {
    let size = conv.images() * conv.image();
    let block = |number: usize, pre: Option<&mut [f32]>, dx: &mut [f32]| {
        let first = number * conv.images();
        run(first, dx);
        finish(first * conv.image(), pre, dx);
    };
    match pre {
        None => threads::chunks(dx, size, |number, dx| block(number, None, dx)),
        Some(pre) => threads::chunks2((pre, size), (dx, size), |number, pre, dx| {
            block(number, Some(pre), dx);
        }),
    }
}

/// Passes `run` the tables of all phases.
fn with_tables(conv: &Conv2d, field: &Field, weight: &[f32], run: impl FnOnce(Tables<'_>)) {
    let taps: usize = conv.phases().map(|phase| phase.taps()).sum();
    let strips: usize = conv.phases().map(|phase| Strips::count(phase.size)).sum();
    let packed: usize = conv.phases().map(|phase| phase.room()).sum();
    scratch::with(2 * taps + 3 * strips, |tables| {
        scratch::with(conv.groups * packed, |packed| {
            let (offsets, tables) = tables.split_at_mut(taps);
            let (places, strips) = tables.split_at_mut(taps);
            let (offsets, places): (&mut [u32], _) =
                (bytemuck::cast_slice_mut(offsets), bytemuck::cast_slice_mut(places));
            let strips: &mut [[u32; 3]] = bytemuck::cast_slice_mut(strips);
            let (mut o, mut p, mut s) = (0, 0, 0);
            for phase in conv.phases() {
                let (taps, room, count) =
                    (phase.taps(), conv.groups * phase.room(), Strips::count(phase.size));
                phase.prepare(
                    field,
                    weight,
                    places,
                    &mut offsets[o..][..taps],
                    &mut packed[p..][..room],
                    &mut strips[s..][..count],
                );
                (o, p, s) = (o + taps, p + room, s + count);
            }
            run(Tables { offsets, packed, strips });
        });
    });
}

/// The gradients of the groups of some images, the first of which has index `first`.
fn images(
    whole: &Conv2d,
    field: &Field,
    tables: Tables<'_>,
    first: usize,
    d_pre: &[f32],
    dx: &mut [f32],
    onto: WriteMode,
) {
    let (groups, conv) = (whole.groups, &whole.by_group());
    let woven = conv.stride != [1; 2];
    field.with(1, |source| {
        scratch::with(if woven { conv.image() } else { 0 }, |results| {
            // Phases that no tap reaches stay zero.
            results.fill(0.0);
            let d_pre = &d_pre[first * conv.result()..][..dx.len() / conv.image() * conv.result()];
            for (number, dx) in dx.chunks_exact_mut(conv.image()).enumerate() {
                let (d_pre, next) = d_pre[number * conv.result()..].split_at(conv.result());
                let next = &next[..conv.result().min(next.len())];
                field.copy(d_pre, source);
                let mut tables = tables;
                let mut start = 0;
                for phase in whole.phases() {
                    let (sweep, packed) = phase.take(&mut tables);
                    let results = if woven { &mut results[start..] } else { &mut *dx };
                    let each = sweep.rows * sweep.strips.plane;
                    start += each;
                    if woven && sweep.offsets.is_empty() {
                        continue;
                    }
                    let onto = if woven { WriteMode::Overwrite } else { onto };
                    let packed = &packed[(first + number) % groups * phase.room()..][..phase.room()];
                    let next = if start == conv.image() { next } else { &[] };
                    sweep.run(source, packed, &[], &mut results[..each], onto, next);
                }
                if woven {
                    weave(conv, results, dx, onto);
                }
            }
        });
    });
}
