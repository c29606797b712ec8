//! Plots the learning rate of a run in the terminal.

use std::fmt::{Display, Formatter};

use super::plot::{DOTS_ACROSS, Plot};
use crate::format::Table;
use crate::format::{count, rate};
use crate::schedule::Schedule;
use crate::spec::TrainConfig;

/// A schedule as a headline, a curve and a table of its phases.
pub(super) struct Curve<'a> {
    pub(super) name: &'a str,
    pub(super) settings: &'a TrainConfig,
    pub(super) schedule: &'a Schedule,
}

/// The most steps that are sampled for a column of dots.
const LOOKS: u64 = 64;

impl Display for Curve<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { name, settings, schedule } = self;
        let (optimizer, lr, base) =
            (settings.optimizer.name(), settings.optimizer.lr(), settings.base_rate());
        write!(f, "{name}: {optimizer} at {}", rate(base))?;
        if base.to_bits() != lr.to_bits() {
            let samples = settings.batch.saturating_mul(settings.accumulate) as u64;
            write!(f, ", scaled from {} to {} samples per step", rate(lr), count(samples))?;
        }
        let (steps, epoch) = (schedule.steps(), schedule.steps_per_epoch());
        writeln!(f, "; {} steps, {} per epoch\n", count(steps), count(epoch))?;
        let columns = columns(steps, |k| schedule.rate(k));
        let most = columns.iter().map(|column| column.1).fold(0.0, f64::max);
        write!(
            f,
            "{}",
            Plot { columns: &columns, up: (0.0, most), across: (1.0, steps as f64), label: "step" }
        )?;
        let mut table = Table::new("<").indented(2);
        table.row(["phase", "first step", "last step", "first lr", "last lr"]);
        let spans = schedule.spans();
        for span in &spans {
            let name = if span.listens { format!("{} *", span.name) } else { span.name.to_owned() };
            table.row([
                name,
                count(span.first),
                count(span.last),
                rate(span.first_rate),
                rate(span.last_rate),
            ]);
        }
        write!(f, "\n{table}")?;
        if spans.iter().any(|span| span.listens) {
            writeln!(f, "\n  * depends on validation results; plotted as if every evaluation improved")?;
        }
        Ok(())
    }
}

/// The smallest and the largest learning rate of the steps in each column of dots, including the last one of the column
/// before.
fn columns(steps: u64, rate: impl Fn(u64) -> f64) -> Vec<(f64, f64)> {
    let at = |column: usize| (u128::from(steps) * column as u128 / DOTS_ACROSS as u128) as u64;
    let mut before = rate(0);
    (0..DOTS_ACROSS)
        .map(|column| {
            let (first, last) = (at(column), at(column + 1).saturating_sub(1).max(at(column)));
            let (mut low, mut high) = (before, before);
            let looks = (last - first).clamp(1, LOOKS);
            for look in 0..=looks {
                let place = first + (last - first) / looks * look + (last - first) % looks * look / looks;
                before = rate(place);
                (low, high) = (low.min(before), high.max(before));
            }
            (low, high)
        })
        .collect()
}
