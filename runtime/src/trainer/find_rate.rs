//! The learning-rate range test (Smith 2017): a short run in which the rate grows until training breaks.

use serde::{Deserialize, Serialize};

use super::TrainStep;
use super::batch_sampler::BatchSampler;
use crate::config::Config;
use crate::data::{Batch, PreparedDataset};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::keys::Interval;
use crate::schedule::{Clock, Phase, Schedule};
use crate::shape::{CheckError, CheckResult};
use crate::spec::TrainConfig;

/// How much of the smoothed loss stays at each step.
const KEPT: f64 = 0.98;
/// The search ends where the smoothed loss is this many times its minimum, if that is above 0: a loss that can be 0 or less
/// has no such measure.
const BROKEN: f64 = 4.0;

/// Which rates are tried.
///
/// From `from` to `to`, each a fixed factor above the last.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateSearch {
    /// The first rate, above 0; 1e-7 by default.
    pub from: f64,
    /// The last rate, above `from`; 10 by default.
    pub to: f64,
    /// Optimizer steps, at least 10; 300 by default.
    pub steps: u64,
}

impl RateSearch {
    /// The ranges of the keys.
    ///
    /// # Errors
    /// The first range that does not hold.
    pub const fn check(&self) -> CheckResult {
        if !(self.from > 0.0 && self.from.is_finite()) {
            return Err(CheckError::new("from is ").float(self.from).text("; expected a rate above 0"));
        }
        if !(self.to > self.from && self.to.is_finite()) {
            return Err(CheckError::new("to is ")
                .float(self.to)
                .text("; expected a rate above the first, ")
                .float(self.from));
        }
        if self.steps < 10 {
            return Err(CheckError::new("steps is ")
                .number(self.steps as usize)
                .text("; expected at least 10, or no slope can be seen"));
        }
        Ok(())
    }

    /// What each rate is multiplied by to give the next, as a logarithm.
    fn growth(&self) -> f64 {
        (self.to / self.from).ln() / (self.steps - 1) as f64
    }
}

