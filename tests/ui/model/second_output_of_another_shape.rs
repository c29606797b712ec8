//! The second output of a model has another shape than its kind.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> (Logits<3>, Values<2>) {
    let class = x.linear(out = 3);
    let price = x.linear(out = 1);
    //~ instead: let price = x.linear(out = 2);
    (class, price)
}

fn main() {}
