//! Measures whole training steps on data in memory: forward, loss, backward, clipping, optimizer.
//!
//! `cargo run --release -p trainspec-examples --bin bench -- W1`
//!
//! One run prints one JSON line. `peers.py` measures PyTorch on the same workloads and prints the same fields;
//! `compare` runs both in turn.

mod data;
mod measure;
mod predict;
mod record;
mod workload;

use clap::Parser;
use measure::Clock;
use workload::Workload;

/// Measures the training steps of one workload, and prints one JSON line.
#[derive(Parser)]
struct Arguments {
    /// What to train.
    workload: Workload,
    /// For how long steps are measured, after five that are not.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How many threads compute.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// The precision, as `--set precision=` takes it: `F32`, `Bf16`, `{"type":"F16","loss_scale":"Dynamic"}`.
    #[arg(long, default_value = "F32")]
    precision: String,
    /// Instead: predictions of so many samples at once, in evaluation mode; of W2 alone.
    #[arg(long, value_name = "SAMPLES", conflicts_with = "record")]
    predict: Option<usize>,
    /// Instead: what a run folder and a checkpoint after each epoch cost, over so many pairs of runs; of W1 alone.
    #[arg(long, value_name = "ROUNDS")]
    record: Option<usize>,
    /// Where the folders of these runs are made, and stay.
    #[arg(long, value_name = "FOLDER", default_value = "runs", requires = "record")]
    out: std::path::PathBuf,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { workload, seconds, threads, precision, predict, record, out } = Arguments::parse();
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    if let Some(rounds) = record {
        if workload != Workload::W1 {
            return Err("--record is of W1; give that".into());
        }
        println!("{}", record::measure(rounds, &out)?);
        return Ok(());
    }
    if let Some(samples) = predict {
        if workload != Workload::W2 {
            return Err("--predict is of W2; give that".into());
        }
        println!("{}", predict::measure(samples, seconds)?);
        return Ok(());
    }
    let measured = workload.measure(&Clock { seconds, precision })?;
    println!("{}", measured.to_json(workload));
    Ok(())
}
