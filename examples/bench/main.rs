//! Measures complete training steps on data in memory: forward, loss, backward, clipping, optimizer.
//!
//! `cargo run --release -p trainspec-examples --bin bench -- W1`
//!
//! It prints one JSON line. `peers.py` measures PyTorch on the same workloads and prints the same fields;
//! `compare` runs both in turn.

mod data;
mod measure;
mod predict;
mod record;
mod workload;

use clap::Parser;
use measure::Clock;
use predict::Prediction;
use workload::Workload;

/// Measures the training steps of a workload and prints one JSON line
#[derive(Parser)]
struct Arguments {
    /// The workload
    workload: Workload,
    /// How long to measure, in seconds, after five warm-up steps
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// The number of threads
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// The precision, as `--set precision=` takes it: `F32`, `Bf16`, `{"type":"F16","loss_scale":"Dynamic"}`.
    #[arg(long, default_value = "F32")]
    precision: String,
    /// Measure predictions of this many samples at once instead, in evaluation mode; with W0 to W5
    #[arg(long, value_name = "SAMPLES", conflicts_with = "record")]
    predict: Option<usize>,
    /// Measure the cost of a run folder and a checkpoint after each epoch instead, over this many pairs of runs; only with W1
    #[arg(long, value_name = "ROUNDS")]
    record: Option<usize>,
    /// Parent folder of the run folders, which are kept
    #[arg(long, value_name = "FOLDER", default_value = "runs", requires = "record")]
    out: std::path::PathBuf,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { workload, seconds, threads, precision, predict, record, out } = Arguments::parse();
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    if let Some(rounds) = record {
        if workload != Workload::W1 {
            return Err("--record requires the workload W1".into());
        }
        println!("{}", record::measure(rounds, &out)?);
        return Ok(());
    }
    if let Some(samples) = predict {
        let Some(line) = workload.predict(&Prediction { samples, seconds }) else {
            return Err("--predict requires one of the workloads W0 to W5".into());
        };
        println!("{}", line?);
        return Ok(());
    }
    let measured = workload.measure(&Clock { seconds, precision })?;
    println!("{}", measured.to_json(workload));
    Ok(())
}
