//! Who takes part.

use trainspec::optim::AnyOptimizer;
use trainspec::prelude::*;
use trainspec::{Config, Error, Result};

/// An optimizer and the rates at which it is tried.
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    pub(crate) optimizer: Box<dyn AnyOptimizer>,
    pub(crate) rates: Vec<f64>,
}

impl Contestant {
    /// One whose steps are as long as the gradient, or as long as its rate: tried from `low` to a thousand times
    /// that, twice a decade.
    fn new(name: &'static str, optimizer: impl AnyOptimizer + 'static, low: f64) -> Self {
        let rates = (0..7).map(|half| low * 10_f64.powf(f64::from(half) / 2.0)).collect();
        Self { name, optimizer: Box::new(optimizer), rates }
    }
}

/// All optimizers, with the options by which they are known.
pub(crate) fn contestants() -> Vec<Contestant> {
    let sgd = Sgd::DEFAULT;
    vec![
        Contestant::new("SGD", sgd, 1e-4),
        Contestant::new("momentum", Sgd { momentum: 0.9, ..sgd }, 1e-4),
        Contestant::new("Nesterov", Sgd { momentum: 0.9, nesterov: true, ..sgd }, 1e-4),
        Contestant::new("AdamW", AdamW::DEFAULT, 1e-3),
    ]
}

/// The same optimizer at another rate.
pub(crate) fn at_rate(optimizer: &dyn AnyOptimizer, rate: f64) -> Result<Box<dyn AnyOptimizer>> {
    let mut keys = optimizer.to_json();
    keys["lr"] = rate.into();
    optimizer.with(&keys).map_err(|problem| Error::Setting { key: "optimizer.lr".to_owned(), problem })
}
