//! A layer does not exist.
//! The list of layers is in `trainspec::layer`; a custom layer, a type that implements `Layer`, is called in the same way.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.capsule(out = 8).flatten().linear(out = 10)
    //~ instead: image.flatten().linear(out = 10)
}

fn main() {}
