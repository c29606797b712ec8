//! Measures predictions: a workload's model in evaluation mode, for a batch size.

use std::time::Instant;

use serde_json::{Value, json};
use trainspec::{Experiment, InputKind, Kind, Model, Result};

use crate::measure::rounded;

/// Warm-up predictions before the first measured one.
const WARM_UP: usize = 5;

/// How many samples to predict at once, and how long to measure.
pub(crate) struct Prediction {
    pub(crate) samples: usize,
    pub(crate) seconds: f64,
}

impl Prediction {
    /// Measures predictions of the model after one step; `element` is the element of the inputs with an index. Returns one JSON
    /// line with the fields of `peers.py`.
    pub(crate) fn measure<M: Model>(
        &self,
        training: Experiment<M>,
        workload: &str,
        element: impl Fn(usize) -> <M::Input as Kind>::Element,
    ) -> Result<Value>
    where
        M::Input: InputKind,
    {
        let &Self { samples, seconds } = self;
        let model = training.set("steps", "1")?.without_folder().run()?.model;
        let inputs: Vec<_> = (0..samples * <M::Input as Kind>::SHAPE.elements()).map(element).collect();
        for _ in 0..WARM_UP {
            model.predict(&inputs)?;
        }
        let (mut times, start) = (Vec::new(), Instant::now());
        while times.len() < WARM_UP || start.elapsed().as_secs_f64() < seconds {
            let one = Instant::now();
            model.predict(&inputs)?;
            times.push(one.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_unstable_by(f64::total_cmp);
        let at =
            |tenths: usize| rounded(times.get(times.len() * tenths / 10).copied().unwrap_or(f64::NAN), 4);
        Ok(json!({
            "workload": format!("{workload}, {samples} predicted"),
            "peer": concat!("trainspec ", env!("CARGO_PKG_VERSION")),
            "ms_per_step_median": at(5),
            "p10": at(1),
            "p90": at(9),
            "samples_per_s": rounded(samples as f64 / at(5) * 1e3, 1),
        }))
    }
}
