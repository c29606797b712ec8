//! A line chart as SVG text: axes with round numbers, a grid, a legend.

use std::fmt::{Display, Formatter};

/// One chart.
pub(super) struct Chart {
    pub(super) title: String,
    /// The label of the horizontal axis.
    pub(super) across: &'static str,
    pub(super) lines: Vec<Line>,
}

/// One line of a chart. Points that are not finite leave a gap.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// Distinguishable without red and green, and in print (Okabe and Ito 2008).
const COLOURS: [&str; 3] = ["#0072b2", "#d55e00", "#009e73"];
/// With more points than this, a dot for each would hide the line.
const DOTS: usize = 60;

impl Chart {
    pub(super) const WIDTH: f64 = 720.0;
    pub(super) const HEIGHT: f64 = 240.0;
    const LEFT: f64 = 72.0;
    const RIGHT: f64 = 704.0;
    const TOP: f64 = 36.0;
    const BOTTOM: f64 = 196.0;
}

impl Display for Chart {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let points = || self.lines.iter().flat_map(|line| &line.points).filter(|(x, y)| (x + y).is_finite());
        let x_axis = Axis::over(points().map(|point| point.0), Chart::LEFT, Chart::RIGHT, 8);
        let y_axis = Axis::over(points().map(|point| point.1), Chart::BOTTOM, Chart::TOP, 4);
        let (left, right, top, bottom) = (Chart::LEFT, Chart::RIGHT, Chart::TOP, Chart::BOTTOM);
        writeln!(f, r#"<text x="{left}" y="20" class="title">{}</text>"#, escaped(&self.title))?;
        for (value, label) in y_axis.ticks() {
            let y = y_axis.place(value);
            writeln!(f, r#"<path d="M{left} {y:.1}H{right}" class="grid"/>"#)?;
            writeln!(
                f,
                r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{label}</text>"#,
                left - 8.0,
                y + 4.0
            )?;
        }
        for (value, label) in x_axis.ticks() {
            let x = x_axis.place(value);
            writeln!(f, r#"<path d="M{x:.1} {bottom}v4" class="axis"/>"#)?;
            writeln!(f, r#"<text x="{x:.1}" y="{:.1}" text-anchor="middle">{label}</text>"#, bottom + 18.0)?;
        }
        let middle = f64::midpoint(left, right);
        writeln!(
            f,
            r#"<text x="{middle}" y="{}" text-anchor="middle">{}</text>"#,
            bottom + 36.0,
            self.across
        )?;
        writeln!(f, r#"<path d="M{left} {top}V{bottom}H{right}" class="axis"/>"#)?;
        for (place, (line, colour)) in self.lines.iter().zip(COLOURS.iter().cycle()).enumerate() {
            line.draw(f, &x_axis, &y_axis, colour)?;
            if self.lines.len() > 1 {
                let x = right - 110.0 * (self.lines.len() - place) as f64;
                writeln!(f, r#"<path d="M{x} 16h20" stroke="{colour}" class="line"/>"#)?;
                writeln!(f, r#"<text x="{}" y="20">{}</text>"#, x + 26.0, escaped(line.name))?;
            }
        }
        Ok(())
    }
}

impl Line {
    fn draw(&self, f: &mut Formatter<'_>, x_axis: &Axis, y_axis: &Axis, colour: &str) -> std::fmt::Result {
        let is_number = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
        for piece in self.points.split(|point| !is_number(point)).filter(|piece| !piece.is_empty()) {
            write!(f, r#"<path stroke="{colour}" class="line" d=""#)?;
            for (place, &(x, y)) in piece.iter().enumerate() {
                let pen = if place == 0 { 'M' } else { 'L' };
                write!(f, "{pen}{:.1} {:.1}", x_axis.place(x), y_axis.place(y))?;
            }
            writeln!(f, r#""/>"#)?;
        }
        if self.points.len() <= DOTS {
            for &(x, y) in self.points.iter().filter(|point| is_number(point)) {
                let (x, y) = (x_axis.place(x), y_axis.place(y));
                writeln!(f, r#"<circle cx="{x:.1}" cy="{y:.1}" r="2" fill="{colour}"/>"#)?;
            }
        }
        Ok(())
    }
}

/// Maps values to positions, with round numbers as ticks.
pub(crate) struct Axis {
    low: f64,
    high: f64,
    step: f64,
    first: f64,
    last: f64,
}

impl Axis {
    /// An axis over all values from the position `first` to the position `last`, with about `count` ticks.
    pub(crate) fn over(values: impl Iterator<Item = f64>, first: f64, last: f64, count: u32) -> Self {
        let ends = values.fold(None, |ends: Option<(f64, f64)>, value| {
            Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        });
        let (mut low, mut high) = ends.unwrap_or((0.0, 1.0));
        // For a single value, or values that are almost equal, show the surroundings.
        let width = low.abs().max(high.abs()) * 1e-6;
        if high - low <= width {
            let around = if width == 0.0 { 1.0 } else { low.abs() * 0.5 };
            (low, high) = (low - around, high + around);
        }
        let mut step = round((high - low) / f64::from(count));
        // Where the round numbers miss the ends, fewer than three ticks may remain.
        if (high / step).floor() - (low / step).ceil() < 2.0 {
            step = round(step * 0.4);
        }
        Self { low, high, step, first, last }
    }

    pub(crate) fn place(&self, value: f64) -> f64 {
        self.first + (value - self.low) / (self.high - self.low) * (self.last - self.first)
    }

    pub(crate) fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let start = (self.low / self.step).ceil() as i64;
        let end = (self.high / self.step).floor() as i64;
        let decimals = (-self.step.log10()).ceil().max(0.0) as usize;
        (start..=end).map(move |tick| {
            let value = tick as f64 * self.step;
            let is_plain = decimals <= 4 && value.abs() < 1e6;
            (
                value,
                if is_plain || tick == 0 { format!("{value:.decimals$}") } else { format!("{value:.1e}") },
            )
        })
    }
}

/// The smallest of 1, 2, 5, 10, 20, … that is at least `step`.
fn round(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = step / power;
    power * [1.0, 2.0, 5.0].into_iter().find(|&round| round >= factor * (1.0 - 1e-9)).unwrap_or(10.0)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chart_ticks_are_round_and_within_axis() {
        let labels = |values: &[f64]| {
            let axis = Axis::over(values.iter().copied(), 0.0, 1.0, 4);
            axis.ticks().map(|(_, label)| label).collect::<Vec<_>>()
        };
        assert_eq!(labels(&[0.13, 2.31]), ["0.5", "1.0", "1.5", "2.0"]);
        assert_eq!(labels(&[0.0, 1.0]), ["0.0", "0.5", "1.0"]);
        assert_eq!(labels(&[1e-5, 1e-4]), ["2.0e-5", "4.0e-5", "6.0e-5", "8.0e-5", "1.0e-4"]);
        assert_eq!(labels(&[3.0]), ["2", "3", "4"]);
        assert_eq!(labels(&[0.0]), ["-1.0", "-0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(labels(&[]), ["0.0", "0.5", "1.0"]);
    }

    #[test]
    fn chart_line_has_gap_at_nan() {
        let points = vec![(1.0, 1.0), (2.0, f64::NAN), (3.0, 2.0), (4.0, 3.0)];
        let chart = Chart {
            title: "a < b".to_owned(),
            across: "epoch",
            lines: vec![Line { name: "training", points }],
        };
        let text = chart.to_string();
        assert_eq!(text.matches(r#"class="line" d="#).count(), 2);
        assert!(text.contains("a &lt; b") && !text.contains("NaN"), "{text}");
    }
}
