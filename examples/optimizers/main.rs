//! Compares all optimizers on Rosenbrock's valley and on handwritten digits.
//!
//! `cargo run --release -p trainspec-examples --bin optimizers`
//!
//! Each optimizer runs with several learning rates on both problems and is shown with its best one, so that the comparison does
//! not depend on the choice of a learning rate.

mod contestants;
mod digits;
mod picture;
mod surface;

use std::path::PathBuf;

use clap::Parser;
use trainspec::optim::AnyOptimizer;

use crate::contestants::{Contestant, contestants};

/// Compares the optimizers on a loss surface and on handwritten digits, and plots the results
#[derive(Parser)]
struct Arguments {
    /// The file of the plot
    #[arg(long, default_value = "runs/optimizers.svg")]
    out: PathBuf,
}

/// The results of an optimizer on both problems.
struct Comparison {
    name: &'static str,
    surface: surface::Path,
    digits: digits::Curve,
}

fn main() -> anyhow::Result<()> {
    let Arguments { out } = Arguments::parse();
    println!("{:<16} {:>9} {:>11}   {:>9} {:>10} {:>9}", "", "valley", "", "digits", "validation", "test");
    println!(
        "{:<16} {:>9} {:>11}   {:>9} {:>10} {:>9}",
        "optimizer", "lr", "height", "lr", "loss", "accuracy"
    );
    let mut comparisons = Vec::new();
    for Contestant { name, optimizer, rates } in contestants() {
        let surface = best(&*optimizer, &rates, surface::descend, surface::Path::height)?;
        let digits = best(&*optimizer, &rates, digits::learn, digits::Curve::loss)?;
        println!(
            "{name:<16} {:>9.1e} {:>11.2e}   {:>9.1e} {:>10.4} {:>8.2}%",
            surface.rate,
            surface.height(),
            digits.rate,
            digits.loss(),
            100.0 * digits.test_accuracy,
        );
        comparisons.push(Comparison { name, surface, digits });
    }
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    picture::draw(&out, &comparisons)?;
    println!("\nplot: {}", out.display());
    Ok(())
}

/// Returns the run with the lowest result over the learning rates, ignoring those with non-finite values.
fn best<R>(
    optimizer: &dyn AnyOptimizer,
    rates: &[f64],
    run: impl Fn(&dyn AnyOptimizer, f64) -> trainspec::Result<Option<R>>,
    result: impl Fn(&R) -> f64,
) -> anyhow::Result<R> {
    let mut best: Option<R> = None;
    for &rate in rates {
        let optimizer = contestants::at_rate(optimizer, rate)?;
        if let Some(run) = run(&*optimizer, rate)?
            && best.as_ref().is_none_or(|best| result(&run) < result(best))
        {
            best = Some(run);
        }
    }
    best.ok_or_else(|| anyhow::anyhow!("{} diverged at every learning rate", optimizer.name()))
}
