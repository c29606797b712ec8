//! The result of a learning-rate range test.

use std::fmt::{Display, Formatter};

use super::plot::{DOTS_ACROSS, Plot};
use crate::format::rate;
use crate::optim::UsualRates;
use crate::trainer::{RateCurve, SearchEnd};

/// The curve of a range test and the suggested learning rate.
pub(super) struct Found<'a> {
    pub(super) name: &'a str,
    pub(super) optimizer: &'a str,
    /// The usual learning rates of the optimizer, if known.
    pub(super) usual: Option<UsualRates>,
    pub(super) curve: &'a RateCurve,
}

impl Display for Found<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { name, optimizer, usual, curve } = self;
        let (Some(first), Some(last)) = (curve.points.first(), curve.points.last()) else {
            return writeln!(f, "{name}: the first loss is not finite, so there is nothing to search");
        };
        writeln!(
            f,
            "{name}: {optimizer}, {} steps from {} to {}; smoothed loss against learning rate\n",
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
            Plot {
                columns: &columns(curve),
                up: (low, high),
                across,
                label: "learning rate, as a power of ten"
            }
        )?;
        let end = match curve.end {
            SearchEnd::LastRate => "stopped at the last learning rate",
            SearchEnd::Diverged => "stopped when the smoothed loss exceeded four times its minimum",
            SearchEnd::NotFinite => "stopped when the loss or a gradient was not finite",
        };
        writeln!(f, "\n  {end}")?;
        match curve.steepest() {
            Some(steepest) => write!(f, "{}", suggestion(steepest, *usual, optimizer))?,
            None => writeln!(f, "  no suggestion: the loss never falls")?,
        }
        let tenth = curve.tenth_of_lowest().unwrap_or(last.rate);
        writeln!(f, "  a tenth of the learning rate with the lowest loss: {}", rate(tenth))
    }
}

/// Formats the suggestion for a loss that falls fastest at the learning rate `steepest`, clamped to the usual range of
/// the optimizer, which the advice on a run's learning rate is checked against.
fn suggestion(steepest: f64, usual: Option<UsualRates>, optimizer: &str) -> String {
    let outside = usual.filter(|usual| !(usual.lowest..=usual.highest).contains(&steepest));
    let Some(usual) = outside else {
        return format!("  suggested, where the loss falls fastest: lr = {}\n", rate(steepest));
    };
    let (bound, which) =
        if steepest > usual.highest { (usual.highest, "highest") } else { (usual.lowest, "lowest") };
    format!(
        "  suggested: lr = {}, the {which} learning rate that is known to work for `{optimizer}` ({})\n  \
         the loss falls fastest at {}, but a short search does not show how a learning rate affects a whole run\n",
        rate(bound),
        usual.source,
        rate(steepest)
    )
}

/// Maps the steps of a search to columns of dots and interpolates between them.
fn columns(curve: &RateCurve) -> Vec<(f64, f64)> {
    let last = curve.points.len().saturating_sub(1);
    let at = |column: usize| {
        // Linear interpolation between two steps.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::optim::{AdamW, Optimizer};

    /// No advice is given against a suggested learning rate.
    #[test]
    fn suggestion_stays_within_usual_learning_rates() {
        let usual = AdamW::DEFAULT.usual_rates().unwrap();
        let said = |steepest| suggestion(steepest, Some(usual), "AdamW");
        let middle = (usual.lowest * usual.highest).sqrt();
        assert_eq!(
            said(middle),
            format!("  suggested, where the loss falls fastest: lr = {}\n", rate(middle))
        );
        for (steepest, bound, which) in [(0.89, usual.highest, "highest"), (1e-7, usual.lowest, "lowest")] {
            let text = said(steepest);
            let expected = format!(
                "  suggested: lr = {}, the {which} learning rate that is known to work for `AdamW`",
                rate(bound)
            );
            assert!(text.starts_with(&expected), "{text}");
            assert!(text.contains(&format!("the loss falls fastest at {}", rate(steepest))), "{text}");
        }
        assert!(suggestion(0.89, None, "Own").starts_with("  suggested, where the loss falls fastest"));
    }
}
