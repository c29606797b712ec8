//! The update factor of the running statistics is above 1.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.batch_norm(update = 1.1).flatten().linear(out = 10)
    //~ instead: image.batch_norm(update = 0.1).flatten().linear(out = 10)
}

fn main() {}
