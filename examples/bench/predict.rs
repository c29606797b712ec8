//! Measures predictions: W2 in evaluation mode, for a batch size.

use std::time::Instant;

use serde_json::{Value, json};
use trainspec::prelude::*;
use trainspec::{Kind, Result};

use crate::measure::rounded;
use crate::workload::image::W2;

/// Warm-up predictions before the first measured one.
const WARM_UP: usize = 5;

/// Measures predictions of `samples` images for this many seconds. Returns one JSON line with the fields of `peers.py`.
pub(crate) fn measure(samples: usize, seconds: f64) -> Result<Value> {
    let model = W2::experiment().set("steps", "1")?.without_folder().run()?.model;
    let count = samples * <Image<1, 28, 28> as Kind>::SHAPE.elements();
    let images: Vec<f32> = (0..count).map(|i| (i % 251) as f32 / 125.0 - 1.0).collect();
    for _ in 0..WARM_UP {
        model.predict(&images)?;
    }
    let (mut times, start) = (Vec::new(), Instant::now());
    while times.len() < WARM_UP || start.elapsed().as_secs_f64() < seconds {
        let one = Instant::now();
        model.predict(&images)?;
        times.push(one.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_unstable_by(f64::total_cmp);
    let at = |tenths: usize| rounded(times.get(times.len() * tenths / 10).copied().unwrap_or(f64::NAN), 4);
    Ok(json!({
        "workload": format!("W2, {samples} predicted"),
        "peer": concat!("trainspec ", env!("CARGO_PKG_VERSION")),
        "ms_per_step_median": at(5),
        "p10": at(1),
        "p90": at(9),
        "samples_per_s": rounded(samples as f64 / at(5) * 1e3, 1),
    }))
}
