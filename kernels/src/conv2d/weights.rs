//! Weights in the order in which a sweep reads them.

use crate::scratch;
use crate::simd::{self, Level};
use crate::weight::Weight;

/// The weights of a forward pass in the order in which it reads them, transformed where it uses minimal filtering: from
/// [`Conv2d::pack`](super::Conv2d::pack).
#[derive(Debug)]
pub struct PackedWeight {
    /// The level for which they are packed.
    level: Level,
    values: Vec<f32>,
}

impl PackedWeight {
    /// Packs weights, by `pack`, into `room` elements.
    pub(super) fn new(room: usize, pack: impl FnOnce(&mut [f32])) -> Self {
        let mut values = vec![0.0; room];
        pack(&mut values);
        Self { level: simd::level(), values }
    }
}

/// Passes `run` packed weights, of `room` elements: those that are there, if they are for this level, or those that `pack`
/// writes.
pub(super) fn with_packed(
    weight: Weight<'_, PackedWeight>,
    room: usize,
    pack: impl FnOnce(&[f32], &mut [f32]),
    run: impl FnOnce(&[f32]),
) {
    if let Some(packed) = weight.packed.filter(|packed| packed.level == simd::level()) {
        assert_eq!(packed.values.len(), room, "the packed weight is of this convolution");
        return run(&packed.values);
    }
    scratch::with(room, |packed| {
        pack(weight.values, packed);
        run(packed);
    });
}

/// The height of the tile that starts at a row with `left` rows left, if full tiles have `most`.
pub(super) fn height(left: usize, most: usize) -> usize {
    match left {
        0..=1 => 1,
        2..=4 => 4,
        _ => most,
    }
}

/// The buffer size for `rows` rows of `taps` weights.
pub(super) fn room(rows: usize, taps: usize, most: usize) -> usize {
    let mut room = 0;
    tiles(rows, most, |_, height| room += height * taps);
    room
}

/// Runs `run` for each tile, with its first row and its height.
pub(super) fn tiles(rows: usize, most: usize, mut run: impl FnMut(usize, usize)) {
    let mut row = 0;
    while row < rows {
        let height = height(rows - row, most);
        run(row, height);
        row += height;
    }
}

/// Packs weights tile after tile, each tap after tap; missing rows are 0. `at` is the index in
/// `weight` of a row and a tap.
pub(super) fn pack(
    weight: &[f32],
    (rows, taps, most): (usize, usize, usize),
    at: impl Fn(usize, usize) -> usize,
    mut packed: &mut [f32],
) {
    tiles(rows, most, |first, height| {
        let (tile, rest) = std::mem::take(&mut packed).split_at_mut(height * taps);
        packed = rest;
        for (tap, values) in tile.chunks_exact_mut(height).enumerate() {
            for (row, value) in (first..).zip(values) {
                *value = if row < rows { weight[at(row, tap)] } else { 0.0 };
            }
        }
    });
}
