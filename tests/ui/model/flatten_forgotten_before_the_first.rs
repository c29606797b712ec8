//! `flatten` is missing before the first of two `linear` layers.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Values<1> {
    image.linear(out = 32).relu().dropout(p = 0.1).linear(out = 1)
    //~ instead: image.flatten().linear(out = 32).relu().dropout(p = 0.1).linear(out = 1)
}

fn main() {}
