//! An optimizer benchmark: 25 million parameters in 48 tensors.

use trainspec::prelude::*;

use crate::data::regressed;

/// A sum of 48 parallel layers, so that all gradients have the same size.
#[model]
pub(crate) fn Wide(x: Features<722>) -> Values<722> {
    let mut y = x.linear(out = 722, bias = false);
    for _ in 1..48 {
        y = y + x.linear(out = 722, bias = false);
    }
    y
}

train! {
    /// The norm of all gradients, clipping, and the update; the gradients themselves are not measured.
    pub(crate) W6 {
        model: Wide,
        data: regressed::<Features<722>, Values<722>>(1),
        batch: 1,
        steps: 1_000_000_000,
        optimizer: AdamW { lr: 1e-3, weight_decay: 0.01 },
        clip: GlobalNorm { max: 1.0 },
    }
}
