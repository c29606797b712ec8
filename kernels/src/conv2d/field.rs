//! A padded image in scratch.

use crate::{scratch, simd};

/// The gap between planes, so that a vector that extends beyond the end of one reads zeros.
const GAP: usize = 16;

/// The layout of the planes of an image in scratch: zero-padded, and split into phases.
///
/// Position `(i, j)` of phase `(a, b)` is that of the image at `(s i + a - p, s j + b - p)`, with separate `s` and `p`
/// for rows and columns.
#[derive(Clone, Copy)]
pub(super) struct Field {
    /// The number of planes of the image, and its rows and columns.
    pub(super) planes: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// `s` and `p` above.
    pub(super) stride: [usize; 2],
    pub(super) padding: [usize; 2],
    /// The number of phases along each axis.
    pub(super) phases: [usize; 2],
    /// The rows and columns of a phase.
    pub(super) rows: usize,
    pub(super) pitch: usize,
}

impl Field {
    /// The distance between phases.
    const fn phase(&self) -> usize {
        let size = self.rows.saturating_mul(self.pitch).saturating_add(GAP + 15) / 16 * 16;
        // Planes a multiple of 4 KiB apart would all map to the same cache sets.
        if size.is_multiple_of(512) { size.saturating_add(16) } else { size }
    }

    /// The distance between planes.
    pub(super) const fn plane(&self) -> usize {
        self.phases[0].saturating_mul(self.phases[1]).saturating_mul(self.phase())
    }

    /// The number of elements of an image in scratch.
    pub(super) const fn len(&self) -> usize {
        self.planes.saturating_mul(self.plane())
    }

    /// Whether 32 bits hold the index of each.
    pub(super) const fn fits(&self) -> bool {
        self.len() < 1 << 31
    }

    /// The index in scratch of the element `down` and `right` of the corner of the padded plane.
    pub(super) fn at(&self, plane: usize, down: usize, right: usize) -> usize {
        let [rows, columns] = self.stride;
        let phase = down % rows * self.phases[1] + right % columns;
        plane * self.plane() + phase * self.phase() + down / rows * self.pitch + right / columns
    }

    /// Passes `run` scratch for `images` images, with zeros wherever [`Field::copy`] does not write.
    pub(super) fn with<R>(&self, images: usize, run: impl FnOnce(&mut [f32]) -> R) -> R {
        scratch::with(images * self.len(), |scratch| {
            scratch.fill(0.0);
            run(scratch)
        })
    }

    /// Copies an image into scratch.
    pub(super) fn copy(&self, image: &[f32], scratch: &mut [f32]) {
        copy(self, image, scratch);
    }

    /// The first column of a phase that is inside of the image.
    fn first(&self, phase: usize) -> usize {
        self.padding[1].saturating_sub(phase).div_ceil(self.stride[1])
    }
}

simd! {
    fn copy(field: &Field, image: &[f32], scratch: &mut [f32]) {
        let Field { height, width, stride, padding, phases, .. } = *field;
        let size = field.phase();
        let planes = image.chunks_exact((height * width).max(1));
        for (image, scratch) in planes.zip(scratch.chunks_exact_mut(field.plane())) {
            // The phase of a row and its index in it.
            let (mut a, mut i) = (padding[0] % stride[0], padding[0] / stride[0]);
            for row in image.chunks_exact(width) {
                if a < phases[0] && i < field.rows {
                    let band = &mut scratch[a * phases[1] * size..][..phases[1] * size];
                    copy_row(field, row, i, band);
                }
                a += 1;
                if a == stride[0] {
                    (a, i) = (0, i + 1);
                }
            }
        }
    }
}

/// Copies a row to row `i` of each phase in `band`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
fn copy_row(field: &Field, row: &[f32], i: usize, band: &mut [f32]) {
    let Field { stride: [_, stride], padding: [_, padding], phases: [_, phases], pitch, .. } = *field;
    let start = i * pitch;
    match (stride, phases) {
        (1, _) => whole(row, &mut band[start + padding.min(pitch)..start + pitch]),
        (2, 2) => {
            let (zero, one) = band.split_at_mut(field.phase());
            let (zero, one) = (&mut zero[start..][..pitch], &mut one[start..][..pitch]);
            // Even columns are in phase 0, unless the padding is odd.
            let left = (padding / 2).min(pitch);
            if padding.is_multiple_of(2) {
                part(row, &mut zero[left..], &mut one[left..]);
            } else {
                part(row, &mut one[left..], &mut zero[(left + 1).min(pitch)..]);
            }
        }
        _ => {
            for b in 0..phases {
                let to = &mut band[b * field.phase() + start..][..pitch];
                let left = field.first(b);
                let first = left * stride + b - padding;
                if left >= pitch || first >= row.len() {
                    continue;
                }
                let (to, from) = (&mut to[left..], &row[first..]);
                if stride == 2 {
                    halve(from, to);
                } else {
                    to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, from)| *to = *from);
                }
            }
        }
    }
}

/// Copies as many elements as both slices have, eight at a time; the last eight may overlap others.
#[inline(always)]
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
fn whole(from: &[f32], to: &mut [f32]) {
    let length = to.len().min(from.len());
    let (from, to) = (&from[..length], &mut to[..length]);
    let Some(last) = length.checked_sub(8) else {
        return to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    };
    let mut start = 0;
    while start < last {
        to[start..][..8].copy_from_slice(&from[start..][..8]);
        start += 8;
    }
    to[last..][..8].copy_from_slice(&from[last..][..8]);
}

/// Copies every second element, as many as both slices have.
#[inline(always)]
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
fn halve(from: &[f32], to: &mut [f32]) {
    let mut start = 0;
    while start + 8 <= to.len() && 2 * start + 16 <= from.len() {
        let (from, to) = (&from[2 * start..][..16], &mut to[start..][..8]);
        for lane in 0..8 {
            to[lane] = from[2 * lane];
        }
        start += 8;
    }
    let rest = from.iter().skip(2 * start).step_by(2);
    to.iter_mut().skip(start).zip(rest).for_each(|(to, from)| *to = *from);
}

/// Splits even columns from odd ones, as many as fit.
#[inline(always)]
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
fn part(row: &[f32], even: &mut [f32], odd: &mut [f32]) {
    let (pairs, rest) = row.as_chunks::<2>();
    let both = pairs.len().min(even.len()).min(odd.len());
    for (pair, (even, odd)) in pairs.iter().zip(even.iter_mut().zip(odd.iter_mut())) {
        [*even, *odd] = *pair;
    }
    // The remaining element belongs to one of them.
    for (pair, even) in pairs.iter().zip(even.iter_mut()).skip(both) {
        *even = pair[0];
    }
    for (pair, odd) in pairs.iter().zip(odd.iter_mut()).skip(both) {
        *odd = pair[1];
    }
    if let ([last], Some(even)) = (rest, even.get_mut(pairs.len())) {
        *even = *last;
    }
}
