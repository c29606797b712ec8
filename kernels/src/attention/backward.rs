//! The backward pass of the heads that share their keys and values.

use super::tile::SCORES;
use super::{Head, KEYS, Part, QUERIES, Targets};
use crate::matmul::{Packed, View, WriteMode, serial};
use crate::{scratch, simd};

/// `first` is the first of the query heads.
pub(super) fn group(first: &Head<'_>, y: &[f32], log_sums: &[f32], dy: &[f32], targets: &Targets<'_>) {
    let (length, width) = (first.sizes.keys, first.sizes.width);
    let (all, packed) = (length * width, Packed::size(width, length));
    scratch::with(2 * SCORES + 3 * QUERIES * width + 3 * all + 2 * packed, |room| {
        let (scores, room) = room.split_at_mut(SCORES);
        let (d_weights, room) = room.split_at_mut(SCORES);
        let (query, room) = room.split_at_mut(QUERIES * width);
        let (d_mean, room) = room.split_at_mut(QUERIES * width);
        let (d_query, room) = room.split_at_mut(QUERIES * width);
        let (keys, room) = room.split_at_mut(all);
        let (packed_keys, room) = room.split_at_mut(packed);
        let (packed_values, room) = room.split_at_mut(packed);
        let (d_keys, d_values) = room.split_at_mut(all);
        first.gather(Part::Key, 0..length, 1.0, keys);
        let packed_keys = Packed::new(first.columns(Part::Key), packed_keys);
        let packed_values = Packed::new(first.columns(Part::Value), packed_values);
        d_keys.fill(0.0);
        d_values.fill(0.0);

        for number in 0..first.sizes.group() {
            let head = &Head { number: first.number + number, ..*first };
            let log_sums = &log_sums[head.of_log_sums()];
            for queries in head.queries() {
                head.gather(Part::Query, queries.clone(), head.scale(), query);
                let mut means = [0.0; QUERIES];
                for (row, place) in queries.clone().enumerate() {
                    let dy = &dy[head.of_y(place)];
                    d_mean[row * width..][..width].copy_from_slice(dy);
                    means[row] = dot(dy, &y[head.of_y(place)]);
                }
                for tile in head.tiles(queries.clone()) {
                    let part = tile.first_key * width..(tile.first_key + tile.columns) * width;
                    let key = View::new(&keys[part.clone()], tile.columns, width);
                    let query = View::new(query, tile.rows, width);
                    let d_mean = View::new(d_mean, tile.rows, width);

                    let columns = tile.first_key..tile.first_key + tile.columns;
                    packed_keys.part(columns.clone()).serial(query, scores, KEYS, WriteMode::Overwrite);
                    packed_values.part(columns).serial(d_mean, d_weights, KEYS, WriteMode::Overwrite);
                    tile.differentiate(scores, d_weights, &log_sums[queries.clone()], &means);

                    let weights = View::with_stride(scores, tile.rows, tile.columns, KEYS).transposed();
                    serial(weights, d_mean, &mut d_values[part.clone()], width, WriteMode::Accumulate);
                    let d_scores = View::with_stride(d_weights, tile.rows, tile.columns, KEYS);
                    serial(d_scores.transposed(), query, &mut d_keys[part], width, WriteMode::Accumulate);
                    let onto = if tile.first_key == 0 { WriteMode::Overwrite } else { WriteMode::Accumulate };
                    serial(d_scores, key, d_query, width, onto);
                }
                scatter(head, targets, Part::Query, queries, head.scale(), d_query);
            }
        }
        // The queries were scaled, so the gradients of the keys are.
        scatter(first, targets, Part::Key, 0..length, 1.0, d_keys);
        scatter(first, targets, Part::Value, 0..length, 1.0, d_values);
    });
}

/// Writes the rows of `from`, each times `scale`, to where the gradient of the rows that [`Head::gather`] reads goes.
fn scatter(
    head: &Head<'_>,
    targets: &Targets<'_>,
    part: Part,
    places: std::ops::Range<usize>,
    scale: f32,
    from: &[f32],
) {
    let Some(target) = &targets[part as usize] else { return };
    for (place, row) in places.zip(from.chunks_exact(head.sizes.width.max(1))) {
        // SAFETY: each head of a part has its own part of each position, and each runs once.
        let into = unsafe { target.values.part(head.row(part, target.place, place)) };
        for (to, from) in into.iter_mut().zip(row) {
            let value = from * scale;
            *to = if target.onto == WriteMode::Accumulate { *to + value } else { value };
        }
    }
}

simd! {
    /// The sum of products, in 16 running sums.
    fn dot(a: &[f32], b: &[f32]) -> f32 {
        let mut lanes = [0.0_f32; 16];
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
        for (a, b) in a.iter().zip(b) {
            for lane in 0..16 {
                lanes[lane] = a[lane].mul_add(b[lane], lanes[lane]);
            }
        }
        for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
            *lane = a.mul_add(*b, *lane);
        }
        lanes.iter().sum()
    }
}
