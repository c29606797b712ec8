//! The model returns a different number of values than declared.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Logits<10> {
    x.linear(out = 16).relu().linear(out = 9)
    //~ instead: x.linear(out = 16).relu().linear(out = 10)
}

fn main() {}
