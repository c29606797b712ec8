//! A head has an odd number of features, which cannot be rotated in pairs.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    let x = tokens.embedding(out = 12).rotary(heads = 4);
    //~ instead: let x = tokens.embedding(out = 16).rotary(heads = 4);
    x.attention(x, x, heads = 4).linear(out = 65)
}

fn main() {}
