//! Measures the time of steps.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trainspec::data::Batch;
use trainspec::plan::{Plan, Storage};
use trainspec::trainer::TrainStep;
use trainspec::{Experiment, Model, Result, engine};

use crate::workload::Workload;

/// Warm-up steps before the first measured one.
const WARM_UP: usize = 5;

/// The least number of measured steps.
const LEAST: usize = 5;

/// How long to measure.
pub(crate) struct Clock {
    pub(crate) seconds: f64,
    /// The value of the key `precision`.
    pub(crate) precision: String,
}

/// Which part of a step is measured.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    Optimizer,
}

impl Clock {
    /// Measures complete steps of a declared run, all on the first batch of its data.
    pub(crate) fn steps<M: Model>(&self, training: Experiment<M>) -> Result<Measured> {
        self.measure(training, Part::Whole, WARM_UP)
    }

    /// Measures complete steps after this many steps on the same batch. If arithmetic on subnormal numbers is slow and
    /// they are not flushed, a converged step takes longer than the first ones.
    pub(crate) fn later_steps<M: Model>(&self, training: Experiment<M>, before: usize) -> Result<Measured> {
        self.measure(training, Part::Whole, before)
    }

    /// Measures the part after the gradients: their norm, clipping, and the optimizer. The gradients are
    /// real ones, computed before each update.
    pub(crate) fn updates<M: Model>(&self, training: Experiment<M>) -> Result<Measured> {
        self.measure(training, Part::Optimizer, WARM_UP)
    }

    fn measure<M: Model>(&self, training: Experiment<M>, part: Part, first_steps: usize) -> Result<Measured> {
        let mut training = training.set("precision", &self.precision)?;
        let (graph, data) = (training.graph()?, training.data()?);
        let settings = training.settings()?;
        // The program and the data.
        let before = peak_memory().unwrap_or(0);
        let mut engine = engine::open(&graph, settings)?;
        let mut stepper = TrainStep::new(&mut *engine, &graph, settings, &data)?;
        let first: Vec<usize> = data.train().iter().copied().take(settings.batch).collect();
        let window = [data.batch(&first)?];
        for _ in 0..first_steps {
            stepper.step(&window)?;
        }
        let mut times = Vec::new();
        let start = Instant::now();
        while times.len() < LEAST || start.elapsed().as_secs_f64() < self.seconds {
            times.push(one(&mut stepper, &window, part)?);
        }
        times.sort_unstable();
        let state = settings.optimizer.state_elements(&graph.parameters);
        let storage = Storage::from(settings.precision.format());
        let plan = Plan::training_in(&graph, settings.seed, first.len(), storage)?;
        let planned =
            graph.summary(first.len()).with_optimizer_state(state).with_plan(&plan).memory().total();
        Ok(Measured { times, samples: first.len(), planned: before + planned })
    }
}

fn one(stepper: &mut TrainStep<'_>, window: &[Batch], part: Part) -> Result<Duration> {
    let whole = Instant::now();
    let totals = stepper.accumulate(window)?;
    let update = Instant::now();
    stepper.update(&totals)?;
    Ok(match part {
        Part::Whole => whole.elapsed(),
        Part::Optimizer => update.elapsed(),
    })
}

/// The times of the measured steps, in ascending order.
pub(crate) struct Measured {
    times: Vec<Duration>,
    samples: usize,
    /// The planned memory of the process in bytes: what it held before, and the plan.
    planned: u64,
}

impl Measured {
    /// Returns one JSON line with the fields that `peers.py` prints.
    pub(crate) fn to_json(&self, workload: Workload) -> Value {
        let median = self.milliseconds(1, 2);
        json!({
            "workload": format!("{workload:?}"),
            "peer": concat!("trainspec ", env!("CARGO_PKG_VERSION")),
            "ms_per_step_median": rounded(median, 4),
            "p10": rounded(self.milliseconds(1, 10), 4),
            "p90": rounded(self.milliseconds(9, 10), 4),
            "samples_per_s": rounded(self.samples as f64 / median * 1e3, 1),
            "peak_rss_mb": peak_memory().map(|bytes| bytes >> 20),
            "planned_mb": self.planned >> 20,
            "gflops": rounded(workload.operations() / median / 1e6, 1),
        })
    }

    /// Returns the quantile `numerator / denominator` of the times.
    fn milliseconds(&self, numerator: usize, denominator: usize) -> f64 {
        let time = self.times.get(self.times.len() * numerator / denominator);
        time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    }
}

pub(crate) fn rounded(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}

/// Returns the peak memory of the process in bytes, on Linux.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_steps() {
        let times = (0..100).map(Duration::from_millis).collect();
        let measured = Measured { times, samples: 32, planned: 0 };
        let json = measured.to_json(Workload::W0);
        assert_eq!((json["ms_per_step_median"].as_f64(), json["p10"].as_f64()), (Some(50.0), Some(10.0)));
        assert_eq!((json["p90"].as_f64(), json["samples_per_s"].as_f64()), (Some(90.0), Some(640.0)));
        assert_eq!(json["workload"], "W0");
    }
}
