//! The features cannot be split evenly among the queries of an attention pooling.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> Logits<4> {
    tokens.embedding(out = 32).attention_pool(heads = 3).linear(out = 4)
    //~ instead: tokens.embedding(out = 32).attention_pool(heads = 4).linear(out = 4)
}

fn main() {}
