//! A weight is tied to a layer instead of to its weight.
//~ about: Layers that share parameters

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 8>) -> TokenLogits<65> {
    let embed = embedding(out = 16);
    let x = tokens.embed();
    x.linear(out = 65, weight = embed)
    //~ instead: x.linear(out = 65, weight = embed.weight)
}

fn main() {}
