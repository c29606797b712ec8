//! A padding mask of values that are not tokens.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    let x = tokens.embedding(out = 32);
    let mask = x.padding_mask(padding = 0);
    //~ instead: let mask = tokens.padding_mask(padding = 0);
    x.masked_attention(x, x, mask, heads = 4).linear(out = 65)
}

fn main() {}
