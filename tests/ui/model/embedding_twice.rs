//! An embedding is applied to embedded tokens.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    tokens.embedding(out = 32).embedding(out = 32).linear(out = 65)
    //~ instead: tokens.embedding(out = 32).linear(out = 65)
}

fn main() {}
