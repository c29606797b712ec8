//! Measures the compile-time cost of a spec.
//!
//! `cargo run -p trainspec-examples --bin compile_cost`
//!
//! It compiles specs of growing length with `rustc` against the artifacts that cargo has for this workspace, so that only
//! the spec is compiled. Each figure is the median of several runs, next to the difference from an empty crate.

mod artifacts;
mod source;

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use artifacts::{Artifacts, Goal};
use clap::Parser;
use source::Kind;

/// Measures the compile-time cost of a spec and prints a table.
#[derive(Parser)]
struct Arguments {
    /// The layer counts of the models.
    #[arg(long, value_delimiter = ',', default_value = "10,100,500")]
    layers: Vec<usize>,
    /// The number of times that each spec is compiled.
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

fn main() -> Result<()> {
    let Arguments { layers, runs } = Arguments::parse();
    let artifacts = Artifacts::of_workspace()?;
    let folder = tempfile::tempdir()?;
    let measured = |name: &str, text: &str| -> Result<Cost> {
        let file = folder.path().join(format!("{name}.rs"));
        std::fs::write(&file, text).context("writing a spec")?;
        Cost::of(&artifacts, &file, runs)
    };
    let empty = measured("empty", source::EMPTY)?;
    let mut table = String::from(
        "| spec | check, s | above empty | build, s | above empty | expanded, kB |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    writeln!(
        table,
        "| an empty program | {:.2} | | {:.2} | | {:.0} |",
        empty.check, empty.build, empty.size
    )?;
    for kind in [Kind::Chain, Kind::Residual] {
        for &count in &layers {
            let cost = measured(&format!("{kind:?}{count}"), &kind.source(count))?;
            writeln!(
                table,
                "| {kind} of {count} layers | {:.2} | {:.2} | {:.2} | {:.2} | {:.0} |",
                cost.check,
                cost.check - empty.check,
                cost.build,
                cost.build - empty.build,
                cost.size,
            )?;
        }
    }
    print!("{table}");
    Ok(())
}

/// The cost of a spec.
struct Cost {
    /// Seconds of type checking, constants included.
    check: f64,
    /// Seconds to build a program, without optimization.
    build: f64,
    /// The size of the expanded source, in kB.
    size: f64,
}

impl Cost {
    fn of(artifacts: &Artifacts, file: &Path, runs: usize) -> Result<Self> {
        let size = artifacts.compile(file, Goal::Expansion)?.len() as f64 / 1e3;
        Ok(Self {
            check: median(runs, || artifacts.compile(file, Goal::Check))?,
            build: median(runs, || artifacts.compile(file, Goal::Build))?,
            size,
        })
    }
}

/// Returns the median time of several runs, in seconds.
fn median<T>(runs: usize, mut run: impl FnMut() -> Result<T>) -> Result<f64> {
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs.max(1) {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
