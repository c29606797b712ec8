//! A weight is tied to a parameter that the other layer does not have.
//~ about: Layers that share parameters

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 8>) -> TokenLogits<65> {
    let embed = embedding(out = 16);
    let x = tokens.embed();
    x.linear(out = 65, weight = embed.table)
    //~ instead: x.linear(out = 65, weight = embed.weight)
}

fn main() {}
