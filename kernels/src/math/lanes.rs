//! Loops over rows of any length in vectors of 16.

/// Elements per vector, at every level.
pub(crate) const LANES: usize = 16;
/// The length of a loop that the compiler does not unroll: where it unrolls one over the lanes of a vector, it may make
/// vectors across the loop around it, by gathering.
const WIDE: usize = 64;

/// The elements from `start` on; 0 past the end.
#[inline(always)]
pub(crate) fn load(from: &[f32], start: usize) -> [f32; LANES] {
    let from = &from[start..];
    if let Some(vector) = from.first_chunk() {
        return *vector;
    }
    few(from)
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

/// The `COUNT` parts of `length` elements of a row.
#[inline(always)]
pub(crate) fn parts<const COUNT: usize>(row: &[f32], length: usize) -> [&[f32]; COUNT] {
    let mut parts = [row; COUNT];
    for (number, part) in parts.iter_mut().enumerate() {
        *part = &row[number * length..][..length];
    }
    parts
}

/// Stores `vector` from `start` on, as far as it fits.
#[inline(always)]
pub(crate) fn store(into: &mut [f32], start: usize, vector: [f32; LANES]) {
    let into = &mut into[start..];
    if let Some(place) = into.first_chunk_mut() {
        *place = vector;
    } else {
        put_few(into, &vector);
    }
}

/// `value = function(value)` for all.
#[inline(always)]
pub(crate) fn each(values: &mut [f32], function: impl Fn(f32) -> f32) {
    let (wide, rest) = values.as_chunks_mut::<WIDE>();
    for wide in wide {
        for value in wide {
            *value = function(*value);
        }
    }
    let (vectors, rest) = rest.as_chunks_mut::<LANES>();
    for vector in vectors {
        for value in vector {
            *value = function(*value);
        }
    }
    if !rest.is_empty() {
        let mut last = few(rest);
        for value in &mut last {
            *value = function(*value);
        }
        put_few(rest, &last);
    }
}

/// `value = function(value, other)` for all, and as many others.
#[inline(always)]
pub(crate) fn each_with<T: Copy + Default>(
    values: &mut [f32],
    others: &[T],
    function: impl Fn(f32, T) -> f32,
) {
    let ((wide, rest), (others, other_rest)) = (values.as_chunks_mut::<WIDE>(), others.as_chunks::<WIDE>());
    for (wide, others) in wide.iter_mut().zip(others) {
        for (value, other) in wide.iter_mut().zip(others) {
            *value = function(*value, *other);
        }
    }
    let ((vectors, rest), (others, other_rest)) =
        (rest.as_chunks_mut::<LANES>(), other_rest.as_chunks::<LANES>());
    for (vector, others) in vectors.iter_mut().zip(others) {
        for (value, other) in vector.iter_mut().zip(others) {
            *value = function(*value, *other);
        }
    }
    if !rest.is_empty() {
        let (mut last, others) = (few(rest), few(other_rest));
        for (value, other) in last.iter_mut().zip(others) {
            *value = function(*value, other);
        }
        put_few(rest, &last);
    }
}

/// `value = function(value, a, b)` for all, and as many `a` and `b`.
#[inline(always)]
pub(crate) fn each_with_two<T: Copy + Default>(
    values: &mut [f32],
    a: &[f32],
    b: &[T],
    function: impl Fn(f32, f32, T) -> f32,
) {
    let (wide, rest) = values.as_chunks_mut::<WIDE>();
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<WIDE>(), b.as_chunks::<WIDE>());
    for ((wide, a), b) in wide.iter_mut().zip(a).zip(b) {
        for ((value, a), b) in wide.iter_mut().zip(a).zip(b) {
            *value = function(*value, *a, *b);
        }
    }
    let (vectors, rest) = rest.as_chunks_mut::<LANES>();
    let ((a, a_rest), (b, b_rest)) = (a_rest.as_chunks::<LANES>(), b_rest.as_chunks::<LANES>());
    for ((vector, a), b) in vectors.iter_mut().zip(a).zip(b) {
        for ((value, a), b) in vector.iter_mut().zip(a).zip(b) {
            *value = function(*value, *a, *b);
        }
    }
    if !rest.is_empty() {
        let (mut last, a, b) = (few(rest), few(a_rest), few(b_rest));
        for ((value, a), b) in last.iter_mut().zip(a).zip(b) {
            *value = function(*value, a, b);
        }
        put_few(rest, &last);
    }
}

/// Fewer elements than a vector has, then 0.
#[inline(always)]
fn few<T: Copy + Default>(values: &[T]) -> [T; LANES] {
    few_or(values, T::default())
}

/// Fewer elements than a vector has, then `other`.
#[inline(always)]
pub(crate) fn few_or<T: Copy>(values: &[T], other: T) -> [T; LANES] {
    let mut vector = [other; LANES];
    copy_few(values, &mut vector);
    vector
}

/// Stores fewer elements than a vector has.
#[inline(always)]
pub(crate) fn put_few(into: &mut [f32], vector: &[f32; LANES]) {
    copy_few(&vector[..into.len()], into);
}

/// Copies fewer elements than a vector has, by powers of 2: a call of `memcpy`, which the compiler would make of a loop,
/// costs all vector registers.
#[inline(always)]
fn copy_few<T: Copy>(from: &[T], into: &mut [T]) {
    let (from, into) = copy_if::<8, T>(from, into);
    let (from, into) = copy_if::<4, T>(from, into);
    let (from, into) = copy_if::<2, T>(from, into);
    copy_if::<1, T>(from, into);
}

/// Copies `SIZE` elements, if available; returns the rest.
#[inline(always)]
fn copy_if<'a, 'b, const SIZE: usize, T: Copy>(from: &'a [T], into: &'b mut [T]) -> (&'a [T], &'b mut [T]) {
    match from.split_first_chunk::<SIZE>() {
        Some((first, rest)) => {
            let (place, room) = into.split_at_mut(SIZE);
            place.copy_from_slice(first);
            (rest, room)
        }
        None => (from, into),
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
        // Not `map`, which would be a separate function compiled without the level's instructions.
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

/// Reduces the lanes by halves.
#[inline(always)]
pub(crate) fn fold(lanes: [f32; LANES], join: impl Fn(f32, f32) -> f32) -> f32 {
    let eight: [f32; 8] = halve(&lanes, &join);
    let four: [f32; 4] = halve(&eight, &join);
    let [a, b]: [f32; 2] = halve(&four, &join);
    join(a, b)
}

#[inline(always)]
fn halve<const HALF: usize>(lanes: &[f32], join: impl Fn(f32, f32) -> f32) -> [f32; HALF] {
    let (low, high) = lanes.split_at(HALF);
    let mut joined = [0.0; HALF];
    for ((joined, low), high) in joined.iter_mut().zip(low).zip(high) {
        *joined = join(*low, *high);
    }
    joined
}
