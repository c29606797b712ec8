//! Token numbers are passed to a layer that expects real numbers.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    tokens.linear(out = 65)
    //~ instead: tokens.embedding(out = 64).linear(out = 65)
}

fn main() {}
