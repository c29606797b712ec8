//! An index is beyond the axis.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> Logits<2> {
    tokens.embedding(out = 8)[16].linear(out = 2)
    //~ instead: tokens.embedding(out = 8)[15].linear(out = 2)
}

fn main() {}
