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
    copy_few(from, &mut vector);
    vector
}

/// Puts `vector` from `start` on, as far as there is room.
#[inline(always)]
pub(crate) fn store(into: &mut [f32], start: usize, vector: [f32; LANES]) {
    let into = &mut into[start..];
    if let Some(place) = into.first_chunk_mut() {
        *place = vector;
    } else {
        copy_few(&vector[..into.len()], into);
    }
}

/// Copies fewer numbers than a vector has, by powers of 2: a call of `memcpy`, which the compiler would make of a loop,
/// costs all vector registers.
#[inline(always)]
fn copy_few(from: &[f32], into: &mut [f32]) {
    let (from, into) = copy_if::<8>(from, into);
    let (from, into) = copy_if::<4>(from, into);
    let (from, into) = copy_if::<2>(from, into);
    copy_if::<1>(from, into);
}

/// Copies `SIZE` numbers, if there are as many; gives what is left.
#[inline(always)]
fn copy_if<'a, 'b, const SIZE: usize>(from: &'a [f32], into: &'b mut [f32]) -> (&'a [f32], &'b mut [f32]) {
    match from.split_first_chunk::<SIZE>() {
        Some((first, rest)) => {
            let (place, room) = into.split_at_mut(SIZE);
            place.copy_from_slice(first);
            (rest, room)
        }
        None => (from, into),
    }
}

/// `to += from`
#[inline(always)]
pub(crate) fn add(to: &mut [f32; LANES], from: [f32; LANES]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
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
        let values = function(vectors.map(|vector| vector[lane]));
        for (result, value) in results.iter_mut().zip(values) {
            result[lane] = value;
        }
    }
    results
}

/// The lanes brought together, halves onto halves.
#[inline(always)]
pub(crate) fn fold(mut lanes: [f32; LANES], join: impl Fn(f32, f32) -> f32) -> f32 {
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            lanes[lane] = join(lanes[lane], lanes[lane + half]);
        }
    }
    lanes[0]
}
