//! The mask is that of another sequence.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>, source: Tokens<65, 24>) -> TokenLogits<65> {
    let mask = tokens.padding_mask(padding = 0);
    //~ instead: let mask = source.padding_mask(padding = 0);
    let memory = source.embedding(out = 32);
    let x = tokens.embedding(out = 32);
    x.masked_attention(memory, memory, mask, heads = 4).linear(out = 65)
}

fn main() {}
