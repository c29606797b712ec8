//! `curves.svg`: the curves of a run as a picture.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

use super::chart::{Chart, Line};
use crate::trainer::{EpochReport, RateCurve, RatePoint};

/// The data of the charts, collected during the run.
pub(super) struct Curves {
    name: String,
    /// `loss`, then each metric: training and validation over epochs.
    measures: BTreeMap<String, [Vec<(f64, f64)>; 2]>,
    loss: [Vec<(f64, f64)>; 2],
    rates: Thinned,
}

impl Curves {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            measures: BTreeMap::new(),
            loss: Default::default(),
            rates: Thinned::default(),
        }
    }

    pub(super) fn step(&mut self, step: u64, lr: f64) {
        self.rates.push((step as f64, lr));
    }

    pub(super) fn epoch(&mut self, report: &EpochReport) {
        let parts = [Some(&report.training), report.validation.as_ref()];
        for (part, evaluation) in parts.into_iter().enumerate() {
            if let Some(evaluation) = evaluation {
                let metrics = evaluation.metrics.iter().map(|(&name, &value)| (name, value));
                self.add(report.epoch, part, evaluation.loss, metrics);
            }
        }
    }

    /// The evaluation of an epoch: the training samples are part 0, the validation samples part 1.
    pub(super) fn add<'a>(
        &mut self,
        epoch: u64,
        part: usize,
        loss: f64,
        metrics: impl Iterator<Item = (&'a str, f64)>,
    ) {
        let epoch = epoch as f64;
        self.loss.get_mut(part).into_iter().for_each(|points| points.push((epoch, loss)));
        for (name, value) in metrics {
            let parts = self.measures.entry(name.to_owned()).or_default();
            parts.get_mut(part).into_iter().for_each(|points| points.push((epoch, value)));
        }
    }

    /// Returns the picture; `None` if no epoch has ended.
    pub(super) fn draw(&self) -> Option<String> {
        if self.loss.iter().all(Vec::is_empty) {
            return None;
        }
        let losses = std::iter::once(("loss", &self.loss));
        let measures = losses.chain(self.measures.iter().map(|(name, parts)| (name.as_str(), parts)));
        let mut charts: Vec<Chart> = measures
            .map(|(name, parts)| Chart {
                title: format!("{}: {name}", self.name),
                across: "epoch",
                lines: ["training", "validation"]
                    .into_iter()
                    .zip(parts)
                    .filter(|(_, points)| !points.is_empty())
                    .map(|(name, points)| Line { name, points: points.clone() })
                    .collect(),
            })
            .collect();
        charts.push(chart_of_rates(&self.name, &self.rates));
        Some(Picture { charts }.to_string())
    }
}

/// The picture of a learning rate over steps, from 1.
pub(crate) fn draw_rates(name: &str, rates: impl Iterator<Item = (u64, f64)>) -> String {
    let mut thinned = Thinned::default();
    rates.for_each(|(step, rate)| thinned.push((step as f64, rate)));
    Picture { charts: vec![chart_of_rates(name, &thinned)] }.to_string()
}

/// The picture of a learning rate search.
pub(crate) fn draw_search(name: &str, curve: &RateCurve) -> String {
    let line = |name, value: fn(&RatePoint) -> f64| Line {
        name,
        points: curve.points.iter().map(|point| (point.rate.log10(), value(point))).collect(),
    };
    let chart = Chart {
        title: format!("{name}: loss against learning rate"),
        across: "learning rate, as a power of ten",
        lines: vec![line("smoothed", |point| point.smoothed), line("each step", |point| point.loss)],
    };
    Picture { charts: vec![chart] }.to_string()
}

fn chart_of_rates(name: &str, rates: &Thinned) -> Chart {
    Chart {
        title: format!("{name}: learning rate"),
        across: "step",
        lines: vec![Line { name: "learning rate", points: rates.points() }],
    }
}

/// Places charts below each other in one SVG file.
struct Picture {
    charts: Vec<Chart>,
}

const STYLE: &str = "\
<style>
text { font: 12px system-ui, sans-serif; fill: #333 }
.title { font-weight: 600 }
.grid { stroke: #e4e4e4; fill: none }
.axis { stroke: #888; fill: none }
.line { stroke-width: 1.8; fill: none }
</style>
<rect width=\"100%\" height=\"100%\" fill=\"white\"/>";

impl Display for Picture {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let (width, height) = (Chart::WIDTH, Chart::HEIGHT * self.charts.len() as f64);
        write!(f, r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" "#)?;
        writeln!(f, r#"viewBox="0 0 {width} {height}">"#)?;
        writeln!(f, "{STYLE}")?;
        for (place, chart) in self.charts.iter().enumerate() {
            let top = Chart::HEIGHT * place as f64;
            writeln!(f, "<g transform=\"translate(0 {top})\">\n{chart}</g>")?;
        }
        writeln!(f, "</svg>")
    }
}

/// A line of any length in bounded memory: when it grows too long, every second point is removed.
#[derive(Default)]
struct Thinned {
    kept: Vec<(f64, f64)>,
    last: Option<(f64, f64)>,
    seen: u64,
    stride_bits: u32,
}

impl Thinned {
    /// More than a picture has columns.
    const MOST: usize = 2000;

    fn push(&mut self, point: (f64, f64)) {
        if self.seen.trailing_zeros() >= self.stride_bits {
            self.kept.push(point);
        }
        self.seen += 1;
        self.last = Some(point);
        if self.kept.len() > Self::MOST {
            let mut place = 0_usize;
            self.kept.retain(|_| {
                place += 1;
                !place.is_multiple_of(2)
            });
            self.stride_bits += 1;
        }
    }

    fn points(&self) -> Vec<(f64, f64)> {
        let mut points = self.kept.clone();
        points.extend(self.last.filter(|last| self.kept.last() != Some(last)));
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trainer::Evaluation;

    #[test]
    fn long_line_is_thinned_evenly_and_keeps_its_ends() {
        let mut line = Thinned::default();
        for step in 0..10_000 {
            line.push((f64::from(step), 0.0));
        }
        let points = line.points();
        assert!(points.len() <= Thinned::MOST + 1);
        assert_eq!((points[0].0, points[points.len() - 1].0), (0.0, 9999.0));
        assert!(points.windows(2).rev().skip(1).all(|pair| pair[1].0 as u32 - pair[0].0 as u32 == 8));
    }

    #[test]
    fn picture_has_chart_for_each_metric_and_learning_rate() {
        let mut curves = Curves::new("digits");
        assert!(curves.draw().is_none());
        let evaluation = Evaluation {
            loss: 0.5,
            metrics: BTreeMap::from([("accuracy", 0.75)]),
            confusion: None,
            samples: 10,
        };
        curves.epoch(&EpochReport {
            epoch: 1,
            step: 1,
            training: evaluation.clone(),
            validation: Some(evaluation),
            lr: 1e-3,
            is_best: false,
        });
        let picture = curves.draw().unwrap();
        for title in ["digits: loss", "digits: accuracy", "digits: learning rate", "validation"] {
            assert!(picture.contains(title), "{title}");
        }
        assert_eq!(picture.matches("<g ").count(), picture.matches("</g>").count());
    }
}
