//! A value with fewer axes is not repeated along the others.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    let x = image.conv2d(out = 16, kernel = 3).relu();
    let gate = x.global_avg_pool().linear(out = 16).sigmoid();
    let x = x * gate;
    //~ instead: let x = x * gate.reshape(to = [16, 1, 1]);
    x.flatten().linear(out = 10)
}

fn main() {}
