//! Loops over rows of any length in vectors of 16.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

/// Numbers of a vector, at every level.
pub(crate) const LANES: usize = 16;

/// The numbers from `start` on; 0 past the end.
#[inline(always)]
pub(crate) fn load(from: &[f32], start: usize) -> [f32; LANES] {
    let from = &from[start..];
    if let Some(vector) = from.first_chunk() {
        return *vector;
    }
    let mut vector = [0.0; LANES];
    vector[..from.len()].copy_from_slice(from);
    vector
}

/// [`load`] of each of several parts.
#[inline(always)]
pub(crate) fn load_each<const COUNT: usize>(from: [&[f32]; COUNT], start: usize) -> [[f32; LANES]; COUNT] {
    let mut vectors = [[0.0; LANES]; COUNT];
    for (vector, from) in vectors.iter_mut().zip(from) {
        *vector = load(from, start);
    }
    vectors
}

/// The `COUNT` parts of `length` numbers of a row.
#[inline(always)]
pub(crate) fn parts<const COUNT: usize>(row: &[f32], length: usize) -> [&[f32]; COUNT] {
    let mut parts = [row; COUNT];
    for (number, part) in parts.iter_mut().enumerate() {
        *part = &row[number * length..][..length];
    }
    parts
}

/// Puts `vector` from `start` on, as far as there is room.
#[inline(always)]
pub(crate) fn store(into: &mut [f32], start: usize, vector: [f32; LANES]) {
    let into = &mut into[start..];
    if let Some(place) = into.first_chunk_mut() {
        *place = vector;
    } else {
        into.copy_from_slice(&vector[..into.len()]);
    }
}

/// Applies `function` to each lane of `vectors`.
#[inline(always)]
pub(crate) fn zip<const IN: usize, const OUT: usize>(
    vectors: [[f32; LANES]; IN],
    function: impl Fn([f32; IN]) -> [f32; OUT],
) -> [[f32; LANES]; OUT] {
    let mut results = [[0.0; LANES]; OUT];
    for lane in 0..LANES {
        // Not `map`, which is a function of its own without the level's instructions.
        let mut values = [0.0; IN];
        for (value, vector) in values.iter_mut().zip(&vectors) {
            *value = vector[lane];
        }
        let values = function(values);
        for (result, value) in results.iter_mut().zip(values) {
            result[lane] = value;
        }
    }
    results
}
