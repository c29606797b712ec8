//! The places of a tile side by side, a place per lane.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use std::ops::Range;

use super::{ClassLoss, Layout, Part};
use crate::math::{exp, ln_1p, power};
use crate::reduce::{WIDE, Wide};
use crate::shared::Shared;
use crate::simd;

/// The target of a lane that does not count.
const NONE: u32 = u32::MAX;
/// The classes that are summed in f32, before the sums go to f64.
const PIECE: usize = 32;

simd! {
    /// The sum of the losses of some tiles, and with `GRADIENT` their gradients; `tile` has a vector for each class.
    pub(super) fn losses[const GRADIENT: bool, const SMOOTH: bool][GRADIENT, SMOOTH](
        loss: &ClassLoss<'_>,
        logits: &[f32],
        targets: &[u32],
        d: &Shared<'_>,
        tiles: Range<usize>,
        tile: &mut [Wide],
    ) -> f64 {
        let classes = loss.classes.max(1) as f64;
        let smoothing = f64::from(loss.label_smoothing);
        let mean_weight = (0..loss.classes).map(|class| f64::from(loss.weight(class))).sum::<f64>() / classes;
        let mut total = [0.0_f64; WIDE];
        for number in tiles {
            let part = loss.part(number);
            // Where a lane counts, its target and its weight; the weight of the other lanes is 0.
            let (mut own, mut weights, mut counts) = ([NONE; WIDE], [0.0; WIDE], [0.0; WIDE]);
            for (lane, &target) in targets[loss.targets(part)].iter().enumerate() {
                if loss.ignored != Some(target) {
                    own[lane] = target;
                    weights[lane] = loss.weight(target as usize);
                    counts[lane] = 1.0;
                }
            }
            gather(loss, part, logits, &own, tile);

            let found = exponentials::<GRADIENT, SMOOTH>(loss, &own, tile);
            let mut slopes = Slopes { all: [0.0; WIDE], own: [0.0; WIDE], spread: [0.0; WIDE] };
            let (share, spread) = ((1.0 - smoothing) as f32, (smoothing / classes) as f32);
            let mean = (smoothing * mean_weight) as f32;
            for lane in 0..WIDE {
                let [others, distance] = [found.others[lane] as f32, found.distance[lane]];
                let sum = others + found.own[lane];
                let q = others / sum;
                // The exponential of the target is 1 if its logit is the largest; then `sum - 1` would lose the others' digits.
                let above = if distance == 0.0 { others } else { sum - 1.0 };
                let log_sum = ln_1p(above);
                let surprise = log_sum - distance;
                let weight = weights[lane];
                if SMOOTH {
                    let right = share * weight;
                    let target = if right == 0.0 { 0.0 } else { right * surprise };
                    let spread_loss = counts[lane] * (mean * log_sum - spread * found.weighted[lane] as f32);
                    total[lane] += f64::from(target + spread_loss);
                    let all = right + mean * counts[lane];
                    slopes.all[lane] = all / sum;
                    slopes.spread[lane] = spread * counts[lane];
                    slopes.own[lane] = (mean - spread * weight) * counts[lane] - all * q;
                } else {
                    let factor = power(q, loss.gamma);
                    let value = weight * factor * surprise;
                    total[lane] += f64::from(if weight == 0.0 { 0.0 } else { value });
                    // `p / q * -ln p` is 1 where `q` is 0, and 0 where `p` is 0.
                    let ratio = found.own[lane] / sum * (surprise / q);
                    let ratio = if q == 0.0 { 1.0 } else { ratio };
                    let ratio = if found.own[lane] == 0.0 { 0.0 } else { ratio };
                    let all = weight * factor * loss.gamma.mul_add(ratio, 1.0);
                    slopes.all[lane] = all / sum;
                    slopes.own[lane] = -all * q;
                }
            }
            if GRADIENT {
                for (class, plane) in tile.iter_mut().enumerate() {
                    let (weight, class) = (loss.weight(class), class as u32);
                    for lane in 0..WIDE {
                        let mut slope = slopes.all[lane] * plane[lane];
                        if SMOOTH {
                            slope = (-slopes.spread[lane]).mul_add(weight, slope);
                        }
                        plane[lane] = if own[lane] == class { slopes.own[lane] } else { slope };
                    }
                }
                scatter(loss, part, tile, d);
            }
        }
        total.iter().sum()
    }
}

