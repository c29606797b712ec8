//! Plots a curve in the terminal with Braille characters.

use std::fmt::{Display, Formatter};

use crate::run_dir::Axis;

/// Width and height in characters.
const WIDTH: usize = 64;
const HEIGHT: usize = 12;
/// A Braille character is two dots wide and four high.
pub(super) const DOTS_ACROSS: usize = 2 * WIDTH;
const DOTS_DOWN: usize = 4 * HEIGHT;

/// A curve with a vertical and a horizontal axis.
pub(super) struct Plot<'a> {
    /// The smallest and the largest value in each of the [`DOTS_ACROSS`] columns of dots.
    pub(super) columns: &'a [(f64, f64)],
    /// The values at the lower and the upper edge.
    pub(super) up: (f64, f64),
    /// The values at the left and the right edge. Only integers are shown as ticks.
    pub(super) across: (f64, f64),
    /// The label of the horizontal axis.
    pub(super) label: &'static str,
}

impl Display for Plot<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { columns, up: (low, high), across: (first, last), label: name } = *self;
        let up = Axis::over([low, high].into_iter(), DOTS_DOWN as f64 - 1.0, 0.0, 5);
        let across = Axis::over([first, last].into_iter(), 0.0, WIDTH as f64 - 1.0, 8);
        let mut labels = vec![String::new(); HEIGHT];
        for (value, label) in up.ticks() {
            if let Some(place) = labels.get_mut(up.place(value).round() as usize / 4) {
                *place = label;
            }
        }
        let margin = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        for (line, label) in labels.iter().enumerate() {
            let dots: String = (0..WIDTH).map(|place| braille(columns, &up, line, place)).collect();
            let edge = if label.is_empty() { '│' } else { '┤' };
            writeln!(f, "  {label:>margin$} {edge}{}", dots.trim_end_matches('\u{2800}'))?;
        }
        let (mut edge, mut numbers) = (vec!['─'; WIDTH], String::new());
        for (value, label) in across.ticks() {
            let place = across.place(value).round().max(0.0) as usize;
            let begin = place.saturating_sub(label.len() / 2);
            // The axis shows integers only; a label that would touch the previous one is omitted.
            if value.fract() == 0.0 && (numbers.is_empty() || begin > numbers.len()) {
                numbers = format!("{numbers:<begin$}{label}");
                edge.get_mut(place).into_iter().for_each(|mark| *mark = '┬');
            }
        }
        writeln!(f, "  {:margin$} └{}", "", edge.iter().collect::<String>())?;
        writeln!(f, "  {:margin$}  {numbers}", "")?;
        writeln!(f, "  {:margin$}  {name:^WIDTH$}", "")
    }
}

/// Returns the character at a place of a line, with the dots between the ends of its columns set.
fn braille(columns: &[(f64, f64)], up: &Axis, line: usize, place: usize) -> char {
    /// The bits of the dots of a character, by column from the top.
    const BITS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    let columns = columns.iter().skip(2 * place).zip(BITS);
    let dots = columns.flat_map(|(&(low, high), bits)| {
        let (top, bottom) = (up.place(high).round() as usize, up.place(low).round() as usize);
        (4 * line..).zip(bits).filter(move |(dot, _)| (top..=bottom).contains(dot)).map(|(_, bit)| bit)
    });
    char::from_u32(0x2800 + dots.sum::<u32>()).unwrap_or(' ')
}
