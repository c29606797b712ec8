//! A sub-model that is bound to a name is called on an image with more channels.
//~ about: Layers that share parameters

use trainspec::prelude::*;

#[model]
fn Tower(image: Value) -> Value {
    image.conv2d(out = 4, kernel = 3).relu().global_avg_pool()
}

#[model]
fn Net(image: Image<3, 8, 8>) -> Values<1> {
    let tower = tower();
    let small = image.conv2d(out = 1, kernel = 1);
    let a = image.tower();
    let b = small.tower();
    //~ instead: let b = small.conv2d(out = 3, kernel = 1).tower();
    (a - b).linear(out = 1)
}

fn main() {}
