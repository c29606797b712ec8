//! Two values are bound by one `let`.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    let (a, b) = (x.linear(out = 4), x.linear(out = 4));
    //~ instead: let a = x.linear(out = 4); let b = x.linear(out = 4);
    a * b
}

fn main() {}
