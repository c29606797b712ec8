//! All optimizers side by side: on a valley that can be drawn, and on handwritten digits.
//!
//! `cargo run --release -p trainspec-examples --bin optimizers`
//!
//! Each optimizer is run at several learning rates in either place and shown at its best one, so that what is
//! compared are the rules and not the luck of a rate.

mod contestants;
mod digits;
mod picture;
mod surface;

use std::path::PathBuf;

use clap::Parser;
use trainspec::optim::AnyOptimizer;

use crate::contestants::{Contestant, contestants};

/// Compares the optimizers on a loss surface and on handwritten digits, and draws the picture.
#[derive(Parser)]
struct Arguments {
    /// The picture that is drawn.
    #[arg(long, default_value = "runs/optimizers.svg")]
    out: PathBuf,
}

/// One optimizer in both places.
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
        "optimizer", "rate", "height", "rate", "loss", "accuracy"
    );
    let mut comparisons = Vec::new();
    for Contestant { name, optimizer, rates } in contestants() {
        let surface = best(&*optimizer, &rates, surface::descend, surface::Path::height)?;
        let digits = best(&*optimizer, &rates, digits::learn, digits::Curve::best_loss)?;
        println!(
            "{name:<16} {:>9.1e} {:>11.2e}   {:>9.1e} {:>10.4} {:>8.2}%",
            surface.rate,
            surface.height(),
            digits.rate,
            digits.best_loss(),
            100.0 * digits.test_accuracy,
        );
        comparisons.push(Comparison { name, surface, digits });
    }
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    picture::draw(&out, &comparisons)?;
    println!("\nThe picture: {}", out.display());
    Ok(())
}

/// The run whose result is lowest, over the rates; one that leaves the numbers is worse than any.
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
    best.ok_or_else(|| anyhow::anyhow!("{} left the numbers at every rate", optimizer.name()))
}