/// What the gradient needs: the factor of the exponentials, the slope of the target's logit, and the share that each class has of it.
struct Slopes {
    all: Wide,
    own: Wide,
    spread: Wide,
}

/// The sums over the classes of a tile.
struct Found {
    /// The exponentials of the classes that are not the target.
    others: [f64; WIDE],
    /// The exponential of the target.
    own: Wide,
    /// The target's logit, minus the largest.
    distance: Wide,
    /// The distances of all logits from the largest, times the weights of their classes.
    weighted: [f64; WIDE],
}

/// Computes the sums, and with `KEEP` replaces the logits by `exp(logit - largest)`.
#[inline(always)]
fn exponentials<const KEEP: bool, const SMOOTH: bool>(
    loss: &ClassLoss<'_>,
    targets: &[u32; WIDE],
    tile: &mut [Wide],
) -> Found {
    let mut largest = [f32::NEG_INFINITY; WIDE];
    for plane in &*tile {
        for lane in 0..WIDE {
            // A NaN may be lost here, and reappears in the exponentials.
            largest[lane] = if plane[lane] > largest[lane] { plane[lane] } else { largest[lane] };
        }
    }
    let mut found =
        Found { others: [0.0; WIDE], own: [0.0; WIDE], distance: [0.0; WIDE], weighted: [0.0; WIDE] };
    for (number, piece) in tile.chunks_mut(PIECE).enumerate() {
        let (mut others, mut weighted) = ([0.0; WIDE], [0.0; WIDE]);
        for (place, plane) in piece.iter_mut().enumerate() {
            let class = number * PIECE + place;
            let weight = loss.weight(class);
            for lane in 0..WIDE {
                let distance = plane[lane] - largest[lane];
                let power = exp(distance);
                let is_own = targets[lane] == class as u32;
                others[lane] += if is_own { 0.0 } else { power };
                found.own[lane] = if is_own { power } else { found.own[lane] };
                found.distance[lane] = if is_own { distance } else { found.distance[lane] };
                if SMOOTH {
                    weighted[lane] = distance.mul_add(weight, weighted[lane]);
                }
                if KEEP {
                    plane[lane] = power;
                }
            }
        }
        for lane in 0..WIDE {
            found.others[lane] += f64::from(others[lane]);
            if SMOOTH {
                found.weighted[lane] += f64::from(weighted[lane]);
            }
        }
    }
    found
}

/// Reads the logits of a tile; 0 for lanes that do not count.
#[inline(always)]
fn gather(loss: &ClassLoss<'_>, part: Part, logits: &[f32], targets: &[u32; WIDE], tile: &mut [Wide]) {
    match loss.layout {
        Layout::ClassesFirst => {
            for (class, plane) in tile.iter_mut().enumerate() {
                let run = &logits[loss.run_of(part, class)];
                if let Some(run) = run.first_chunk::<WIDE>() {
                    *plane = *run;
                } else {
                    plane[..run.len()].copy_from_slice(run);
                }
                for lane in 0..WIDE {
                    plane[lane] = if targets[lane] == NONE { 0.0 } else { plane[lane] };
                }
            }
        }
        Layout::ClassesLast => {
            for lane in 0..WIDE {
                if targets[lane] == NONE {
                    for plane in tile.iter_mut() {
                        plane[lane] = 0.0;
                    }
                } else {
                    for (plane, &logit) in tile.iter_mut().zip(&logits[loss.row_of(part, lane)]) {
                        plane[lane] = logit;
                    }
                }
            }
        }
    }
}

/// Writes the gradient of a tile.
#[inline(always)]
fn scatter(loss: &ClassLoss<'_>, part: Part, tile: &[Wide], d: &Shared<'_>) {
    match loss.layout {
        Layout::ClassesFirst => {
            for (class, plane) in tile.iter().enumerate() {
                // SAFETY: no other tile has these places.
                let run = unsafe { d.part(loss.run_of(part, class)) };
                if let Some(run) = run.first_chunk_mut::<WIDE>() {
                    *run = *plane;
                } else {
                    run.copy_from_slice(&plane[..run.len()]);
                }
            }
        }
        Layout::ClassesLast => {
            for lane in 0..part.count {
                // SAFETY: as above.
                let row = unsafe { d.part(loss.row_of(part, lane)) };
                for (place, plane) in row.iter_mut().zip(tile) {
                    *place = plane[lane];
                }
            }
        }
    }
}
