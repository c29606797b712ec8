//! The forward pass of one head.

use super::tile::{SCORES, Sums};
use super::{Head, Part, QUERIES};
use crate::matmul::{Packed, View, WriteMode, serial};
use crate::shared::Shared;
use crate::{attention::KEYS, scratch};

pub(super) fn head(head: &Head<'_>, y: &Shared<'_>, log_sums: &Shared<'_>) {
    let (length, width) = (head.sizes.keys, head.sizes.width);
    // SAFETY: each head of each sample has its own part of `log_sums`, and each runs once.
    let log_sums = unsafe { log_sums.part(head.of_log_sums()) };
    let packed = Packed::size(width, length);
    scratch::with(SCORES + 2 * QUERIES * width + packed + length * width, |room| {
        let (scores, room) = room.split_at_mut(SCORES);
        let (query, room) = room.split_at_mut(QUERIES * width);
        let (mean, room) = room.split_at_mut(QUERIES * width);
        let (keys, values) = room.split_at_mut(packed);
        let keys = Packed::new(head.columns(Part::Key), keys);
        head.gather(Part::Value, 0..length, 1.0, values);

        for queries in head.queries() {
            head.gather(Part::Query, queries.clone(), head.scale(), query);
            let mut sums = [Sums::NONE; QUERIES];
            for tile in head.tiles(queries.clone()) {
                let part = tile.first_key..tile.first_key + tile.columns;
                let values = View::new(&values[part.start * width..part.end * width], tile.columns, width);
                keys.part(part).serial(
                    View::new(query, tile.rows, width),
                    scores,
                    KEYS,
                    WriteMode::Overwrite,
                );
                tile.weigh(scores, &mut sums, mean, width);
                let onto = if tile.first_key == 0 { WriteMode::Overwrite } else { WriteMode::Accumulate };
                serial(View::with_stride(scores, tile.rows, tile.columns, KEYS), values, mean, width, onto);
            }
            for ((place, mean), sums) in queries.zip(mean.chunks_exact(width.max(1))).zip(&sums) {
                // SAFETY: each head has its own part of each position, and each head of each sample runs once.
                let y = unsafe { y.part(head.of_y(place)) };
                // A query that sees no key has the mean 0.
                let is_blind = sums.sum == 0.0;
                let factor = if is_blind { 0.0 } else { 1.0 / sums.sum };
                for (y, mean) in y.iter_mut().zip(mean) {
                    *y = mean * factor;
                }
                log_sums[place] = if is_blind { 0.0 } else { sums.largest + sums.sum.ln() };
            }
        }
    });
}
