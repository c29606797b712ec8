//! A value is indexed along two axes at once.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    let part = image[(0..1, 0..4)];
    //~ instead: let part = image.slice(axis = 1, end = 4);
    part.flatten().linear(out = 10)
}

fn main() {}
