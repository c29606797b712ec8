//! A weight is tied to one of another shape.
//~ about: Layers that share parameters

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 8>) -> TokenLogits<65> {
    let embed = embedding(out = 16);
    let x = tokens.embed().linear(out = 32).gelu();
    x.linear(out = 65, weight = embed.weight)
    //~ instead: x.linear(out = 16).linear(out = 65, weight = embed.weight)
}

fn main() {}
