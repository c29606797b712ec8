//! Causal attention to the positions of another sequence.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>, source: Tokens<65, 24>) -> TokenLogits<65> {
    let memory = source.embedding(out = 32);
    let x = tokens.embedding(out = 32);
    x.attention(memory, memory, heads = 4, causal = true).linear(out = 65)
    //~ instead: x.attention(memory, memory, heads = 4).linear(out = 65)
}

fn main() {}
