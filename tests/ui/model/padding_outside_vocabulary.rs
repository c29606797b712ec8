//! The padding token is not in the vocabulary.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    let mask = tokens.padding_mask(padding = 65);
    //~ instead: let mask = tokens.padding_mask(padding = 64);
    let x = tokens.embedding(out = 32);
    x.masked_attention(x, x, mask, heads = 4).linear(out = 65)
}

fn main() {}
