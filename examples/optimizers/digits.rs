//! Trains a small network on handwritten digits.

use trainspec::optim::AnyOptimizer;
use trainspec::prelude::*;
use trainspec::trainer::Event;
use trainspec::{Error, Result};

/// One hidden layer: small enough to be trained a hundred times over.
#[model]
fn Reader(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 64).relu().linear(out = 10)
}

train! {
    Reading {
        model: Reader,
        data: Digits8x8::embedded(),
        metrics: [Accuracy],
        batch: 64,
        epochs: 20,
        seed: 1,
        schedule: [Cosine],
    }
}

/// The result of a training run.
pub(crate) struct Curve {
    pub(crate) rate: f64,
    /// The validation loss after each epoch.
    pub(crate) losses: Vec<f64>,
    pub(crate) test_accuracy: f64,
}

impl Curve {
    /// The final validation loss. It selects the learning rate, so that the test part is not used for selection.
    pub(crate) fn loss(&self) -> f64 {
        self.losses.last().copied().unwrap_or(f64::INFINITY)
    }
}

/// Trains the network with an optimizer. Returns `None` if the values become non-finite.
pub(crate) fn learn(optimizer: &dyn AnyOptimizer, rate: f64) -> Result<Option<Curve>> {
    let mut losses = Vec::new();
    let mut listen = |event: &Event<'_>| {
        if let Event::Epoch(report) = event {
            losses.extend(report.validation.as_ref().map(|validation| validation.loss));
        }
        Ok(())
    };
    let run = match Reading::experiment().optimizer(optimizer).without_folder().run_with(&mut listen) {
        Ok(run) => run,
        Err(Error::Training { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let test_accuracy = run.outcome.test.map_or(0.0, |test| test.metrics["accuracy"]);
    Ok(Some(Curve { rate, losses, test_accuracy }))
}
