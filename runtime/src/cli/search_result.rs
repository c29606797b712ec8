//! What a search for a learning rate found.

use std::fmt::{Display, Formatter};

use super::plot::{DOTS_ACROSS, Plot};
use crate::format::rate;
use crate::optim::UsualRates;
use crate::trainer::{RateCurve, SearchEnd};

/// The curve of a search, and what it suggests.
pub(super) struct Found<'a> {
    pub(super) name: &'a str,
    pub(super) optimizer: &'a str,
    /// The rates that are usual with the optimizer, if any are known.
    pub(super) usual: Option<UsualRates>,
    pub(super) curve: &'a RateCurve,
}

impl Display for Found<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { name, optimizer, usual, curve } = self;
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
            Some(steepest) => write!(f, "{}", suggestion(steepest, *usual, optimizer))?,
            None => writeln!(f, "  no suggestion: the loss falls nowhere")?,
        }
        let tenth = curve.tenth_of_lowest().unwrap_or(last.rate);
        writeln!(f, "  a tenth of the rate where it is lowest: {}", rate(tenth))
    }
}

/// What is suggested where the loss falls fastest at the rate `steepest`: that, within the rates that are usual with the
/// optimizer, which the advice on a run's rate is held against.
fn suggestion(steepest: f64, usual: Option<UsualRates>, optimizer: &str) -> String {
    let outside = usual.filter(|usual| !(usual.lowest..=usual.highest).contains(&steepest));
    let Some(usual) = outside else {
        return format!("  suggested, where the loss falls fastest: lr = {}\n", rate(steepest));
    };
    let (bound, which) =
        if steepest > usual.highest { (usual.highest, "highest") } else { (usual.lowest, "lowest") };
    format!(
        "  suggested: lr = {}, the {which} rate that is known to work for `{optimizer}` ({})\n  \
         the loss falls fastest at {}, but a search of few steps does not show what a rate does to a whole run\n",
        rate(bound),
        usual.source,
        rate(steepest)
    )
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::optim::{AdamW, Optimizer};

    /// Whoever sets what is suggested is not advised against it.
    #[test]
    fn suggestion_stays_within_the_usual_rates() {
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
                "  suggested: lr = {}, the {which} rate that is known to work for `AdamW`",
                rate(bound)
            );
            assert!(text.starts_with(&expected), "{text}");
            assert!(text.contains(&format!("the loss falls fastest at {}", rate(steepest))), "{text}");
        }
        assert!(suggestion(0.89, None, "Own").starts_with("  suggested, where the loss falls fastest"));
    }
}
