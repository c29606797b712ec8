//! The learning rate of a run, drawn with the characters of a terminal.

use std::fmt::{Display, Formatter};

use crate::human::{count, rate};
use crate::run::Axis;
use crate::schedule::Schedule;
use crate::spec::Settings;
use crate::table::Table;

/// A schedule as a head, a curve, and a table of its phases.
pub(super) struct Curve<'a> {
    pub(super) name: &'a str,
    pub(super) settings: &'a Settings,
    pub(super) schedule: &'a Schedule,
}

/// Characters across and down.
const WIDTH: usize = 64;
const HEIGHT: usize = 12;
/// A character of Braille is two dots wide and four high.
const DOTS_ACROSS: usize = 2 * WIDTH;
const DOTS_DOWN: usize = 4 * HEIGHT;
/// Steps that are looked at for a column of dots, if it stands for more.
const LOOKS: u64 = 64;

impl Display for Curve<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { name, settings, schedule } = self;
        let (optimizer, lr, base) =
            (settings.optimizer.name(), settings.optimizer.lr(), settings.base_rate());
        write!(f, "{name}: {optimizer} at {}", rate(base))?;
        if base.to_bits() != lr.to_bits() {
            let samples = settings.batch.saturating_mul(settings.accumulate) as u64;
            write!(f, ", which is {} for {} samples a step", rate(lr), count(samples))?;
        }
        let (steps, epoch) = (schedule.steps(), schedule.steps_per_epoch());
        writeln!(f, "; {} steps, {} an epoch\n", count(steps), count(epoch))?;
        draw(f, steps, |k| schedule.rate(k))?;
        let mut table = Table::new("<").indented(2);
        table.row(["phase", "first step", "last step", "first rate", "last rate"]);
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
            writeln!(f, "\n  * listens to the evaluations; drawn as if each were an improvement")?;
        }
        Ok(())
    }
}

/// A curve over the steps from 0 to `steps`, with a scale at the left and one of step numbers, from 1, below.
fn draw(f: &mut Formatter<'_>, steps: u64, rate: impl Fn(u64) -> f64) -> std::fmt::Result {
    let columns = columns(steps, rate);
    let most = columns.iter().map(|column| column.1).fold(0.0, f64::max);
    let up = Axis::over([0.0, most].into_iter(), DOTS_DOWN as f64 - 1.0, 0.0, 5);
    let across = Axis::over([1.0, steps as f64].into_iter(), 0.0, WIDTH as f64 - 1.0, 8);
    let mut labels = vec![String::new(); HEIGHT];
    for (value, label) in up.ticks() {
        if let Some(place) = labels.get_mut(up.place(value).round() as usize / 4) {
            *place = label;
        }
    }
    let margin = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    for (line, label) in labels.iter().enumerate() {
        let dots: String = (0..WIDTH).map(|place| braille(&columns, &up, line, place)).collect();
        let edge = if label.is_empty() { '│' } else { '┤' };
        writeln!(f, "  {label:>margin$} {edge}{}", dots.trim_end_matches('\u{2800}'))?;
    }
    let (mut edge, mut numbers) = (vec!['─'; WIDTH], String::new());
    for (value, label) in across.ticks() {
        let place = across.place(value).round().max(0.0) as usize;
        let begin = place.saturating_sub(label.len() / 2);
        // The scale shows whole steps only; a number that would touch the one before is left out.
        if value.fract() == 0.0 && (numbers.is_empty() || begin > numbers.len()) {
            numbers = format!("{numbers:<begin$}{label}");
            edge.get_mut(place).into_iter().for_each(|mark| *mark = '┬');
        }
    }
    writeln!(f, "  {:margin$} └{}", "", edge.iter().collect::<String>())?;
    writeln!(f, "  {:margin$}  {numbers}", "")?;
    writeln!(f, "  {:margin$}  {:^WIDTH$}", "", "step").map(|()| ())
}

/// The smallest and the largest rate of the steps that each column of dots stands for, and of the way there from the
/// column before.
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

/// The character at a place of a line: of its eight dots those between a column's ends.
fn braille(columns: &[(f64, f64)], up: &Axis, line: usize, place: usize) -> char {
    /// The bits of the dots of a character, by column from above.
    const BITS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    let columns = columns.iter().skip(2 * place).zip(BITS);
    let dots = columns.flat_map(|(&(low, high), bits)| {
        let (top, bottom) = (up.place(high).round() as usize, up.place(low).round() as usize);
        (4 * line..).zip(bits).filter(move |(dot, _)| (top..=bottom).contains(dot)).map(|(_, bit)| bit)
    });
    char::from_u32(0x2800 + dots.sum::<u32>()).unwrap_or(' ')
}
