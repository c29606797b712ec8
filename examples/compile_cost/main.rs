//! Measures what a declared model costs the compiler.
//!
//! `cargo run -p trainspec-examples --bin compile_cost`
//!
//! Specs of growing length are given to `rustc` with the artifacts that cargo has for this workspace, so that nothing but
//! the spec itself is compiled. Every figure is the median of some runs, beside that of an empty crate.

mod artifacts;
mod source;

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use artifacts::{Artifacts, Goal};
use clap::Parser;
use source::Kind;

/// Measures what a declared model costs the compiler, and prints a table.
#[derive(Parser)]
struct Arguments {
    /// How many layers the models have.
    #[arg(long, value_delimiter = ',', default_value = "10,100,500")]
    layers: Vec<usize>,
    /// How often each spec is compiled.
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
        "| spec | check, s | beyond empty | build, s | beyond empty | expanded, kB |\n\
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

/// What one spec costs.
struct Cost {
    /// Seconds of type checking, constants included.
    check: f64,
    /// Seconds until there is a program, without optimization.
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

/// The median time of some runs, in seconds.
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
