//! What a search for a learning rate found.

use std::fmt::{Display, Formatter};

use super::plot::{DOTS_ACROSS, Plot};
use crate::format::rate;
use crate::trainer::{RateCurve, SearchEnd};

/// The curve of a search, and what it suggests.
pub(super) struct Found<'a> {
    pub(super) name: &'a str,
    pub(super) optimizer: &'a str,
    pub(super) curve: &'a RateCurve,
}

impl Display for Found<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { name, optimizer, curve } = self;
        let (Some(first), Some(last)) = (curve.points.first(), curve.points.last()) else {
            return writeln!(f, "{name}: the first loss is not finite; there is nothing to search in");
        };
        writeln!(
            f,
            "{name}: {optimizer}, {} steps from {} to {}; smoothed loss against rate\n",
            curve.points.len(),
            rate(first.rate),
            rate(last.rate)
        )?;
        let smoothed = || curve.points.iter().map(|point| point.smoothed);
        let (low, high) = (smoothed().fold(f64::INFINITY, f64::min), smoothed().fold(0.0, f64::max));
        let across = (first.rate.log10(), last.rate.log10());
        write!(
            f,
            "{}",
            Plot { columns: &columns(curve), up: (low, high), across, label: "rate, as a power of ten" }
        )?;
        let end = match curve.end {
            SearchEnd::LastRate => "ended with the last rate",
            SearchEnd::Diverged => "ended where the smoothed loss was over four times its minimum",
            SearchEnd::NotFinite => "ended where the loss or a gradient was not finite",
        };
        writeln!(f, "\n  {end}")?;
        match curve.steepest() {
            Some(steepest) => {
                writeln!(f, "  suggested, where the loss falls fastest: lr = {}", rate(steepest))?;
            }
            None => writeln!(f, "  no suggestion: the loss falls nowhere")?,
        }
        let tenth = curve.tenth_of_lowest().unwrap_or(last.rate);
        writeln!(f, "  a tenth of the rate where it is lowest: {}", rate(tenth))
    }
}

/// The steps of a search over columns of dots, with the way between them.
fn columns(curve: &RateCurve) -> Vec<(f64, f64)> {
    let last = curve.points.len().saturating_sub(1);
    let at = |column: usize| {
        // Between two steps the curve is straight.
        let place = last as f64 * column as f64 / (DOTS_ACROSS - 1) as f64;
        let (before, share) = (place.floor() as usize, place.fract());
        let (a, b) = (curve.points[before].smoothed, curve.points[(before + 1).min(last)].smoothed);
        a + share * (b - a)
    };
    (0..DOTS_ACROSS)
        .map(|column| {
            let (before, here) = (at(column.saturating_sub(1)), at(column));
            (before.min(here), before.max(here))
        })
        .collect()
}
