//! The average over the places of what has no places.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<64>) -> Logits<10> {
    x.global_avg_pool().linear(out = 10)
    //~ instead: x.linear(out = 10)
}

fn main() {}
