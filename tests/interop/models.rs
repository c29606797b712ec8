//! The models, each trained for a few steps so that every parameter differs from its initial value.

use trainspec::data::Digits8x8;
use trainspec::prelude::*;

use super::{points, sequences};

#[model]
pub(crate) fn Mlp(x: Features<6>) -> Logits<3> {
    x.linear(out = 16).layer_norm().gelu().linear(out = 16, bias = false).relu().linear(out = 3)
}

train! {
    pub(crate) Points {
        model: Mlp, data: points(), batch: 20, steps: 20, optimizer: AdamW { lr: 1e-2 },
    }
}

#[model]
pub(crate) fn DigitNet(image: Image<1, 8, 8>) -> Logits<10> {
    image
        .conv2d(out = 8, kernel = 3, padding = 1, bias = false)
        .batch_norm()
        .relu()
        .conv2d(out = 8, kernel = 3, padding = 1)
        .group_norm(groups = 2)
        .relu()
        .max_pool2d(kernel = 2)
        .flatten()
        .dropout(p = 0.25)
        .linear(out = 10)
}

train! {
    pub(crate) Digits {
        model: DigitNet, data: Digits8x8::embedded(), batch: 64, steps: 8, optimizer: AdamW { lr: 1e-2 },
    }
}

#[model]
fn Block(x: Value, heads: usize) -> Value {
    let x = x + x.layer_norm().self_attention(heads = heads, causal = true, dropout = 0.1);
    x + x.layer_norm().linear(out = 32).gelu().linear(out = 16).dropout(p = 0.1)
}

#[model]
pub(crate) fn CharGpt<const DEPTH: usize>(tokens: Tokens<11, 8>) -> TokenLogits<11> {
    let mut x = tokens.embedding(out = 16) + tokens.position_embedding(out = 16);
    for _ in 0..DEPTH {
        x = x.block(heads = 4);
    }
    let norm = x.layer_norm();
    let head = norm.linear(out = 11);
    head
}

train! {
    pub(crate) Characters {
        model: CharGpt<2>, data: sequences(), batch: 8, steps: 12, optimizer: AdamW { lr: 1e-2 },
    }
}

#[model]
pub(crate) fn Recurrent(tokens: Tokens<11, 8>) -> TokenLogits<11> {
    tokens.embedding(out = 6).lstm(out = 12).gru(out = 10).linear(out = 11)
}

train! {
    pub(crate) Recurring {
        model: Recurrent, data: sequences(), batch: 8, steps: 12, optimizer: AdamW { lr: 1e-2 },
    }
}

/// A tied table and a layer that is called twice.
#[model]
pub(crate) fn Tied(tokens: Tokens<11, 8>) -> TokenLogits<11> {
    let embed = embedding(out = 6);
    let step = linear(out = 6);
    let x = tokens.embed().step().tanh().step();
    let head = x.linear(out = 11, weight = embed.weight);
    head
}

train! {
    pub(crate) Tying {
        model: Tied, data: sequences(), batch: 8, steps: 12, optimizer: AdamW { lr: 1e-2 },
    }
}
