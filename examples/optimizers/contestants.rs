//! The optimizers in the comparison.

use trainspec::optim::AnyOptimizer;
use trainspec::prelude::*;
use trainspec::{Config, Error, Result};

/// An optimizer and the learning rates to try.
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    pub(crate) optimizer: Box<dyn AnyOptimizer>,
    pub(crate) rates: Vec<f64>,
}

impl Contestant {
    /// An optimizer with learning rates from `low` to ten thousand times
    /// `low`, two per decade.
    fn new(name: &'static str, optimizer: impl AnyOptimizer + 'static, low: f64) -> Self {
        let rates = (0..9).map(|half| low * 10_f64.powf(f64::from(half) / 2.0)).collect();
        Self { name, optimizer: Box::new(optimizer), rates }
    }
}

/// All optimizers with their common options.
pub(crate) fn contestants() -> Vec<Contestant> {
    let sgd = Sgd::DEFAULT;
    vec![
        Contestant::new("SGD", sgd, 1e-4),
        Contestant::new("momentum", Sgd { momentum: 0.9, ..sgd }, 1e-4),
        Contestant::new("Nesterov", Sgd { momentum: 0.9, nesterov: true, ..sgd }, 1e-4),
        Contestant::new("AdaGrad", AdaGrad::DEFAULT, 1e-3),
        Contestant::new("AdaDelta", AdaDelta::DEFAULT, 1e-1),
        Contestant::new("RMSProp", RmsProp::DEFAULT, 1e-4),
        Contestant::new("Adam", Adam::DEFAULT, 1e-3),
        Contestant::new("AdamW", AdamW::DEFAULT, 1e-3),
        Contestant::new("AMSGrad", Adam { amsgrad: true, ..Adam::DEFAULT }, 1e-3),
        Contestant::new("NAdam", NAdam::DEFAULT, 1e-3),
        Contestant::new("RAdam", RAdam::DEFAULT, 1e-3),
        Contestant::new("Adamax", Adamax::DEFAULT, 1e-3),
        Contestant::new("Lion", Lion::DEFAULT, 1e-4),
        Contestant::new("SignSGD", SignSgd::DEFAULT, 1e-4),
        Contestant::new("LAMB", Lamb::DEFAULT, 1e-3),
        Contestant::new("LARS", Lars::DEFAULT, 1e-2),
        Contestant::new("Adafactor", Adafactor::DEFAULT, 1e-3),
        Contestant::new("Prodigy", Prodigy::DEFAULT, 1e-2),
    ]
}

/// Returns the optimizer with another learning rate.
pub(crate) fn at_rate(optimizer: &dyn AnyOptimizer, rate: f64) -> Result<Box<dyn AnyOptimizer>> {
    let mut keys = optimizer.to_json();
    keys["lr"] = rate.into();
    optimizer.with(&keys).map_err(|problem| Error::Setting { key: "optimizer.lr".to_owned(), problem })
}
