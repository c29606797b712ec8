//! The cost of a run folder: a run of W1 with a folder and a checkpoint after each epoch, compared with one without.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trainspec::prelude::*;
use trainspec::run_dir::{Folder, Start};
use trainspec::spec::hash;
use trainspec::trainer::{self, Event};
use trainspec::{Result, engine};

use crate::data::classified;
use crate::workload::mlp::Large;

train! {
    /// W1 on as many samples as MNIST has: 468 steps per epoch.
    pub(crate) Recorded {
        model: Large,
        data: classified::<Features<784>, 10>(60_000),
        batch: 128,
        drop_last: true,
        epochs: 2,
        optimizer: AdamW { lr: 1e-3, weight_decay: 0.01, decay: Decay::All },
        checkpoint: Checkpoint { every: Epochs(1), keep: 2 },
    }
}

/// Measures both kinds of runs in turn, `rounds` times, with their folders below `out`. Returns one JSON line.
///
/// `in_the_run_percent` is the share of time that the training thread spends on the folder: log lines, copies of the
/// state, and waiting for the writer thread. `seconds_at_the_end` is the wait for the last checkpoint, once per run.
/// `whole_percent` is the difference of the medians of both kinds; on a shared machine it is meaningful only with many
/// rounds.
pub(crate) fn measure(rounds: usize, out: &std::path::Path) -> Result<Value> {
    let mut training = Recorded::experiment();
    let (graph, data, spec) = (training.graph()?, training.data()?, training.spec()?);
    let mut bare = Recorded::experiment().set("checkpoint", "null")?;
    let (recorded, bare) = (training.settings()?, bare.settings()?);
    let start = Start {
        name: "w1",
        spec: &spec,
        spec_hash: &hash(&spec),
        overrides: &[],
        settings: recorded,
        graph: &graph,
        engine: engine::open(&graph, recorded)?.name(),
        data: &data,
    };
    let (mut without, mut with, mut spent, mut at_end) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds.max(1) {
        let mut engine = engine::open(&graph, bare)?;
        let began = Instant::now();
        trainer::run(&mut *engine, &graph, bare, &data, &mut |_: &Event<'_>| Ok(()))?;
        without.push(began.elapsed());

        let mut folder = Folder::create(out, &start)?;
        let mut engine = engine::open(&graph, recorded)?;
        let began = Instant::now();
        let (mut record, mut end) = (Duration::ZERO, Duration::ZERO);
        let mut observe = |event: &Event<'_>| {
            let began = Instant::now();
            let told = trainer::Observer::on(&mut folder, event);
            match event {
                Event::End(_) => end += began.elapsed(),
                _ => record += began.elapsed(),
            }
            told
        };
        trainer::run(&mut *engine, &graph, recorded, &data, &mut observe)?;
        with.push(began.elapsed());
        spent.push(record);
        at_end.push(end);
    }
    let [without, with, spent, at_end] = [without, with, spent, at_end].map(median);
    let percent = |part: f64| (part / without * 1e4).round() / 1e2;
    Ok(json!({
        "workload": "W1, 2 epochs of 468 steps",
        "rounds": rounds,
        "seconds_without_record": without,
        "seconds_with_record": with,
        "whole_percent": percent(with - without),
        "in_the_run_percent": percent(spent),
        "seconds_at_the_end": at_end,
    }))
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, Duration::as_secs_f64)
}
