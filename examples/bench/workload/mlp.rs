//! Networks of linear layers.

use trainspec::prelude::*;

use crate::data::classified;

#[model]
pub(crate) fn Small(x: Features<64>) -> Logits<10> {
    x.linear(out = 64).relu().linear(out = 10)
}

train! {
    /// A network of two small layers.
    pub(crate) W0 {
        model: Small,
        data: classified::<Features<64>, 10>(32),
        batch: 32,
        steps: 1_000_000_000,
        optimizer: AdamW { lr: 1e-3, weight_decay: 0.01, decay: Decay::All },
    }
}

#[model]
pub(crate) fn Large(x: Features<784>) -> Logits<10> {
    let x = x.linear(out = 1024).relu().dropout(p = 0.2);
    let x = x.linear(out = 1024).relu().dropout(p = 0.2);
    x.linear(out = 10)
}

train! {
    /// A network of three large layers, with dropout.
    pub(crate) W1 {
        model: Large,
        data: classified::<Features<784>, 10>(128),
        batch: 128,
        steps: 1_000_000_000,
        optimizer: AdamW { lr: 1e-3, weight_decay: 0.01, decay: Decay::All },
    }
}
