//! The learning-rate range test (Smith 2017): a short run that raises the learning rate until training diverges.

use serde::{Deserialize, Serialize};

use super::TrainStep;
use super::batch_sampler::BatchSampler;
use crate::config::Config;
use crate::data::PreparedDataset;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::keys::Interval;
use crate::schedule::{Clock, Phase, Schedule};
use crate::shape::{CheckError, CheckResult};
use crate::spec::TrainConfig;
use crate::world::World;

/// The decay of the smoothed loss.
const KEPT: f64 = 0.98;
/// The search stops when the smoothed loss exceeds its minimum by this factor. The rule applies only to a positive
/// minimum.
const BROKEN: f64 = 4.0;

/// The learning rates of a range test.
///
/// They grow geometrically from `from` to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateSearch {
    /// The first learning rate, above 0; 1e-7 by default.
    pub from: f64,
    /// The last learning rate, above `from`; 10 by default.
    pub to: f64,
    /// The number of optimizer steps, at least 10; 300 by default.
    pub steps: u64,
}

impl RateSearch {
    /// Checks the ranges of the keys.
    ///
    /// # Errors
    /// The first range that is violated.
    pub const fn check(&self) -> CheckResult {
        if !(self.from > 0.0 && self.from.is_finite()) {
            return Err(CheckError::new("from is ")
                .float(self.from)
                .text("; expected a learning rate above 0"));
        }
        if !(self.to > self.from && self.to.is_finite()) {
            return Err(CheckError::new("to is ")
                .float(self.to)
                .text("; expected a learning rate above `from`, ")
                .float(self.from));
        }
        if self.steps < 10 {
            return Err(CheckError::new("steps is ")
                .number(self.steps as usize)
                .text("; expected at least 10"));
        }
        Ok(())
    }

    /// Returns the logarithm of the factor between consecutive learning rates.
    fn growth(&self) -> f64 {
        (self.to / self.from).ln() / (self.steps - 1) as f64
    }
}

impl Config for RateSearch {
    const NAME: &'static str = "RateSearch";
    const DEFAULT: Self = Self { from: 1e-7, to: 10.0, steps: 300 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

/// As a schedule phase, which starts at `from`.
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
    /// The exponential average of the losses so far, with decay 0.98 and bias correction.
    pub smoothed: f64,
}

/// Why a search stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchEnd {
    /// All learning rates were tried.
    LastRate,
    /// The smoothed loss exceeded four times its minimum.
    Diverged,
    /// The loss or a gradient was not finite.
    NotFinite,
}

/// The result of a range test: loss against learning rate.
#[derive(Clone, Debug, PartialEq)]
pub struct RateCurve {
    /// The steps, in order of their learning rates.
    pub points: Vec<RatePoint>,
    /// Why the search stopped.
    pub end: SearchEnd,
}

impl RateCurve {
    /// Returns the suggestion: the learning rate at which the smoothed loss falls fastest, over the logarithm of the
    /// learning rate and up to its minimum. `None` if it never falls.
    ///
    /// The slope at a step is taken over a twentieth of all steps to either side. The first tenth is ignored, where
    /// the average of few losses is noisy.
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

    /// Returns a tenth of the learning rate with the lowest smoothed loss, another rule of thumb.
    #[must_use]
    pub fn tenth_of_lowest(&self) -> Option<f64> {
        self.lowest().map(|lowest| self.points[lowest].rate / 10.0)
    }

    /// The first point with the lowest smoothed loss.
    fn lowest(&self) -> Option<usize> {
        let points = self.points.iter().enumerate();
        points.min_by(|(_, a), (_, b)| a.smoothed.total_cmp(&b.smoothed)).map(|(place, _)| place)
    }

