//! A padded image in scratch.

use crate::{scratch, simd};

/// What is between planes, so that a vector that reaches over the end of one sees zeros.
const GAP: usize = 16;

/// How the planes of an image lie in scratch: with zeros around them, and split into phases.
///
/// Place `(i, j)` of phase `(a, b)` is that of the image at `(s i + a - p, s j + b - p)`.
#[derive(Clone, Copy)]
pub(super) struct Field {
    /// The number of planes of the image, and its rows and columns.
    pub(super) planes: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// `s` and `p` above.
    pub(super) stride: usize,
    pub(super) padding: usize,
    /// How many phases there are along each axis.
    pub(super) phases: usize,
    /// The rows and columns of a phase.
    pub(super) rows: usize,
    pub(super) pitch: usize,
}

impl Field {
    /// From a phase to the next.
    fn phase(&self) -> usize {
        let size = (self.rows * self.pitch + GAP).next_multiple_of(16);
        // Planes at a multiple of 4 KiB from each other would all want the same lines of the cache.
        if size.is_multiple_of(512) { size + 16 } else { size }
    }

    /// From a plane to the next.
    pub(super) fn plane(&self) -> usize {
        self.phases * self.phases * self.phase()
    }

    /// The numbers of an image in scratch.
    ///
    /// # Panics
    /// If there are 2^31 or more.
    pub(super) fn len(&self) -> usize {
        let length = self.planes * self.plane();
        assert!(length < 1 << 31, "an image with its padding has less than 2^31 numbers");
        length
    }

    /// The place in scratch of what is `down` and `right` of the corner of the padded plane.
    pub(super) fn at(&self, plane: usize, down: usize, right: usize) -> usize {
        let stride = self.stride;
        let phase = down % stride * self.phases + right % stride;
        plane * self.plane() + phase * self.phase() + down / stride * self.pitch + right / stride
    }

    /// Lends `run` scratch for `images` images, with zeros wherever [`Field::copy`] does not write.
    pub(super) fn with<R>(&self, images: usize, run: impl FnOnce(&mut [f32]) -> R) -> R {
        scratch::with(images * self.len(), |scratch| {
            scratch.fill(0.0);
            run(scratch)
        })
    }

    /// Copies an image to its place in scratch.
    pub(super) fn copy(&self, image: &[f32], scratch: &mut [f32]) {
        copy(self, image, scratch);
    }

    /// The first row or column of a phase that is inside of the image.
    pub(super) fn first(&self, phase: usize) -> usize {
        self.padding.saturating_sub(phase).div_ceil(self.stride)
    }

    /// How many rows or columns of a phase are inside of the image, of `length`, and of the phase, of `size`.
    pub(super) fn count(&self, phase: usize, length: usize, size: usize) -> usize {
        let end = (length + self.padding).saturating_sub(phase).div_ceil(self.stride);
        end.min(size).saturating_sub(self.first(phase))
    }
}

simd! {
    fn copy(field: &Field, image: &[f32], scratch: &mut [f32]) {
        let Field { height, width, stride, padding, .. } = *field;
        let planes = image.chunks_exact((height * width).max(1));
        for (image, scratch) in planes.zip(scratch.chunks_exact_mut(field.plane())) {
            for (phase, scratch) in scratch.chunks_exact_mut(field.phase()).enumerate() {
                let (a, b) = (phase / field.phases, phase % field.phases);
                let (top, left) = (field.first(a), field.first(b));
                let columns = field.count(b, width, field.pitch);
                if columns == 0 {
                    continue;
                }
                for i in top..top + field.count(a, height, field.rows) {
                    let row = &image[(i * stride + a - padding) * width..][..width];
                    let row = &row[left * stride + b - padding..];
                    let to = &mut scratch[i * field.pitch + left..][..columns];
                    match stride {
                        1 => every::<1>(row, to),
                        2 => every::<2>(row, to),
                        _ => to.iter_mut().zip(row.iter().step_by(stride)).for_each(|(to, from)| *to = *from),
                    }
                }
            }
        }
    }
}

/// Every `STRIDE`-th number, eight at a time; the last eight may overlap others.
#[inline(always)]
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
fn every<const STRIDE: usize>(from: &[f32], to: &mut [f32]) {
    let most = to.len().saturating_sub(1) * STRIDE + 1;
    let from = &from[..most];
    let mut start = 0;
    // Of a last number, `from` may not have all of its stride.
    while start + 8 < to.len() || (STRIDE == 1 && start + 8 == to.len()) {
        let from = &from[start * STRIDE..][..8 * STRIDE];
        let to = &mut to[start..][..8];
        for lane in 0..8 {
            to[lane] = from[lane * STRIDE];
        }
        start += 8;
    }
    if STRIDE == 1 && to.len() >= 8 {
        let start = to.len() - 8;
        to[start..][..8].copy_from_slice(&from[start..][..8]);
        return;
    }
    for at in start..to.len() {
        to[at] = from[at * STRIDE];
    }
}
