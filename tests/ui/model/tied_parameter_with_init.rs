//! An initializer for a parameter that is taken from another layer.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    let embed = embedding(out = 32);
    let x = tokens.embed();
    x.linear(out = 65, weight = embed.weight, init = Normal { std: 0.02 })
    //~ instead: x.linear(out = 65, weight = embed.weight)
}

fn main() {}
