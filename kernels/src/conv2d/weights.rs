//! Weights in the order in which a sweep reads them.

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