    /// Adds a step. Returns whether the search continues.
    fn push(&mut self, rate: f64, loss: f64) -> bool {
        if !loss.is_finite() {
            self.end = SearchEnd::NotFinite;
            return false;
        }
        let last = self.points.last().map_or(0.0, |last| last.smoothed);
        // The total weight of the losses so far in the average (bias correction).
        let weight = |count: usize| 1.0 - KEPT.powf(count as f64);
        let count = self.points.len();
        // The average before its bias correction.
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

/// Runs a learning-rate range test: trains `engine` on `data` with `settings`, except for the learning rates.
///
/// It changes the engine's parameters, so pass an engine that is not used otherwise. Batches and random draws are
/// those of the run's first steps. No run folder is read or written.
///
/// # Errors
/// If the settings or the data are invalid, or a sample cannot be read.
///
/// # Source
/// Smith 2017, with the smoothing and the stopping rule that are common today.
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
    let world = World::single();
    let sampler = BatchSampler::new(&world, settings, data, epoch)?;
    std::thread::scope(|scope| -> Result<()> {
        let mut windows = sampler.from(scope, 0);
        while stepper.taken() < search.steps {
            let window = stepper.read(&mut windows)?;
            let rate = stepper.rate();
            let totals = stepper.accumulate(&window)?;
            let report = stepper.update(&totals);
            // A skipped step does not count: its learning rate is tried again with the next samples. A step without counted
            // samples has no loss.
            let is_nothing = totals.counts_nothing() && totals.is_finite();
            if report.as_ref().is_ok_and(|report| report.skip.is_some() || is_nothing) {
                continue;
            }
            if !curve.push(rate, totals.mean_loss()) {
                break;
            }
            match report {
                Ok(_) => {}
                Err(Error::Training { .. }) => {
                    curve.end = SearchEnd::NotFinite;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    })?;
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

    /// The average with weights `0.98^(n - i)`, computed from its definition.
    #[test]
    fn smoothed_loss_is_bias_corrected() {
        let losses = [3.0, 1.0, 2.0, 5.0];
        for (count, point) in (1..).zip(curve(losses).points) {
            let weights = (0..count).map(|age| KEPT.powi(age));
            let sum: f64 =
                weights.clone().zip(losses[..count as usize].iter().rev()).map(|(w, l)| w * l).sum();
            assert!((point.smoothed - sum / weights.sum::<f64>()).abs() < 1e-14, "{point:?}");
        }
    }

    #[test]
    fn search_stops_when_loss_diverges() {
        let broken = curve([1.0, 1.0, 1.0, 1.0, 1e6, 1.0]);
        assert_eq!((broken.points.len(), broken.end), (5, SearchEnd::Diverged));
        let infinite = curve([1.0, f64::NAN, 1.0]);
        assert_eq!((infinite.points.len(), infinite.end), (1, SearchEnd::NotFinite));
        assert_eq!(curve([]).steepest(), None);
        // Four times a negative value is less than the value.
        let negative = curve([-1.0, -2.0, -3.0, -1.0]);
        assert_eq!((negative.points.len(), negative.end), (4, SearchEnd::LastRate));
    }

    /// The loss falls by 1, by 30, by 1, and rises: it falls fastest around the third learning rate, 1e2. Its average is
    /// lowest at the last fall, 1e4.
    #[test]
    fn learning_rate_at_steepest_fall_is_suggested() {
        let found = curve([50.0, 49.0, 30.0, 19.0, 18.0, 60.0]);
        assert_eq!((found.steepest(), found.tenth_of_lowest()), (Some(1e2), Some(1e3)));
        assert_eq!(curve([1.0, 2.0, 3.0]).steepest(), None);
    }

    /// The learning rates are the requested ones, and a search does not affect a later run.
    #[test]
    fn search_tries_each_learning_rate_and_does_not_change_run() {
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

    /// The fixture's 18 training samples come in batches of 4. If only one class counts, some batches have no sample of it:
    /// they have no loss and no point on the curve.
    #[test]
    fn step_with_all_labels_ignored_adds_no_point() {
        let training = fixture::experiment().set("loss.weights", "[1, 0, 0]").unwrap();
        let found = training.find_rate(RateSearch { from: 1e-4, to: 1e-3, steps: 40 }).unwrap();
        assert!(found.points.len() < 40 && found.points.len() > 10, "{} points", found.points.len());
        assert_eq!(found.end, SearchEnd::LastRate);
        assert!(found.points.iter().all(|point| point.loss > 0.0), "{:?}", found.points);
    }

    /// The f16 loss scale is too high at first. The test fails if a skipped step takes a point: learning rates then repeat,
    /// and the last ones are not tried.
    #[test]
    fn skipped_step_uses_no_learning_rate() {
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