impl Config for RateSearch {
    const NAME: &'static str = "RateSearch";
    const DEFAULT: Self = Self { from: 1e-7, to: 10.0, steps: 300 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

/// As a phase, which begins at `from`.
impl Phase for RateSearch {
    fn length(&self) -> Option<Interval> {
        Some(Interval::Steps(self.steps))
    }

    fn rate(&self, j: u64, eta: f64, _: Clock<'_>) -> f64 {
        eta * (self.growth() * j as f64).exp()
    }

    fn largest(&self, _: f64, _: Clock<'_>) -> f64 {
        self.to
    }
}

/// One step of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatePoint {
    /// The learning rate of the step.
    pub rate: f64,
    /// The mean loss of the step's samples, before its update.
    pub loss: f64,
    /// The exponential average of the losses so far, with decay 0.98, corrected for its start at 0.
    pub smoothed: f64,
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchEnd {
    /// All rates were tried.
    LastRate,
    /// The smoothed loss was over four times its minimum.
    Diverged,
    /// The loss or a gradient was not finite.
    NotFinite,
}

/// What a search found: loss against rate.
#[derive(Clone, Debug, PartialEq)]
pub struct RateCurve {
    /// The steps, in order of their rates.
    pub points: Vec<RatePoint>,
    /// Why there are no more.
    pub end: SearchEnd,
}

impl RateCurve {
    /// The rate at which the smoothed loss falls fastest, over the logarithm of the rate and up to its minimum: the
    /// suggestion. Nothing if it falls nowhere.
    ///
    /// The slope at a step is taken over a twentieth of all steps to either side. The first tenth is left out, where
    /// the average is one of few losses and moves with each.
    #[must_use]
    pub fn steepest(&self) -> Option<f64> {
        let count = self.points.len();
        let reach = (count / 20).max(1);
        let before = self.points.get(count / 10..=self.lowest()?)?;
        let slopes = before
            .windows(2 * reach + 1)
            .map(|around| (around[reach].rate, around[2 * reach].smoothed - around[0].smoothed));
        let (rate, slope) = slopes.min_by(|a, b| a.1.total_cmp(&b.1))?;
        (slope < 0.0).then_some(rate)
    }

    /// A tenth of the rate at which the smoothed loss is lowest: another rule of thumb, to compare with.
    #[must_use]
    pub fn tenth_of_lowest(&self) -> Option<f64> {
        self.lowest().map(|lowest| self.points[lowest].rate / 10.0)
    }

    /// The first point with the lowest smoothed loss.
    fn lowest(&self) -> Option<usize> {
        let points = self.points.iter().enumerate();
        points.min_by(|(_, a), (_, b)| a.smoothed.total_cmp(&b.smoothed)).map(|(place, _)| place)
    }

    /// Adds a step; whether the search goes on.
    fn push(&mut self, rate: f64, loss: f64) -> bool {
        if !loss.is_finite() {
            self.end = SearchEnd::NotFinite;
            return false;
        }
        let last = self.points.last().map_or(0.0, |last| last.smoothed);
        // How much of an average's weight the losses so far have.
        let weight = |count: usize| 1.0 - KEPT.powf(count as f64);
        let count = self.points.len();
        // Of the average before its correction.
        let sum = KEPT * last * weight(count) + (1.0 - KEPT) * loss;
        let smoothed = sum / weight(count + 1);
        self.points.push(RatePoint { rate, loss, smoothed });
        let lowest = self.points.iter().map(|point| point.smoothed).fold(f64::INFINITY, f64::min);
        if lowest > 0.0 && smoothed > BROKEN * lowest {
            self.end = SearchEnd::Diverged;
            return false;
        }
        true
    }
}

/// Searches for a learning rate: trains `engine` on `data` as `settings` say, but for the rates.
///
/// The engine's parameters are moved, so it is to be one that nothing else needs; batches and random numbers are
/// those of the run's own first steps. Nothing of a run is read or written.
///
/// # Errors
/// If the settings or the data cannot be used, or a sample cannot be read.
///
/// # Source
/// Smith 2017, with the smoothing and the stopping rule that have become usual since.
pub fn find_rate(
    engine: &mut dyn Engine,
    graph: &Graph,
    settings: &TrainConfig,
    data: &PreparedDataset,
    search: RateSearch,
) -> Result<RateCurve> {
    search.check().map_err(|problem| problem.of(RateSearch::NAME))?;
    let stepper = TrainStep::new(engine, graph, settings, data)?;
    let epoch = stepper.plan().steps_per_epoch;
    let mut stepper =
        stepper.with_schedule(Schedule::new(vec![Box::new(search)], search.from, search.steps, epoch)?);
    let mut curve = RateCurve { points: Vec::new(), end: SearchEnd::LastRate };
    let mut feed = BatchSampler::new(settings, data, epoch);
    for count in 0.. {
        if stepper.taken() == search.steps {
            break;
        }
        let window: Vec<Batch> = (0..)
            .zip(feed.window(count)?)
            .map(|(micro_batch, batch)| stepper.prepare(micro_batch, batch))
            .collect::<Result<_>>()?;
        let rate = stepper.rate();
        let totals = stepper.accumulate(&window)?;
        let report = stepper.update(&totals);
        // A step that is skipped is none: its rate is tried again with the next samples. One of which no sample counts has no
        // loss to show.
        let is_nothing = totals.weight() == 0.0 && totals.is_finite();
        if report.as_ref().is_ok_and(|report| report.skip.is_some() || is_nothing) {
            continue;
        }
        if !curve.push(rate, totals.mean_loss()) {
            break;
        }
        match report {
            Ok(_) => {}
            Err(Error::Experiment { .. }) => {
                curve.end = SearchEnd::NotFinite;
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(curve)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn curve(losses: impl IntoIterator<Item = f64>) -> RateCurve {
        let mut curve = RateCurve { points: Vec::new(), end: SearchEnd::LastRate };
        for (place, loss) in (0..).zip(losses) {
            if !curve.push(10_f64.powi(place), loss) {
                break;
            }
        }
        curve
    }

    /// The average with weights `0.98^(n - i)`, written as it is defined.
    #[test]
    fn the_average_is_corrected_for_its_start() {
        let losses = [3.0, 1.0, 2.0, 5.0];
        for (count, point) in (1..).zip(curve(losses).points) {
            let weights = (0..count).map(|age| KEPT.powi(age));
            let sum: f64 =
                weights.clone().zip(losses[..count as usize].iter().rev()).map(|(w, l)| w * l).sum();
            assert!((point.smoothed - sum / weights.sum::<f64>()).abs() < 1e-14, "{point:?}");
        }
    }

    #[test]
    fn the_search_ends_where_training_breaks() {
        let broken = curve([1.0, 1.0, 1.0, 1.0, 1e6, 1.0]);
        assert_eq!((broken.points.len(), broken.end), (5, SearchEnd::Diverged));
        let infinite = curve([1.0, f64::NAN, 1.0]);
        assert_eq!((infinite.points.len(), infinite.end), (1, SearchEnd::NotFinite));
        assert_eq!(curve([]).steepest(), None);
        // Four times a number below 0 is less than the number.
        let negative = curve([-1.0, -2.0, -3.0, -1.0]);
        assert_eq!((negative.points.len(), negative.end), (4, SearchEnd::LastRate));
    }

    /// The loss falls by 1, by 30, by 1, and rises: it falls fastest around the third rate, 1e2. Its average is
    /// lowest at the last fall, 1e4.
    #[test]
    fn the_steepest_fall_is_suggested() {
        let found = curve([50.0, 49.0, 30.0, 19.0, 18.0, 60.0]);
        assert_eq!((found.steepest(), found.tenth_of_lowest()), (Some(1e2), Some(1e3)));
        assert_eq!(curve([1.0, 2.0, 3.0]).steepest(), None);
    }

    /// The rates are those asked for, and a search leaves the run that follows as it would have been.
    #[test]
    fn a_search_tries_each_rate_and_changes_no_run() {
        let search = RateSearch { from: 1e-4, to: 1.0, steps: 12 };
        let run = || {
            fixture::experiment().set("checkpoint", "null").unwrap().without_folder().run().unwrap().outcome
        };
        let before = run();
        let found = fixture::experiment().find_rate(search).unwrap();
        assert_eq!((found.points.len(), found.end), (12, SearchEnd::LastRate));
        for (j, point) in (0..).zip(&found.points) {
            let rate = 1e-4 * 1e4_f64.powf(f64::from(j) / 11.0);
            assert!((point.rate / rate - 1.0).abs() < 1e-13, "{point:?}");
        }
        assert_eq!(found, fixture::experiment().find_rate(search).unwrap());
        assert_eq!(before, run());
    }

    /// The fixture's 18 training samples come in batches of 4. Where one class alone counts, some batches have no sample of it:
    /// they have no loss, and no place on the curve.
    #[test]
    fn a_step_in_which_nothing_counts_is_no_point() {
        let training = fixture::experiment().set("loss.weights", "[1, 0, 0]").unwrap();
        let found = training.find_rate(RateSearch { from: 1e-4, to: 1e-3, steps: 40 }).unwrap();
        assert!(found.points.len() < 40 && found.points.len() > 10, "{} points", found.points.len());
        assert_eq!(found.end, SearchEnd::LastRate);
        assert!(found.points.iter().all(|point| point.loss > 0.0), "{:?}", found.points);
    }

    /// The scale of f16 is too high at first. Seen to fail when a skipped step takes a place of its own: then rates came
    /// twice, and the last were not tried.
    #[test]
    fn a_skipped_step_takes_no_rate() {
        let scale = r#"{ "type": "F16", "loss_scale": { "init": 2147483648 }, "max_skips": 50 }"#;
        let training = fixture::experiment().set("precision", scale).unwrap();
        let found = training.find_rate(RateSearch { from: 1e-4, to: 1.0, steps: 12 }).unwrap();
        assert_eq!((found.points.len(), found.end), (12, SearchEnd::LastRate));
        for (j, point) in (0..).zip(&found.points) {
            let rate = 1e-4 * 1e4_f64.powf(f64::from(j) / 11.0);
            assert!((point.rate / rate - 1.0).abs() < 1e-13, "{point:?}");
        }
    }

    #[test]
    fn ranges_are_checked() {
        let said = |search: RateSearch| search.check().unwrap_err().as_str().to_owned();
        assert!(said(RateSearch { from: 0.0, ..RateSearch::DEFAULT }).starts_with("from is 0"));
        assert!(said(RateSearch { to: 1e-8, ..RateSearch::DEFAULT }).starts_with("to is "));
        assert!(said(RateSearch { steps: 9, ..RateSearch::DEFAULT }).starts_with("steps is 9"));
    }
}
